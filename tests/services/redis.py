"""Redis with a password and an append-only file, as the operator configures it."""

import socket

from .server import LocalServer

_PASSWORD = "for-tests-only"
_PING = f"*2\r\n$4\r\nAUTH\r\n${len(_PASSWORD)}\r\n{_PASSWORD}\r\n*1\r\n$4\r\nPING\r\n".encode()


class RedisServer(LocalServer):
    """One Redis."""

    name = "redis"
    account = "redis"

    @property
    def url(self) -> str:
        """With the password in it: it protects nothing."""
        return f"redis://:{_PASSWORD}@127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        """Write the configuration."""
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {_PASSWORD}",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            f"dir {self.folder}",
        ]
        configuration = self.folder / "redis.conf"
        configuration.write_text("\n".join(lines) + "\n")
        self.own(configuration)

    def command(self) -> list[str]:
        """As in a pod."""
        return ["redis-server", str(self.folder / "redis.conf")]

    def answers(self) -> bool:
        """PING, with the password; a server that still loads its file says so instead of PONG."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(_PING)
                answer = b""
                while answer.count(b"\r\n") < 2 and (more := connection.recv(200)):
                    answer += more
                return b"+PONG" in answer
        except OSError:
            return False
