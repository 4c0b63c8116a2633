"""Postgres from the distribution's package, with fsync on as in production."""

import shutil
import signal
import subprocess
from pathlib import Path

from .server import LocalServer

_PASSWORD = "for-tests-only"


def postgres_program(name: str) -> str | None:
    """The newest installed one; Debian keeps them outside of PATH, one folder per release."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    return str(installed[-1]) if installed else shutil.which(name)


class PostgresServer(LocalServer):
    """A cluster with the user `soma` and the database `somamemory`, as the operator makes it."""

    name = "postgres"
    account = "postgres"
    stop_signal = signal.SIGINT  # "fast": does not wait for clients to leave

    @property
    def url(self) -> str:
        """With the password in it: it protects nothing."""
        return f"postgresql://soma:{_PASSWORD}@127.0.0.1:{self.port}/somamemory"

    @property
    def data(self) -> Path:
        """PGDATA."""
        return self.folder / "data"

    def prepare(self) -> None:
        """Run initdb, then make the database in single-user mode: no server to start and stop for it."""
        password = self.folder / "password"
        password.write_text(_PASSWORD)
        self.own(password)
        options = [f"--pgdata={self.data}", "--username=soma", f"--pwfile={password}", "--auth=scram-sha-256"]
        self.run([_required("initdb"), *options, "--encoding=UTF8", "--locale=C.UTF-8"])
        create = 'echo "CREATE DATABASE somamemory" | "$0" --single -D "$1" postgres'
        self.run(["sh", "-c", create, _required("postgres"), str(self.data)])

    def command(self) -> list[str]:
        """Reachable on the loopback device only; its socket file stays in its folder."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "max_connections": "200",
        }
        arguments = [f"-c{name}={value}" for name, value in settings.items()]
        return [_required("postgres"), "-D", str(self.data), *arguments]

    def answers(self) -> bool:
        """Ask as a client does."""
        asked = subprocess.run(
            [_required("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False, timeout=10
        )
        return asked.returncode == 0


def _required(name: str) -> str:
    found = postgres_program(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed: apt-get install postgresql")
    return found
