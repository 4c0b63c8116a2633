"""Connecting to Redis with a password that may just be changing."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.sentinel import Sentinel
from redis.exceptions import AuthenticationError, RedisClusterException, RedisError

from somafractalmemory.settings.passwords import Password
from somafractalmemory.settings.redis_servers import Servers, kind_of, servers

AWAY = (RedisError, RedisClusterException, OSError, TimeoutError)
"""What a client raises when its server does not do it; a cluster that nobody answers for is no RedisError."""


def client_of(url: str, *, password: Password | str | None, **options: Any) -> Any:
    """A client that tries each password that may be valid whenever it connects; one in the address wins.

    Behind Sentinel it asks for the master whenever it connects, so it follows to another one. Of a cluster it asks who
    has which key, again whenever one of the servers says that this has changed.
    """
    if kind_of(url):
        place = servers(url)
        made = _behind_sentinel if place.kind == "sentinel" else _of_cluster
        return made(place, password, options)
    if not isinstance(password, Password) or urlsplit(url).password:
        plain = password if isinstance(password, str) else None
        return Redis.from_url(url, password=plain, **options)
    client: Any = Redis.from_url(url, password=password.newest, **options)
    client.connection_pool.connection_class = _with_login(client.connection_pool.connection_class, password)
    return client


class _Followed(Redis):
    """A master's client that also closes the connections to those who name the master."""

    sentinels: Iterable[Any] = ()

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await super().aclose(close_connection_pool)
        for sentinel in self.sentinels:
            await sentinel.aclose()


def _of_cluster(place: Servers, password: Password | str | None, options: dict[str, Any]) -> Any:
    rotating = password if isinstance(password, Password) and place.password is None else None
    client: Any = RedisCluster(
        startup_nodes=[ClusterNode(*host) for host in place.hosts],
        username=place.username,
        password=place.password
        or (rotating.newest if rotating else None if isinstance(password, Password) else password),
        ssl=place.tls,
        **options,
    )
    if rotating is not None:
        kind = _with_login(client.connection_kwargs["connection_class"], rotating)
        client.connection_kwargs["connection_class"] = kind
        for node in client.nodes_manager.startup_nodes.values():
            node.connection_class = kind
    return client


def _behind_sentinel(place: Servers, password: Password | str | None, options: dict[str, Any]) -> Any:
    """Sentinels are asked without a login, which they have only where somebody gives them one of their own."""
    common = {name: value for name, value in options.items() if name.startswith(("socket_", "ssl_"))}
    tls: dict[str, Any] = {"ssl": True} if place.tls else {}
    manager: Any = Sentinel(  # type: ignore[no-untyped-call]
        list(place.hosts), sentinel_kwargs=common | tls
    )
    rotating = password if isinstance(password, Password) and place.password is None else None
    plain = place.password or (rotating.newest if rotating else None if isinstance(password, Password) else password)
    client: Any = manager.master_for(
        place.service,
        redis_class=_Followed,
        username=place.username,
        password=plain,
        db=place.database,
        **options,
        **tls,
    )
    client.sentinels = manager.sentinels
    if rotating is not None:
        client.connection_pool.connection_class = _with_login(client.connection_pool.connection_class, rotating)
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
