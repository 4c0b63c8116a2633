"""What the four servers have in common: a folder, a port, one process, and the ways it starts and ends."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class ServiceDidNotStartError(RuntimeError):
    """The process ended, or did not answer in time; the message carries the end of its log."""


class LocalServer(ABC):
    """One process with a folder and a port of its own, both kept over restarts."""

    name: str
    start_seconds: float = 30
    stop_seconds: float = 30
    stop_signal = signal.SIGTERM
    account: str | None = None
    """Who runs it when the tests run as root (some servers refuse root, and pods are not root either)."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port or free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"somamemory-{self.name}-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._prepared = False
        if self._user is not None:
            shutil.chown(self.folder, self._user)

    @abstractmethod
    def prepare(self) -> None:
        """Fill an empty folder; called once, before the first start."""

    @abstractmethod
    def command(self) -> list[str]:
        """The program and its arguments."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server does its work now; called often while it starts."""

    def environment(self) -> dict[str, str]:
        """Added to the environment of the process."""
        return {}

    def start(self) -> None:
        """Start, and return once it answers. Raises ServiceDidNotStartError."""
        if not self._prepared:
            self.prepare()
            self._prepared = True
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=os.environ | self.environment(),
                cwd=self.folder,
                start_new_session=True,  # Ctrl+C in the terminal is for the tests; they stop the server in order
                **self._identity(),
            )
        self._wait_until_it_answers(self._process)

    def stop(self) -> None:
        """End in order; after a while by force."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(self.stop_signal)
        try:
            process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(self.stop_seconds)

    def kill9(self) -> None:
        """End at once, without a chance to finish anything: the process and its children."""
        process, self._process = self._process, None
        if process is None:
            return
        children = _children(process.pid)
        process.kill()
        process.wait(self.stop_seconds)
        end_now(children, seconds=self.stop_seconds)

    def restart(self) -> None:
        """Stop in order and start again on the same folder and port."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """Stop and delete the folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Of the running process; 0 when there is none."""
        return self._process.pid if self._process is not None else 0

    @property
    def log(self) -> Path:
        """Where the process writes; outside of its data."""
        return self.folder / f"{self.name}.log"

    def run(self, command: list[str], *, timeout_seconds: float = 60) -> None:
        """Run a helper program as the server's user; raises ServiceDidNotStartError with its output."""
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | self.environment(),
            cwd=self.folder,
            timeout=timeout_seconds,
            check=False,
            **self._identity(),
        )
        if done.returncode:
            raise ServiceDidNotStartError(
                f"{' '.join(command)} failed:\n{done.stdout.decode(errors='replace')[-3000:]}"
            )

    def own(self, path: Path) -> None:
        """Give a file or folder that the tests wrote to the server's user."""
        if self._user is not None:
            shutil.chown(path, self._user)

    @property
    def _user(self) -> str | None:
        if self.account is None or os.geteuid() != 0:
            return None
        return self.account if _exists(self.account) else "nobody"

    def _identity(self) -> dict[str, Any]:
        user = self._user
        if user is None:
            return {}
        return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + self.start_seconds
        while not self.answers():
            if process.poll() is not None:
                self._process = None
                raise ServiceDidNotStartError(f"{self.name} ended with {process.returncode}:\n{self._end_of_log()}")
            if time.monotonic() > deadline:
                self.kill9()
                raise ServiceDidNotStartError(
                    f"{self.name} did not answer within {self.start_seconds:g} s:\n{self._end_of_log()}"
                )
            time.sleep(0.02)

    def _end_of_log(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_answers(port: int) -> bool:
    """Whether somebody accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _exists(account: str) -> bool:
    try:
        pwd.getpwnam(account)
    except KeyError:
        return False
    return True


def end_with_children(pid: int, *, seconds: float) -> None:
    """Kill a process that is not ours to wait for, and those it started."""
    end_now([pid, *_children(pid)], seconds=seconds)


def end_now(pids: list[int], *, seconds: float) -> None:
    """Kill exactly these, and return when they are gone, or after a while."""
    for pid in pids:
        _kill(pid)
    deadline = time.monotonic() + seconds
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.01)


def _children(pid: int) -> list[int]:
    """Processes that `pid` started; Postgres' are in sessions of their own, so its group does not name them."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[1]) == pid:
            found.append(int(status.parent.name))
    return found


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
