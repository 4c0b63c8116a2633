"""Processor time by program, from /proc: what a machine that others load too cannot falsify much."""

import os
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def seconds_of(pid: int) -> float:
    """Processor seconds of a process, its threads, its children, and those that it has already waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    own = sum(int(fields[at]) for at in (11, 12, 13, 14)) / _TICKS
    return own + sum(seconds_of(int(child)) for child in children)


class Meter:
    """How much each program has used since the start of the measurement."""

    def __init__(self, programs: Mapping[str, int]) -> None:
        self._programs = {**programs, "client": os.getpid()}
        self._before = self._now()

    def _now(self) -> dict[str, float]:
        seconds = {name: seconds_of(pid) for name, pid in self._programs.items()}
        seconds["client"] = sum(os.times()[:2])  # without the programs, which are its children
        return seconds

    def per(self, count: int) -> dict[str, int]:
        """Microseconds of each program for one of `count` operations."""
        spent = {name: used - self._before[name] for name, used in self._now().items()}
        spent["all"] = sum(spent.values())
        return {name: round(used / max(count, 1) * 1e6) for name, used in spent.items()}
