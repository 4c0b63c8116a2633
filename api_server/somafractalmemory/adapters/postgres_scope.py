"""Statements under row-level security: each sees the namespaces it was given and nothing else.

A connection remembers what it was last told to see, so that only a change costs anything; the change travels with the
statement, in one round trip and one transaction. Two ways protect the tables, chosen by migration 0008:

- A role of its own for requests (`somamemory_request`), beside the owner, who sees everything.
- Where the owner may not make roles: row-level security that binds the owner, too, who then says `*` to see everything.
"""

import asyncio
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

import orjson
import psycopg

from somafractalmemory.adapters.postgres_login import LoginConnection
from somafractalmemory.adapters.postgres_rows import Row
from somafractalmemory.errors import Unavailable

STATEMENT_MILLISECONDS = 6000
EVERYWHERE = "*"
REQUEST_ROLE = "somamemory_request"

_ENTER = "select set_config('role', %(role)s, false), set_config('soma.namespaces', %(namespaces)s, false)"
_TRACE = "select set_config('soma.traces', %(traces)s, true)"
_NONE: Mapping[str, str] = {}
_PROTECTION = """
select case
    when exists (
        select from pg_roles where rolname = %(role)s and pg_has_role(session_user, oid, 'member')
            and has_table_privilege(oid, memories.oid, 'select')
    ) then 'role'
    when relforcerowsecurity and not (select rolsuper or rolbypassrls from pg_roles where rolname = session_user)
    then 'forced'
end
from pg_class memories where oid = to_regclass('memories') and relrowsecurity
"""


class Protection(StrEnum):
    """What keeps a statement to its namespaces."""

    ROLE = "role"
    FORCED = "forced"


class Connection(LoginConnection[Row]):
    """Knows when it was last seen alive, so that a busy one need not be asked before each statement; and its scope.

    `is_own` says that it is known that nobody else's statements run in its session.
    """

    used_at = float("-inf")
    is_own = False
    protection: Protection | None = None
    scope: str | None = None


def scope_of(namespaces: Collection[str] | None) -> str:
    """The scope of these namespaces, in which no comma can be; None for everything."""
    return EVERYWHERE if namespaces is None else ",".join(sorted(set(namespaces)))


async def rows_in(cursor: psycopg.AsyncCursor[Row]) -> list[Row]:
    """What a statement answered; asking for the cursor's `description` would describe every column first."""
    result = cursor.pgresult
    return await cursor.fetchall() if result is not None and result.nfields else []


async def rows_of(connection: psycopg.AsyncConnection, statement: str, parameters: Mapping[str, Any]) -> list[Row]:
    """Run a statement as the connection is."""
    async with asyncio.timeout(STATEMENT_MILLISECONDS / 1000 + 1):
        cursor = await connection.execute(statement.encode(), parameters)
        return await rows_in(cursor)


async def rows_within(
    connection: Connection, statement: str, parameters: Mapping[str, Any], scope: str, traces: Mapping[str, str] = _NONE
) -> list[Row]:
    """Run a statement that sees `scope` only, and whose events belong to `traces`.

    Raises Unavailable while nothing would keep it there.
    """
    elsewhere = await _must_enter(connection, scope)
    if not elsewhere and not traces:
        return await rows_of(connection, statement, parameters)
    change = _change(connection, scope)
    connection.scope = None
    async with asyncio.timeout(STATEMENT_MILLISECONDS / 1000 + 1):
        async with connection.pipeline():
            if elsewhere:
                await connection.execute(_ENTER, change)
            if traces:
                await connection.execute(_TRACE, {"traces": orjson.dumps(dict(traces)).decode()})
            cursor = await connection.execute(statement.encode(), parameters)
        rows = await rows_in(cursor)
    connection.scope = scope
    return rows


async def enter(connection: Connection, scope: str) -> None:
    """Let what follows see `scope` only. Raises Unavailable while nothing would keep it there."""
    if await _must_enter(connection, scope):
        change = _change(connection, scope)
        connection.scope = None
        await rows_of(connection, _ENTER, change)
        connection.scope = scope


async def _must_enter(connection: Connection, scope: str) -> bool:
    """Whether the connection is elsewhere. Raises Unavailable."""
    if not connection.is_own:
        await _ask_whose(connection)
    if connection.protection is None:
        rows = await rows_of(connection, _PROTECTION, {"role": REQUEST_ROLE})
        connection.protection = Protection(rows[0][0]) if rows and rows[0][0] else None
    if connection.protection is None and scope != EVERYWHERE:
        raise Unavailable("postgres", "its schema is not there yet, or keeps no namespaces apart: run `soma migrate`")
    return connection.protection is not None and connection.scope != scope


async def _ask_whose(connection: Connection) -> None:
    """Whether the session is ours alone: a pooler that shares sessions drops the settings that ours begin with.

    What a statement may see is kept in its session. In a shared one it would be what somebody else may see. Raises
    Unavailable.
    """
    rows = await rows_of(connection, "select current_setting('soma.namespaces', true)", {})
    if not rows or rows[0][0] != EVERYWHERE:
        raise Unavailable(
            "postgres",
            "a pooler in between drops the settings of our sessions, without which tenants are not kept apart: "
            "point POSTGRES_URL at Postgres itself, the service has a pool of its own",
        )
    connection.is_own = True


def _change(connection: Connection, scope: str) -> dict[str, str]:
    confined = connection.protection is Protection.ROLE and scope != EVERYWHERE
    return {"role": REQUEST_ROLE if confined else "none", "namespaces": scope}
