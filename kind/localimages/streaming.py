"""Runs a long command, its output going to a log and its latest line to whoever watches."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from localcluster.errors import CommandFailedError

TAIL = 20


def stream(
    argv: Sequence[str], *, log: Path, say: Callable[[str], None], seconds: float, cwd: Path | None = None
) -> None:
    """Run `argv`.

    Raises:
        CommandFailedError: it is missing, failed, or took longer than `seconds`; with its last lines and the log.
    """
    remedy = f"read {log}, then try again"
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        process = subprocess.Popen(
            argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            cwd=cwd,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise CommandFailedError(f"{argv[0]} is not installed", f"apt-get install {argv[0]}, then try again") from error
    late = threading.Event()

    def end_late() -> None:
        late.set()
        _end(process)

    watchdog = threading.Timer(seconds, end_late)
    watchdog.start()
    try:
        with process, log.open("w") as copy:
            for line in process.stdout or ():
                copy.write(line)
                if line.strip():
                    say(line.strip()[:100])
    except BaseException:  # an interrupt must not leave a build behind
        _end(process)
        raise
    finally:
        watchdog.cancel()
    if late.is_set():
        raise CommandFailedError(f"`{' '.join(argv)}` took longer than {seconds:.0f} s", remedy)
    if process.returncode:
        tail = "\n  ".join(log.read_text(errors="replace").splitlines()[-TAIL:])
        raise CommandFailedError(f"`{' '.join(argv)}` ended with {process.returncode}:\n  {tail}", remedy)


def _end(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
