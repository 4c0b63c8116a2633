"""Finds and ends the node's processes by what they run, so that no pid file can lie after a crash or a reboot."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from localcluster.commands import wait_until
from localcluster.errors import StartFailedError

MODULE = "localcluster.supervisor"
REAPING_SECONDS = 2.0


def supervisor_argv(python: str, plan: Path) -> list[str]:
    """Return the command line of the node's first process; the plan's path makes it unmistakable."""
    return [python, "-m", MODULE, str(plan)]


def find(plan: Path, proc: Path = Path("/proc")) -> tuple[list[int], list[int]]:
    """Return the pids of the node's first process and of what launched it (each list has one entry, or none)."""
    tail = supervisor_argv("", plan)[1:]
    first, launchers = [], []
    for folder in proc.iterdir():
        if folder.name.isdigit():
            argv = _argv(folder / "cmdline")
            if argv[1:] == tail:
                first.append(int(folder.name))
            elif argv[-len(tail) :] == tail and Path(argv[0]).name == "unshare":
                launchers.append(int(folder.name))
    return first, launchers


def _argv(path: Path) -> list[str]:
    try:
        return path.read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:  # it ended meanwhile
        return [""]


def end(pids: Sequence[int], *, how: signal.Signals, seconds: float) -> bool:
    """Send a signal to exactly these processes; say whether all were gone in time."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, how)
    try:
        wait_until(lambda: not any(_lives(pid) for pid in pids), what="", seconds=seconds, remedy="", interval=0.05)
    except StartFailedError:
        return False
    return True


def wait_for_reaping(pids: Sequence[int]) -> None:
    """Wait a moment for ended processes to disappear from the process list; harmless when their parent is slow."""
    deadline = time.monotonic() + REAPING_SECONDS
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False
