"""kubectl and helm, as programs that belong to one cluster."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcluster.errors import CommandFailedError, ProgramsMissingError


@dataclass(frozen=True)
class Tools:
    """Runs kubectl and helm against one kubeconfig.

    `folder` holds the programs; None means that they are found by PATH. Raises `CommandFailedError` with the program's
    own words when it fails, or when it needs longer than `timeout_seconds`.
    """

    kubeconfig: Path
    folder: Path | None = None
    timeout_seconds: float = 240

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """Run kubectl, with `text` as its standard input, and return what it prints."""
        return self._run("kubectl", arguments, text)

    def kubectl_json(self, *arguments: str) -> Any:
        """Run kubectl with `-o json` and return what it prints, parsed."""
        return json.loads(self.kubectl(*arguments, "-o", "json"))

    def helm(self, *arguments: str) -> str:
        """Run helm and return what it prints."""
        return self._run("helm", arguments, None)

    def _run(self, program: str, arguments: tuple[str, ...], text: str | None) -> str:
        path = str(self.folder / program) if self.folder else program
        environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig)}
        try:
            done = subprocess.run(
                [path, *arguments],
                env=environment,
                input=text,
                capture_output=True,
                text=True,
                timeout=self.timeout_seconds,
                check=False,
            )
        except FileNotFoundError as error:
            raise ProgramsMissingError(f"{program} is not installed", f"put {program} on the PATH") from error
        except subprocess.TimeoutExpired as error:
            raise CommandFailedError(
                f"{program} {arguments[0]} took longer than {self.timeout_seconds:.0f} s", "look at: make status"
            ) from error
        if done.returncode != 0:
            words = done.stderr.strip() or done.stdout.strip()
            raise CommandFailedError(f"{program} {' '.join(arguments)} failed: {words}", "look at: make status")
        return done.stdout
