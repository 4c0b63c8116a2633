"""The first process of the node: prepares its mounts, starts its programs, restarts those that end, reaps orphans.

Run as `python -m localcluster.supervisor PLAN` inside fresh net, mount, pid, uts and ipc namespaces. When it ends, the
kernel ends everything in the node with it: containers, mounts, interfaces, rules. So nothing is left to sweep.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcluster import mounts, probes
from localcluster.errors import CannotRunError, LocalClusterError
from localcluster.probes import passes

SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}
TICK_SECONDS = 0.1
IDLE_SECONDS = 5.0
HEALTHY_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 30.0
STOP_SECONDS = 1.0  # the data goes away with the node: no reason to be patient


@dataclass(frozen=True)
class Unit:
    """One program: what to run, which units and probes must be ready before, and how it shows that it is ready."""

    name: str
    argv: Sequence[str]
    needs: Sequence[str] = ()
    ready: str = ""
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Running:
    """How a unit fares."""

    unit: Unit
    pid: int = 0
    started: float = 0.0
    failures: int = 0
    restarts: int = 0
    not_before: float = 0.0
    ready: bool = False

    def ended(self, now: float, jitter: float) -> None:
        """Note that the process is gone, and when it may start again."""
        self.failures = 1 if now - self.started > HEALTHY_SECONDS else self.failures + 1
        self.restarts += 1
        self.pid = 0
        self.ready = False
        self.not_before = now + pause(self.failures) * (1 + jitter)

    def may_start(self, now: float, ready: set[str]) -> bool:
        """Say whether it is stopped, its pause is over and all that it needs is ready."""
        return (
            self.pid == 0 and now >= self.not_before and all(need in ready or passes(need) for need in self.unit.needs)
        )


def pause(failures: int) -> float:
    """Return the seconds to wait after so many failures in a row: half a second, doubling, at most 30."""
    return float(min(LONGEST_PAUSE_SECONDS, 0.5 * 2 ** min(failures - 1, 10)))


class Supervisor:
    """Keeps the units running until it is told to stop."""

    def __init__(self, units: Sequence[Unit], logs: Path, report: Path) -> None:
        self._units = [Running(unit) for unit in units]
        self._logs = logs
        self._report_path = report
        self._reported = ""

    def run(self) -> None:
        """Supervise until SIGTERM or SIGINT, then end every process of the node.

        Raises:
            CannotRunError: this is not the first process of a pid namespace; ending "everything" would be a disaster.
        """
        if os.getpid() != 1:
            raise CannotRunError("The supervisor runs only as first process of a node", "make up")
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        while True:
            self._start_due()
            self._look()
            self._report()
            settled = all(running.ready for running in self._units)
            received = signal.sigtimedwait(SIGNALS, IDLE_SECONDS if settled else TICK_SECONDS)
            self._reap()
            if received and received.si_signo != signal.SIGCHLD:
                break
        self._stop()

    def _start_due(self) -> None:
        ready = {running.unit.name for running in self._units if running.ready}
        now = time.monotonic()
        for running in self._units:
            if running.may_start(now, ready):
                running.pid = self._spawn(running.unit)
                running.started = now

    def _spawn(self, unit: Unit) -> int:
        log = str(self._logs / f"{unit.name}.log")
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        environment = {**os.environ, **unit.env}
        return os.posix_spawn(
            unit.argv[0], list(unit.argv), environment, file_actions=actions, setsid=True, setsigmask=()
        )

    def _look(self) -> None:
        for running in self._units:
            if running.pid and not running.ready:
                running.ready = not running.unit.ready or passes(running.unit.ready)

    def _reap(self) -> None:
        """Collect every ended process: ours and the orphans that containers leave to the first process."""
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for running in self._units:
                if running.pid == pid:
                    running.ended(time.monotonic(), random.random() / 4)  # noqa: S311 # nosec B311 - jitter

    def _report(self) -> None:
        state: dict[str, Any] = {
            running.unit.name: {"ready": running.ready, "restarts": running.restarts} for running in self._units
        }
        text = json.dumps(state)
        if text != self._reported:
            fresh = self._report_path.with_suffix(".new")
            fresh.write_text(text)
            fresh.rename(self._report_path)
            self._reported = text

    def _stop(self) -> None:
        """Ask everything to end, wait a little, and leave the rest to the kernel, which ends it with this process."""
        os.kill(-1, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            try:
                os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            time.sleep(TICK_SECONDS / 4)


def main(plan_path: Path) -> int:
    """Prepare the node as the plan says, then supervise."""
    plan = json.loads(plan_path.read_text())
    state = Path(plan["state"])
    try:
        mounts.prepare(state)
        probes.wait_for_interface(plan["interface"])  # the host makes it as soon as it sees this process
        mounts.configure_network(plan["interface"], plan["address"], plan["services"])
    except LocalClusterError as error:
        print(error, file=sys.stderr)
        return 1
    units = [Unit(**unit) for unit in plan["units"]]
    Supervisor(units, state / "logs", state / "run/programs.json").run()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
