"""A port of this machine that leads to the API of a SomaMemory, as long as somebody needs it."""

import base64
import re
import shlex
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, at
from somamemory_operator.plugin.kubectl import Kubectl, KubectlFailed

START_SECONDS = 30.0
_LISTENS = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class Connected:
    """Where the API answers on this machine, and how to get what opens it."""

    url: str
    ca: Path | None
    token_command: str
    process: "subprocess.Popen[str]"
    kubectl: Kubectl
    secret: str

    def environment(self) -> dict[str, str]:
        """For a program that is to use it: the token goes by the environment of that program alone."""
        encoded = self.kubectl.run("get", "secret", self.secret, "--output=jsonpath={.data.SOMA_API_TOKEN}")
        found = {"SOMA_API_URL": self.url, "SOMA_API_TOKEN": base64.b64decode(encoded).decode()}
        return found | ({"SOMA_API_CA": str(self.ca)} if self.ca is not None else {})

    def wait(self) -> None:
        """Until the forward ends."""
        try:
            self.process.wait()
        except KeyboardInterrupt:
            return


@contextmanager
def connected(kubectl: Kubectl, memory: Obj, port: int) -> Iterator[Connected]:
    """Forward a port, and end that afterwards. Raises KubectlFailed."""
    name = memory["metadata"]["name"]
    address = urlsplit(str(at(memory, "status", "endpoints", "api") or "http://api:9595"))
    with tempfile.TemporaryDirectory(prefix="soma-") as folder:
        ca = _authorities(kubectl, name, Path(folder)) if address.scheme == "https" else None
        words = (
            "port-forward",
            f"service/{names.child(name, Component.API)}",
            f"{port or ''}:{address.port}",
            "--address=127.0.0.1",
        )
        process = subprocess.Popen(kubectl.command(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            found = _port(process)
            secret = names.credentials(name)
            words = ("get", "secret", secret, "--output=jsonpath={.data.SOMA_API_TOKEN}")
            command = f"{shlex.join(kubectl.command(*words))} | base64 -d"
            yield Connected(f"{address.scheme}://127.0.0.1:{found}", ca, command, process, kubectl, secret)
        finally:
            process.kill()  # it holds nothing that a clean end would save
            process.wait(10)


def _authorities(kubectl: Kubectl, name: str, folder: Path) -> Path:
    file = folder / "ca.crt"
    file.write_text(kubectl.run("get", "configmap", names.trust(name), r"--output=jsonpath={.data.ca\.crt}"))
    return file


def _port(process: "subprocess.Popen[str]") -> int:
    """The port that kubectl says it listens at; what it says afterwards is read, and dropped."""
    said: list[str] = []
    timer = threading.Timer(START_SECONDS, process.kill)
    timer.start()
    try:
        output = process.stdout
        while output is not None and (line := output.readline()):
            said.append(line.strip())
            if found := _LISTENS.search(line):
                threading.Thread(target=_drain, args=(output,), daemon=True).start()
                return int(found[1])
    finally:
        timer.cancel()
    raise KubectlFailed(f"the API cannot be reached: {' '.join(said) or f'no answer within {START_SECONDS:g} s'}")


def _drain(output: IO[str]) -> None:
    for _ in output:
        pass
