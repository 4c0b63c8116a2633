"""The schema's steps, in files of SQL: each applied once, in order, under a lock that all processes share."""

import asyncio
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import psycopg
import structlog

from somafractalmemory.adapters.postgres_login import LoginConnection
from somafractalmemory.errors import ConfigurationError, Unavailable

log = structlog.get_logger(__name__)

_LOCK = "select pg_advisory_xact_lock(hashtextextended('somamemory.migrations', 0))"
_TABLE = """
create table if not exists schema_migrations (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step; a step that was released never changes."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


@cache
def migrations() -> tuple[Migration, ...]:
    """Every step, oldest first."""
    folder = files("somafractalmemory.adapters") / "sql"
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return tuple(Migration(file.name.removesuffix(".sql"), file.read_text()) for file in found)


async def migrate(arguments: Mapping[str, Any], *, wait_seconds: float = 60.0) -> list[str]:
    """Apply what is missing and return its names; waits for a server that is not up yet.

    Raises:
        Unavailable: the server did not answer within `wait_seconds`.
        ConfigurationError: an applied step differs from ours, so this program does not belong to this database.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            login: LoginConnection[Any] = await LoginConnection.connect(**arguments)
            async with login as connection:
                return [] if await _is_current(connection) else await _apply(connection)
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise Unavailable("postgres", f"no migration within {wait_seconds:g} s: {error}") from error
            log.info("waiting_for_postgres", error=str(error).splitlines()[0])
            await asyncio.sleep(1.0)


async def _is_current(connection: psycopg.AsyncConnection) -> bool:
    """Whether nothing is missing; a user who may not change the schema can ask this."""
    cursor = await connection.execute("select to_regclass('schema_migrations') is not null")
    if not (found := await cursor.fetchone()) or not found[0]:
        return False
    cursor = await connection.execute("select name, checksum from schema_migrations")
    applied: dict[str, str] = dict(await cursor.fetchall())
    return all(applied.get(each.name) == each.checksum for each in migrations())


async def _apply(connection: psycopg.AsyncConnection) -> list[str]:
    async with connection.transaction():
        await connection.execute("set local statement_timeout = 0")
        await connection.execute("set local lock_timeout = 0")
        await connection.execute(_LOCK)
        await connection.execute(_TABLE)
        cursor = await connection.execute("select name, checksum from schema_migrations")
        applied: dict[str, str] = dict(await cursor.fetchall())
        return [each.name for each in migrations() if await _apply_one(connection, each, applied.get(each.name))]


async def _apply_one(connection: psycopg.AsyncConnection, migration: Migration, applied: str | None) -> bool:
    if applied == migration.checksum:
        return False
    if applied is not None:
        raise ConfigurationError(
            f"The migration {migration.name} in this database is not the one of this release. "
            "Use the release that made the database, or restore a backup into a new one."
        )
    await connection.execute(migration.sql.encode())
    values = (migration.name, migration.checksum)
    await connection.execute("insert into schema_migrations (name, checksum) values (%s, %s)", values)
    log.info("migrated", name=migration.name)
    return True
