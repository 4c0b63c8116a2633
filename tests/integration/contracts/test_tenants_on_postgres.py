"""Row-level security: what a request may not see is not there, whatever its statement says."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from somafractalmemory.adapters.migrations import migrate
from somafractalmemory.adapters.postgres import PostgresRecords, connection_arguments, open_records
from somafractalmemory.adapters.postgres_scope import Protection, rows_within
from somafractalmemory.errors import Unavailable
from somafractalmemory.model import MemoryType, NewMemory, new_memory
from somafractalmemory.model.graph import Link
from somafractalmemory.model.wording import Mode, Term
from somafractalmemory.ports import Box, Search
from somafractalmemory.security import tenancy
from tests.integration.api.programs import own_database

GUARDED = (
    "memories",
    "links",
    "memory_versions",
    "outbox",
    "memory_events",
    "audit",
    "importance_windows",
    "request_keys",
)


def a_memory(namespace: str, place: float, fact: str = "a fact") -> NewMemory:
    """One to be stored."""
    return new_memory(
        namespace=namespace, coordinate=(place,), payload={"fact": fact}, memory_type=MemoryType.SEMANTIC, now=1.0
    )


@contextmanager
def poor_database(url: str) -> Iterator[str]:
    """A database whose owner is no superuser and may make no roles."""
    name = f"poor_{uuid4().hex[:12]}"
    with own_database(url) as database:
        with psycopg.connect(database, autocommit=True) as connection:
            owner, there = sql.Identifier(name), sql.Identifier(urlsplit(database).path[1:])
            connection.execute(sql.SQL("create role {} login password 'for-tests-only'").format(owner))
            connection.execute(sql.SQL("alter database {} owner to {}").format(there, owner))
            connection.execute(sql.SQL("alter schema public owner to {}").format(owner))
        parts = urlsplit(database)
        netloc = f"{name}:for-tests-only@{parts.netloc.rpartition('@')[2]}"
        yield urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(sql.SQL("drop owned by {} cascade").format(owner))
            connection.execute(sql.SQL("alter database {} owner to current_user").format(there))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop role {}").format(owner))


@pytest.fixture(scope="module", params=list(Protection))
def database(postgres_url: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated database, protected in either way."""
    made = own_database if request.param is Protection.ROLE else poor_database
    with own_database(postgres_url) as other:  # by which the role is there, and not the poor owner's
        asyncio.run(migrate(connection_arguments({"conninfo": other})))
        with made(postgres_url) as url:
            asyncio.run(migrate(connection_arguments({"conninfo": url})))
            yield url


@pytest.fixture
async def records(database: str) -> AsyncIterator[PostgresRecords]:
    """Two tenants' memories, versions, links, events and deeds."""
    async with open_records({"conninfo": database}, pool_size=3) as opened:
        for namespace in ("a", "b"):
            one, other = a_memory(namespace, 1.0), a_memory(namespace, 2.0)
            await opened.save([one, other])
            await opened.save([a_memory(namespace, 1.0, f"a fact of {namespace}")])
            await opened.links.link(Link(one.id, other.id, "related", 1.0), "{}")
            await opened.delete([a_memory(namespace, 3.0).id])
        yield opened


async def everything(records: PostgresRecords, table: str) -> list[tuple[object, ...]]:
    """A statement that forgot its condition."""
    return await records._run(f"select * from {table}", {})  # noqa: S608  # one of ours


async def test_the_database_is_protected_as_meant(database: str, records: PostgresRecords) -> None:
    async with records._pool.connection() as connection:
        await rows_within(connection, "select", {}, "a")

        assert connection.protection is (Protection.FORCED if "poor_" in database else Protection.ROLE)


@pytest.mark.parametrize("table", GUARDED)
async def test_a_request_without_a_namespace_sees_nothing(records: PostgresRecords, table: str) -> None:
    with tenancy.confined():
        assert await everything(records, table) == []


@pytest.mark.parametrize("table", ["memories", "links", "memory_versions", "outbox"])
async def test_a_forgotten_condition_leaks_nothing(records: PostgresRecords, table: str) -> None:
    whole = await everything(records, table)
    with tenancy.confined("a"):
        own = await everything(records, table)
    with tenancy.confined("a", "b"):
        both = await everything(records, table)

    assert 0 < len(own) < len(whole)
    assert len(both) == len(whole)


async def test_connections_that_change_hands_carry_nothing_over(records: PostgresRecords) -> None:
    """Many tenants at once on few connections, with failures in between."""

    async def look(namespace: str) -> None:
        with tenancy.confined(namespace):
            rows = await records._run("select distinct namespace from memories", {})
            assert rows == [(namespace,)]
            with pytest.raises(Unavailable):
                await records._run("select * from no_such_table", {})
            assert set(await records.get([a_memory(name, 1.0).id for name in ("a", "b")])) == {
                a_memory(namespace, 1.0).id
            }

    async with asyncio.TaskGroup() as group:
        for turn in range(60):
            group.create_task(look("ab"[turn % 2]))

    assert len(await records._run("select distinct namespace from memories", {})) == 2


async def test_what_belongs_to_others_can_be_neither_written_nor_deleted(records: PostgresRecords) -> None:
    theirs = a_memory("b", 1.0)
    before = (await records.get([theirs.id]))[theirs.id]

    with tenancy.confined("a"):
        with pytest.raises(Unavailable, match="row-level security"):
            await records.save([a_memory("b", 1.0, "mine now")])
        with pytest.raises(Unavailable, match="row-level security"):
            await records.save([a_memory("b", 99.0, "new there")])
        assert await records.delete([theirs.id]) == []
        assert await records.replace(a_memory("b", 1.0, "mine now"), expected=before.version) is None
        assert await records.links.link(Link(theirs.id, a_memory("b", 2.0).id, "x", 1.0), "{}") != []
        assert await records.lookups.versions(theirs.id) == []
        assert await records.links.edges([theirs.id], None, 10) == []

    assert (await records.get([theirs.id]))[theirs.id] == before


async def test_a_batch_of_several_tenants_is_saved_in_one_statement(records: PostgresRecords) -> None:
    saved = await records.save([a_memory("a", 50.0), a_memory("b", 50.0), a_memory("c:1", 50.0)])

    assert [each.created for each in saved] == [True] * 3 or all(not each.created for each in saved)
    with tenancy.confined("c:1"):
        assert set(await records.get([each.id for each in saved])) == {a_memory("c:1", 50.0).id}


async def test_what_is_looked_up_by_other_indexes_is_checked_as_well(records: PostgresRecords) -> None:
    """A caller's namespace, asked for with another one's condition."""
    with tenancy.confined("a"):
        term = Term("fact", Mode.SUBSTRING, case_sensitive=False)
        search = Search("b", None, {}, 10)
        assert await records.lookups.find_term(term, namespace="b", memory_type=None, limit=10) == []
        assert await records.find_text("fact", search) == []
        assert await records.lookups.page(namespace="b", memory_type=None, after=None, limit=10) == []
        assert await records.lookups.within(Box("b", (0.0,), (9.0,)), after=None, limit=10) == []
        assert await records.links.page(namespace="b", link_type=None, after=None, limit=10) == []
        assert await records.lookups.page(namespace="a", memory_type=None, after=None, limit=10) != []
    assert await records.find_text("fact", search) != []


async def test_the_owner_still_sees_everything(records: PostgresRecords) -> None:
    namespaces = {memory.namespace for memory in await records.scan(None, 100)}

    assert {"a", "b"} <= namespaces
    assert await records.lead()
    assert {"a", "b"} <= {event.namespace for _, event in await records.pending(100)}


async def test_a_role_that_was_dropped_ends_the_service_not_the_isolation(postgres_url: str) -> None:
    """As after a restore into another server, whose roles are its own."""
    with own_database(postgres_url) as url:
        await migrate(connection_arguments({"conninfo": url}))
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("drop owned by somamemory_request")  # its rights here
        async with open_records({"conninfo": url}, pool_size=2) as opened:
            with tenancy.confined("a"), pytest.raises(Unavailable, match="soma migrate"):
                await opened.get([uuid4()])


async def test_every_table_that_knows_namespaces_is_guarded(database: str) -> None:
    async with await psycopg.AsyncConnection.connect(database) as connection:
        cursor = await connection.execute(
            "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'namespace' "
            "where c.relkind = 'r' and not c.relrowsecurity and c.relnamespace = current_schema()::regnamespace"
        )
        assert await cursor.fetchall() == [], "end the step that makes it with `select guard_namespaces()`"
