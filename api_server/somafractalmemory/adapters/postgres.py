"""Postgres: the truth, its outbox and the event log. The client's errors become ours here."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import orjson
import psycopg
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from somafractalmemory import tracing
from somafractalmemory.adapters import statements
from somafractalmemory.adapters.circuit import Circuit
from somafractalmemory.adapters.migrations import migrations
from somafractalmemory.adapters.postgres_audits import PostgresAudits
from somafractalmemory.adapters.postgres_care import PostgresCare
from somafractalmemory.adapters.postgres_erasures import PostgresErasures
from somafractalmemory.adapters.postgres_keys import PostgresKeys
from somafractalmemory.adapters.postgres_links import PostgresLinks
from somafractalmemory.adapters.postgres_locks import PostgresLocks
from somafractalmemory.adapters.postgres_lookups import PostgresLookups
from somafractalmemory.adapters.postgres_outbox import PostgresOutbox
from somafractalmemory.adapters.postgres_recollections import PostgresRecollections
from somafractalmemory.adapters.postgres_rows import Row, ids_of, memory_of, recordset
from somafractalmemory.adapters.postgres_scope import (
    EVERYWHERE,
    STATEMENT_MILLISECONDS,
    Connection,
    enter,
    rows_within,
    scope_of,
)
from somafractalmemory.adapters.postgres_states import PostgresStates
from somafractalmemory.adapters.postgres_transfers import PostgresTransfers
from somafractalmemory.errors import Rejected, SomaError, Unavailable
from somafractalmemory.model import Counts, Memory, MemoryType, NewMemory, Saved
from somafractalmemory.model.events import MemoryEvent, foreign_memory
from somafractalmemory.ports import OutboxDepth, Search
from somafractalmemory.security import tenancy
from somafractalmemory.security.acting import actor

Answer = TypeVar("Answer")
CONNECT_SECONDS = 3
POOL_WAIT_SECONDS = 2.5
IDLE_SECONDS = 0.5
ATTEMPTS = 3
_RETRIED = {"40001", "40P01"}  # serialization failure, deadlock: the server asks to try again
_REJECTED_CLASSES = {"22", "23", "54"}  # wrong data, broken constraint, a limit of the server exceeded


async def check_when_idle(connection: Connection) -> None:
    """Raises when a connection that rested is dead. Asking a busy one, too, would double all round trips."""
    if time.monotonic() - connection.used_at > IDLE_SECONDS:
        await AsyncConnectionPool.check_connection(connection)


class PostgresRecords:
    """Implements the ports Records, Outbox and EventLog over one pool; publishing has a connection of its own."""

    def __init__(
        self,
        pool: AsyncConnectionPool[Connection],
        arguments: Mapping[str, Any],
        *,
        audited: bool = True,
        refusals: Sequence[str] = (),
    ) -> None:
        self._pool, self._refusals = pool, refusals
        self._audited = audited
        self._outbox = PostgresOutbox(arguments, _ours)
        self._circuit = Circuit("postgres")
        self.links = PostgresLinks(self._run, self._look_up)
        self.lookups = PostgresLookups(self._run, self._look_up)
        self.states = PostgresStates(self._run)
        self.erasures = PostgresErasures(self._run)
        self.locks = PostgresLocks(self._run)
        self.recollections = PostgresRecollections(self._run)
        self.care = PostgresCare(self._run)
        self.audits = PostgresAudits(self._run)
        self.request_keys = PostgresKeys(self._run)
        self.transfers = PostgresTransfers(self._run, self._transact)

    async def ping(self) -> None:
        """Raises Unavailable when it does not answer, or when migrations are missing."""
        applied = {name for (name,) in await self._run(statements.APPLIED_MIGRATIONS, {})}
        missing = [each.name for each in migrations() if each.name not in applied]
        if missing:
            raise Unavailable("postgres", f"the schema lacks {', '.join(missing)}: run `soma migrate`")

    async def save(self, memories: Sequence[NewMemory]) -> Sequence[Saved]:
        rows = await self._run(
            statements.SAVE,
            {
                "rows": recordset(
                    {
                        "id": memory.id,
                        "namespace": memory.namespace,
                        "coordinate": memory.coordinate,
                        "memory_type": memory.memory_type.value,
                        "payload": orjson.Fragment(memory.payload_json),
                        "search_text": memory.text,
                        "importance": memory.importance,
                        "occurred_at": memory.timestamp,
                    }
                    for memory in memories
                )
            },
            within=[memory.namespace for memory in memories],
            traces={str(memory.id): memory.traceparent for memory in memories if memory.traceparent},
        )
        saved = {place: Saved(place, version, created) for place, version, created in rows}
        return [saved[memory.id] for memory in memories]

    async def replace(self, memory: NewMemory, *, expected: int) -> Saved | None:
        rows = await self._run(
            statements.REPLACE,
            {
                "id": memory.id,
                "type": memory.memory_type.value,
                "payload": memory.payload_json,
                "text": memory.text,
                "importance": memory.importance,
                "timestamp": memory.timestamp,
                "expected": expected,
            },
        )
        return Saved(memory.id, rows[0][0], created=False) if rows else None

    async def delete(self, ids: Sequence[UUID], *, expected: int | None = None) -> Sequence[Saved]:
        caller, request_id = (actor().name, actor().request_id) if self._audited else (None, None)
        asked = {"ids": list(ids), "expected": expected, "caller": caller, "request_id": request_id}
        rows = await self._run(statements.DELETE, asked)
        return [Saved(place, version, created=False) for place, version in rows]

    async def get(self, ids: Sequence[UUID]) -> Mapping[UUID, Memory]:
        rows = await self._run(statements.GET, {"ids": ids_of(ids)})
        found = {row[0]: memory_of(row) for row in rows}
        if missing := [place for place in ids if place not in found]:
            foreign = await self._run(statements.GET_FOREIGN, {"ids": missing})
            found |= {row[0]: foreign_memory(*row) for row in foreign}
        return found

    async def find_text(self, query: str, search: Search) -> Sequence[tuple[Memory, float]]:
        rows = await self._look_up(
            statements.FIND_TEXT,
            {
                "query": query.replace("\x00", " "),
                "namespace": search.namespace,
                "memory_type": search.memory_type.value if search.memory_type else None,
                "filters": orjson.dumps(dict(search.filters)).decode(),
                "limit": search.limit,
            },
        )
        return [(memory_of(row[:-1]), float(row[-1])) for row in rows]

    async def count(self, namespace: str) -> Counts:
        counts: dict[str, int] = dict(await self._run(statements.COUNT, {"namespace": namespace}))
        return Counts(counts.get(MemoryType.EPISODIC.value, 0), counts.get(MemoryType.SEMANTIC.value, 0))

    async def scan(self, after: UUID | None, limit: int) -> Sequence[Memory]:
        asked = {"after": after, "limit": limit}
        own = [memory_of(row) for row in await self._run(statements.SCAN, asked)]
        foreign = [foreign_memory(*row) for row in await self._run(statements.SCAN_FOREIGN, asked)]
        return _first(own, foreign, limit)

    async def lead(self) -> bool:
        return await self._outbox.lead()

    async def pending(self, limit: int) -> Sequence[tuple[int, MemoryEvent]]:
        return await self._outbox.pending(limit)

    async def done(self, numbers: Sequence[int]) -> None:
        await self._outbox.done(numbers)

    async def depth(self) -> OutboxDepth:
        ((rows, age),) = await self._run(statements.DEPTH, {})
        return OutboxDepth(rows, age)

    async def append(self, events: Sequence[MemoryEvent]) -> None:
        await self._run(
            statements.APPEND,
            {
                "rows": recordset(
                    {
                        "event_id": event.event_id,
                        "id": event.id,
                        "namespace": event.namespace,
                        "type": event.type,
                        "moment": event.timestamp,
                        "payload": orjson.Fragment(event.payload_json),
                        "version": event.version,
                    }
                    for event in events
                )
            },
        )

    async def close(self) -> None:
        """Give back the lead."""
        await self._outbox.close()

    async def _run(
        self,
        statement: str,
        parameters: Mapping[str, Any],
        *,
        within: Collection[str] | None = None,
        traces: Mapping[str, str] | None = None,
    ) -> list[Row]:
        """Run one statement on a connection of the pool.

        It sees what the task may see: `within` narrows that for a task which may see everything. Its events belong to
        `traces`, by the identifiers of their memories, or all to the task's own.
        """
        scope = _scope(within)
        if not traces:
            span = tracing.traceparent() if "into outbox" in statement else None
            traces = {"*": span} if span else {}
        return await self._on_connection(
            lambda connection: rows_within(connection, statement, parameters, scope, traces)
        )

    async def _transact(self, work: Callable[[psycopg.AsyncConnection[Row]], Awaitable[Answer]]) -> Answer:
        """Run several statements in one transaction; they see what the task may see."""
        scope = _scope(None)

        async def whole(connection: Connection) -> Answer:
            async with asyncio.timeout(3 * STATEMENT_MILLISECONDS / 1000):
                await enter(connection, scope)
                async with connection.transaction():
                    return await work(connection)

        return await self._on_connection(whole)

    async def _on_connection(self, work: Callable[[Connection], Awaitable[Answer]]) -> Answer:
        """What the server asks to repeat is repeated a few times; while it is away, only one caller waits for it."""
        for attempt in range(1, ATTEMPTS + 1):
            with self._circuit.call() as call:
                try:
                    async with self._pool.connection(timeout=POOL_WAIT_SECONDS) as connection:
                        call.answered()
                        answer = await work(connection)
                        connection.used_at = time.monotonic()
                        return answer
                except PoolTimeout as error:
                    call.silent()
                    raise _ours(error, next(iter(self._refusals), "")) from error
                except psycopg.Error as error:
                    if error.sqlstate not in _RETRIED or attempt == ATTEMPTS:
                        raise _ours(error) from error
                except (TimeoutError, OSError) as error:
                    raise _ours(error) from error
        raise AssertionError("unreachable: every attempt returns or raises")

    async def _look_up(self, statement: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run one statement whose rows have their namespace second, and drop what the task may not see.

        Beneath row-level security Postgres looks up only what cannot leak through an error, so no pattern, word or
        box: such statements would read the whole namespace. They run as the owner, and are checked here.
        """
        visible = tenancy.visible()
        with tenancy.everywhere():
            rows = await self._run(statement, parameters)
        return rows if visible is None else [row for row in rows if row[1] in visible]


@asynccontextmanager
async def open_records(
    arguments: Mapping[str, Any], *, pool_size: int, audited: bool = True
) -> AsyncIterator[PostgresRecords]:
    """Open the adapter; the server may be away, each call then says so. `arguments` are those of a connection."""
    set_json_loads(orjson.loads)
    options = connection_arguments(arguments)
    refusals: deque[str] = deque(maxlen=1)
    pool = AsyncConnectionPool(
        options["conninfo"],
        connection_class=Connection,
        kwargs={name: value for name, value in options.items() if name != "conninfo"} | {"refusals": refusals},
        min_size=2,
        max_size=pool_size,
        open=False,
        timeout=POOL_WAIT_SECONDS,
        max_waiting=500,
        reconnect_timeout=4.0,  # its pauses double: a short limit keeps them short after a longer outage
        check=check_when_idle,
    )
    await pool.open(wait=False)
    records = PostgresRecords(pool, options, audited=audited, refusals=refusals)
    try:
        yield records
    finally:
        await records.close()
        await pool.close(timeout=5)


def connection_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Add what makes every wait end: connecting, a statement, a peer that vanished."""
    return {
        **arguments,
        "autocommit": True,
        "connect_timeout": CONNECT_SECONDS,
        "tcp_user_timeout": 5000,
        "keepalives_idle": 10,
        "options": f"-c statement_timeout={STATEMENT_MILLISECONDS} -c lock_timeout=4000 -c timezone=UTC "
        f"-c soma.namespaces={EVERYWHERE}",
        "application_name": "somafractalmemory",
    }


def _scope(within: Collection[str] | None) -> str:
    visible = tenancy.visible()
    return scope_of(within if visible is None else visible)


def _first(own: Sequence[Memory], foreign: Sequence[Memory], limit: int) -> Sequence[Memory]:
    """The first of both; deleted foreign ones among them, because the last one tells where to go on."""
    return sorted([*own, *foreign], key=lambda memory: memory.id)[:limit]


def _ours(error: Exception, refusal: str = "") -> SomaError:
    """Our error for one of the client's; the server's own words never hold the parameters' values in full.

    `refusal` is what the pool's own attempts to connect met with last.
    """
    if isinstance(error, psycopg.Error) and error.sqlstate:
        if error.sqlstate[:2] in _REJECTED_CLASSES:
            return Rejected(f"Postgres refuses the item: {error.diag.message_primary}")
        if error.sqlstate in {"42P01", "42703"}:  # undefined table or column
            return Unavailable("postgres", "its schema is not there yet: run `soma migrate`")
    elif isinstance(error, psycopg.DataError):  # refused by the client before it was sent, such as a NUL in a text
        return Rejected(f"Postgres cannot hold the item: {error}")
    if isinstance(error, PoolTimeout):
        why = f": {refusal}" if refusal else ""
        return Unavailable("postgres", f"no connection within {POOL_WAIT_SECONDS:g} s{why}")
    return Unavailable("postgres", str(error).splitlines()[0] if str(error) else type(error).__name__)
