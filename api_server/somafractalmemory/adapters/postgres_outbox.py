"""The outbox, over a connection of its own: whoever holds its lock publishes, the others stand by."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import psycopg

from somafractalmemory.adapters import statements
from somafractalmemory.adapters.postgres_login import LoginConnection
from somafractalmemory.adapters.postgres_rows import Row
from somafractalmemory.adapters.postgres_scope import rows_in
from somafractalmemory.errors import SomaError, Unavailable
from somafractalmemory.model.events import MemoryEvent

_TIDY_EVERY = 1000
_DEADLINE_SECONDS = 9.0  # for a connection and a statement on it


class PostgresOutbox:
    """The leader's part of the port Outbox."""

    def __init__(self, arguments: Mapping[str, Any], translated: Callable[[Exception], SomaError]) -> None:
        self._arguments = arguments
        self._translated = translated
        self._connection: psycopg.AsyncConnection[Row] | None = None
        self._leads = False
        self._untidy = 0

    async def lead(self) -> bool:
        """Hold an advisory lock: losing the connection is losing the lead, and `pending` notices that.

        Who stands by keeps the connection and asks for the lock again on it.
        """
        if not self._leads:
            if self._connection is None:
                await self._connect()
            ((self._leads,),) = await self._run(statements.LEAD, {})
        return self._leads

    async def pending(self, limit: int) -> Sequence[tuple[int, MemoryEvent]]:
        """The oldest events with their numbers."""
        rows = await self._as_leader(statements.PENDING, {"limit": limit})
        return [
            (
                number,
                MemoryEvent(event, memory, namespace, kind, moment, payload, version, place and tuple(place), *rest),
            )
            for number, event, memory, namespace, kind, moment, payload, version, place, *rest in rows
        ]

    async def done(self, numbers: Sequence[int]) -> None:
        """Forget published events; after many of them, do for the writers what would hold one of them up."""
        await self._as_leader(statements.DONE, {"numbers": list(numbers)})
        self._untidy += len(numbers)
        if self._untidy >= _TIDY_EVERY:
            self._untidy = 0
            await self._as_leader(statements.TIDY, {})

    async def close(self) -> None:
        """Give back the lead: whoever asks for it from now on gets it."""
        if self._leads:
            with suppress(SomaError):
                await self._run(statements.STOP_LEADING, {})
        await self._drop()

    async def _drop(self) -> None:
        connection, self._connection, self._leads = self._connection, None, False
        if connection is not None:
            await connection.close()

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                self._connection = await LoginConnection.connect(**self._arguments)
        except (psycopg.Error, TimeoutError) as error:
            raise self._translated(error) from error

    async def _as_leader(self, statement: str, parameters: Mapping[str, Any]) -> list[Row]:
        if not self._leads:
            raise Unavailable("postgres", "another process publishes")
        return await self._run(statement, parameters)

    async def _run(self, statement: str, parameters: Mapping[str, Any]) -> list[Row]:
        connection = self._connection
        if connection is None:  # closed meanwhile, for instance because the program ends
            raise Unavailable("postgres", "the connection that leads is gone")
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                cursor = await connection.execute(statement.encode(), parameters)
                return await rows_in(cursor)
        except (psycopg.Error, TimeoutError) as error:
            await self._drop()
            raise self._translated(error) from error
