"""Keys and values in Postgres, in a table of their own (`soma migrate` makes it)."""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Self

import orjson
import psycopg
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from somafractalmemory.adapters.postgres import connection_arguments
from somafractalmemory.adapters.postgres_locks import PostgresLocks
from somafractalmemory.errors import Rejected, Unavailable
from somafractalmemory.implementations import keyvalues as rules
from somafractalmemory.model import check_namespace
from somafractalmemory.usecases.locking import Held

_WAIT_SECONDS = 2.5
_SECONDS = 10.0

_SET = """
insert into kv_store (namespace, key, value) values (%(namespace)s, %(key)s, %(value)s)
on conflict (namespace, key) do update set value = excluded.value, fields = null
"""
_GET = "select value from kv_store where namespace = %(namespace)s and key = %(key)s"
_DELETE = "delete from kv_store where namespace = %(namespace)s and key = %(key)s returning true"
_HASH_SET = """
insert into kv_store as kept (namespace, key, fields) values (%(namespace)s, %(key)s, %(fields)s::jsonb)
on conflict (namespace, key) do update set fields = kept.fields || excluded.fields where kept.value is null
returning true
"""
_HASH_GET = "select fields::text from kv_store where namespace = %(namespace)s and key = %(key)s"
_SCAN = """
select key from kv_store
where namespace = %(namespace)s and key > %(after)s and key ~ %(regex)s
order by key
limit %(limit)s
"""


class AsyncPostgresKeyValueStore:
    """Over a pool of psycopg, whose connections are in autocommit mode and have a statement timeout."""

    def __init__(self, pool: AsyncConnectionPool[Any], *, namespace: str = rules.NAMESPACE) -> None:
        self._pool = pool
        self._namespace = check_namespace(namespace)
        self._owned = False

    @classmethod
    async def from_url(
        cls, dsn: str, *, namespace: str = rules.NAMESPACE, min_size: int = 1, max_size: int = 10, **options: Any
    ) -> Self:
        """A store with a pool of its own, which `close` closes; it opens even while nobody answers there.

        `options` are further arguments of a connection, such as `password`.
        """
        arguments = connection_arguments({"conninfo": dsn, **options})
        conninfo = arguments.pop("conninfo")
        pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
            conninfo,
            kwargs=arguments,
            min_size=min_size,
            max_size=max_size,
            max_waiting=200,
            timeout=_WAIT_SECONDS,
            open=False,
            check=AsyncConnectionPool.check_connection,
        )
        await pool.open(wait=False)
        store = cls(pool, namespace=namespace)
        store._owned = True
        return store

    async def set(self, key: str, value: bytes | str) -> None:
        """Put a value, whatever the key held."""
        await self._run(_SET, self._at(key) | {"value": rules.as_bytes(value)})

    async def get(self, key: str) -> bytes | None:
        """The value; None when there is none."""
        rows = await self._run(_GET, self._at(key))
        if rows and rows[0][0] is None:
            raise _other_kind()
        return bytes(rows[0][0]) if rows else None

    async def delete(self, key: str) -> bool:
        """Remove a value or a hash; says whether there was one."""
        return bool(await self._run(_DELETE, self._at(key)))

    async def scan_iter(self, pattern: str = "*") -> AsyncIterator[str]:
        """The keys that match, in their order. No transaction stays open meanwhile."""
        asked = {
            "namespace": self._namespace,
            "regex": rules.glob_regex(rules.checked_pattern(pattern)),
            "limit": rules.SCAN_PAGE,
        }
        after = ""
        while rows := await self._run(_SCAN, asked | {"after": after}):
            for (key,) in rows:
                yield key
            after = rows[-1][0]

    async def hset(self, key: str, mapping: Mapping[str | bytes, bytes | str]) -> None:
        """Put fields of a hash; its other fields stay."""
        fields = {_text(field): _text(value) for field, value in rules.checked_fields(mapping).items()}
        if not await self._run(_HASH_SET, self._at(key) | {"fields": orjson.dumps(fields).decode()}):
            raise _other_kind()

    async def hgetall(self, key: str) -> dict[bytes, bytes]:
        """All fields; none when there is no hash."""
        rows = await self._run(_HASH_GET, self._at(key))
        if rows and rows[0][0] is None:
            raise _other_kind()
        fields = orjson.loads(rows[0][0]) if rows else {}
        return {b64decode(field): b64decode(value) for field, value in fields.items()}

    def lock(self, name: str, timeout: float = 10.0) -> AbstractAsyncContextManager[Held]:
        """A lock among all processes, for `async with`; `lease.fence` grows with every holder.

        It is prolonged while the body runs and ends by itself `timeout` seconds after its holder died; no connection
        is held for it. Raises Unavailable when others hold it for so long.
        """
        return rules.held(PostgresLocks(self._run), f"kv/{self._namespace}", name, timeout)

    async def health_check(self) -> bool:
        """Whether it answers, and has its table."""
        try:
            await self._run("select key from kv_store limit 1", {})
        except (Unavailable, Rejected):
            return False
        return True

    async def close(self) -> None:
        """Close a pool of its own; one that was given stays open."""
        if self._owned:
            await self._pool.close(timeout=5)

    def _at(self, key: str) -> dict[str, Any]:
        return {"namespace": self._namespace, "key": rules.checked_key(key)}

    async def _run(self, statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        try:
            async with asyncio.timeout(_SECONDS), self._pool.connection(timeout=_WAIT_SECONDS) as connection:
                cursor = await connection.execute(statement.encode(), parameters)
                return await cursor.fetchall() if cursor.description else []
        except psycopg.errors.UndefinedTable as error:
            raise Unavailable("postgres", "its schema is not there yet: run `soma migrate`") from error
        except psycopg.DataError as error:
            raise Rejected("Postgres cannot hold this") from error
        except (psycopg.Error, PoolTimeout, PoolClosed, TooManyRequests, TimeoutError, OSError) as error:
            raise Unavailable("postgres", type(error).__name__) from error


def _text(content: bytes) -> str:
    return b64encode(content).decode()


def _other_kind() -> Rejected:
    return Rejected("the key holds the other of a value and a hash: delete it first")
