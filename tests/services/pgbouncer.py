"""PgBouncer, a pooler in front of a private Postgres."""

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from .server import LocalServer


class PgBouncerServer(LocalServer):
    """One PgBouncer in front of the server at `target`, with settings over its own."""

    name = "pgbouncer"
    account = "postgres"

    def __init__(self, port: int | None = None, *, target: str, settings: Mapping[str, str]) -> None:
        super().__init__(port)
        self._target, self._settings = urlsplit(target), settings

    @property
    def url(self) -> str:
        """The same user, password and database as behind it."""
        target = self._target
        return f"postgresql://{target.username}:{target.password}@127.0.0.1:{self.port}{target.path}"

    def prepare(self) -> None:
        """Write its configuration."""
        target = self._target
        users = self.folder / "users.txt"
        users.write_text(f'"{target.username}" "{target.password}"\n')
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": str(self.port),
            "unix_socket_dir": "",
            "auth_type": "plain",
            "auth_file": str(users),
            "default_pool_size": "4",
            **self._settings,
        }
        lines = [f"{name} = {value}" for name, value in settings.items()]
        file = self.folder / "pgbouncer.ini"
        databases = f"* = host=127.0.0.1 port={target.port}"
        file.write_text("\n".join(["[databases]", databases, "[pgbouncer]", *lines, ""]))
        for each in (users, file):
            self.own(each)

    def command(self) -> list[str]:
        """In the foreground."""
        return ["pgbouncer", str(self.folder / "pgbouncer.ini")]

    def answers(self) -> bool:
        """Whether its port is open."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True
