"""Runs a long command, its output going to a log and its latest line to whoever watches."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from localcluster.errors import CommandFailedError, StoppedError
from localcluster.progress import Step

TAIL = 20
LOOK_SECONDS = 0.2
GRACE_SECONDS = 5.0
PACKAGES = {"mvn": "maven"}
"""Packages of Debian whose name is not their program's."""


def stream(argv: Sequence[str], *, log: Path, step: Step, seconds: float, env: Mapping[str, str] | None = None) -> None:
    """Run `argv`, in the environment `env` if it is given.

    Raises:
        CommandFailedError: it is missing, failed, or took longer than `seconds`; with its last lines and the log.
        StoppedError: the step was stopped; the command and all that it started have ended.
    """
    remedy = f"read {log}, then try again"
    log.parent.mkdir(parents=True, exist_ok=True)
    process = _start(argv, env)
    guard = _Guard(process, step, seconds)
    try:
        with process, log.open("w") as copy:
            for line in process.stdout or ():
                copy.write(line)
                if line.strip():
                    step.say(line.rstrip())
    except BaseException:  # an interrupt must not leave a build behind
        _end(process)
        raise
    finally:
        guard.dismiss()
    if step.stopped():
        raise StoppedError(f"`{argv[0]}` was stopped", "see what failed beside it")
    if guard.late:
        raise CommandFailedError(f"`{' '.join(argv)}` took longer than {seconds:.0f} s", remedy)
    if process.returncode:
        tail = "\n  ".join(log.read_text(errors="replace").splitlines()[-TAIL:])
        raise CommandFailedError(f"`{' '.join(argv)}` ended with {process.returncode}:\n  {tail}", remedy)


def _start(argv: Sequence[str], env: Mapping[str, str] | None) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            env=env,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        package = PACKAGES.get(argv[0], argv[0])
        raise CommandFailedError(f"{argv[0]} is not installed", f"apt-get install {package}, then try again") from error


class _Guard:
    """Ends a command that takes too long or is no longer wanted, also while it says nothing."""

    def __init__(self, process: subprocess.Popen[str], step: Step, seconds: float) -> None:
        self.late = False
        self._process = process
        self._step = step
        self._deadline = time.monotonic() + seconds
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def dismiss(self) -> None:
        """Stop watching: the command has ended."""
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(LOOK_SECONDS):
            self.late = time.monotonic() > self._deadline
            if self.late or self._step.stopped():
                _end(self._process)
                return


def _end(process: subprocess.Popen[str]) -> None:
    """End the command and all that it started: kindly, so that it can tidy up, then for sure."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
        os.killpg(process.pid, signal.SIGKILL)
