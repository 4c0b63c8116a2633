"""Connecting to Redis with a password that may just be changing."""

from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError

from somafractalmemory.settings.passwords import Password


def client_of(url: str, *, password: Password | str | None, **options: Any) -> Any:
    """A client that tries each password that may be valid whenever it connects; one in the address wins."""
    if not isinstance(password, Password) or urlsplit(url).password:
        plain = password if isinstance(password, str) else None
        return Redis.from_url(url, password=plain, **options)
    client: Any = Redis.from_url(url, password=password.newest, **options)
    client.connection_pool.connection_class = _with_login(client.connection_pool.connection_class, password)
    return client


def _with_login(connection_class: type[Any], password: Password) -> type[Any]:
    class LoginConnection(connection_class):  # type: ignore[misc]
        """The client closes a connection that was refused, so each attempt makes another one."""

        async def connect_check_health(self, check_health: bool = True, retry_socket_connect: bool = True) -> None:
            refused: AuthenticationError | None = None
            for candidate in password.attempts():
                self.password = candidate
                try:
                    await super().connect_check_health(check_health, retry_socket_connect)
                except AuthenticationError as error:
                    refused = error
                else:
                    password.taken(candidate)
                    return
            if refused is not None:
                raise refused

    return LoginConnection
