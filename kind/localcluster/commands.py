"""Runs other programs and turns their failures into sentences."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from localcluster.errors import CommandFailedError, StartFailedError

TAIL = 15


def run(
    argv: Sequence[str | Path],
    *,
    timeout: float = 60.0,
    remedy: str = "run the command by hand to see more",
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    source: IO[bytes] | None = None,
) -> str:
    """Run `argv`, fed with the text `stdin` or the open file `source`, and return what it printed.

    Raises:
        CommandFailedError: it is missing, took longer than `timeout` seconds or failed; with its last lines.
    """
    words = [str(word) for word in argv]
    environment = {**os.environ, **env} if env else None
    feed: dict[str, Any] = {"input": stdin} if stdin is not None else {"stdin": source or subprocess.DEVNULL}
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=timeout, env=environment, check=False, **feed
        )
    except FileNotFoundError as error:
        raise CommandFailedError(f"{words[0]} is not installed", remedy) from error
    except subprocess.TimeoutExpired as error:
        raise CommandFailedError(f"`{' '.join(words)}` took longer than {timeout:.0f} s", remedy) from error
    if done.returncode:
        tail = "\n  ".join((done.stderr or done.stdout).strip().splitlines()[-TAIL:])
        raise CommandFailedError(f"`{' '.join(words)}` ended with {done.returncode}:\n  {tail}", remedy)
    return str(done.stdout)


def succeeds(argv: Sequence[str | Path], *, timeout: float = 20.0) -> bool:
    """Say whether `argv` ends with 0 in time."""
    try:
        run(argv, timeout=timeout)
    except CommandFailedError:
        return False
    return True


def wait_until(ready: Callable[[], bool], *, what: str, seconds: float, remedy: str, interval: float = 0.1) -> None:
    """Poll `ready` until it is true.

    Raises:
        StartFailedError: it was not true within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() >= deadline:
            raise StartFailedError(f"{what} was not ready within {seconds:.0f} s", remedy)
        time.sleep(interval)
