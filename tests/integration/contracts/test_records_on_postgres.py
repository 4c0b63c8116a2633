"""Postgres keeps the same contract, with several processes on it, and across its own failures."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from somafractalmemory.adapters.migrations import migrate
from somafractalmemory.adapters.postgres import PostgresRecords, connection_arguments, open_records
from somafractalmemory.errors import SomaError, Unavailable
from tests.contracts.audits import AuditsContract
from tests.contracts.care import CareContract
from tests.contracts.erasures import ErasuresContract
from tests.contracts.keys import KeysContract
from tests.contracts.links import LinksContract
from tests.contracts.lookups import LookupsContract
from tests.contracts.recollections import RecollectionsContract
from tests.contracts.records import RecordsContract, Truth, a_memory, kinds, living, waiting
from tests.contracts.states import StatesContract
from tests.contracts.transfers import TransfersContract
from tests.contracts.versions import VersionsContract
from tests.integration.api.programs import own_database


@pytest.fixture(scope="module")
def database(postgres_url: str) -> Iterator[str]:
    """A migrated database for this module."""
    with own_database(postgres_url) as url:
        asyncio.run(migrate(connection_arguments({"conninfo": url})))
        yield url


@pytest.fixture
async def records(database: str) -> AsyncIterator[PostgresRecords]:
    """Empty tables."""
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute("truncate memories, links, memory_versions, outbox, memory_events, long_tasks, erased")
        await connection.execute("truncate importance_windows, chores, audit, import_marks, request_keys")
    async with open_records({"conninfo": database}, pool_size=5) as opened:
        yield opened


@pytest.fixture
async def others(database: str) -> AsyncIterator[PostgresRecords]:
    """The same truth, as another process opens it."""
    async with open_records({"conninfo": database}, pool_size=5) as opened:
        yield opened


async def execute(database: str, statement: str) -> list[tuple[object, ...]]:
    """Ask on a connection of the test's own."""
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        cursor = await connection.execute(statement.encode())
        return await cursor.fetchall() if cursor.description else []


class TestPostgresRecords(RecordsContract):
    """PostgresRecords."""

    @pytest.fixture(autouse=True)
    def _database(self, database: str) -> None:
        self.database = database

    async def logged(self, _records: Truth) -> int:
        ((count,),) = await execute(self.database, "select count(*) from memory_events")
        assert isinstance(count, int)
        return count


class TestPostgresLinks(LinksContract):
    """PostgresLinks."""


class TestPostgresLookups(LookupsContract):
    """PostgresLookups."""


class TestPostgresErasures(ErasuresContract):
    """PostgresRecords, erasing."""


class TestPostgresStates(StatesContract):
    """PostgresRecords, entry by entry."""


class TestPostgresCare(CareContract):
    """PostgresCare."""


class TestPostgresAudits(AuditsContract):
    """PostgresAudits."""


class TestPostgresKeys(KeysContract):
    """PostgresKeys."""


class TestPostgresTransfers(TransfersContract):
    """PostgresTransfers."""


class TestPostgresRecollections(RecollectionsContract):
    """PostgresRecollections."""


class TestPostgresVersions(VersionsContract):
    """PostgresRecords with its history."""


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        (r"search_text ~* '\mneedle\M'", "memories_letters"),
        (r"search_text ~ '\mneedle\M\W+\mhaystack\M'", "memories_letters"),
        ("search_text ilike '%eedl%'", "memories_letters"),
        (
            "cardinality(coordinate) = 2 and coordinate >= '{5,5}' and coordinate <= '{6,6}' order by coordinate",
            "memories_by_place",
        ),
        (
            "(cardinality(coordinate), coordinate) > (2, '{5,5}') order by cardinality(coordinate), coordinate limit 9",
            "memories_by_place",
        ),
        (
            "cardinality(coordinate) = 2 and coordinate < '{5,5}' order by coordinate desc limit 9",
            "memories_by_place",
        ),
    ],
)
async def test_lookups_are_answered_from_an_index(
    database: str, records: PostgresRecords, condition: str, index: str
) -> None:
    memories = [a_memory(float(n), float(n), payload={"fact": f"hay number {n} of a stack " * 30}) for n in range(3000)]
    await records.save([*memories, a_memory(-1.0, -1.0, payload={"fact": "a needle"})])
    await execute(database, "vacuum analyze memories")

    query = "explain select id from memories where not deleted and namespace = 'here' and "
    plan = await execute(database, query + condition)

    assert any(index in str(line) for line in plan), plan


async def test_the_outbox_follows_the_versions_whoever_writes(
    records: PostgresRecords, others: PostgresRecords
) -> None:
    memories = [a_memory(float(n)) for n in range(8)]

    async def write(truth: PostgresRecords, rounds: int) -> None:
        for turn in range(rounds):
            batch = memories if turn % 3 else memories[::-1]
            await truth.save(batch[turn % 4 :])
            if turn % 5 == 4:
                await truth.delete([memories[turn % 8].id])

    await asyncio.gather(*(write(truth, 15) for truth in (records, others) for _ in range(3)))

    events = await waiting(records)
    for memory in memories:
        versions = [version for _, version in kinds(events, memory)]
        assert versions == list(range(1, len(versions) + 1))
        assert (await living(records, memory)).version == len(versions)


async def test_only_one_process_leads_until_its_connection_dies(
    database: str, records: PostgresRecords, others: PostgresRecords
) -> None:
    assert await records.lead()
    assert await records.lead()
    assert not await others.lead()
    with pytest.raises(Unavailable):
        await others.pending(1)

    ended = await execute(
        database,
        "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' "
        "and database = (select oid from pg_database where datname = current_database())",
    )
    assert ended == [(True,)]
    async with asyncio.timeout(10):
        while not await others.lead():  # noqa: ASYNC110  # the server ends the connection a moment later
            await asyncio.sleep(0.01)
    with pytest.raises(SomaError):
        await records.pending(1)
    assert not await records.lead()
    assert await others.pending(1) == []


async def test_who_stands_by_keeps_one_connection(
    database: str, records: PostgresRecords, others: PostgresRecords
) -> None:
    async def backends() -> set[tuple[object, ...]]:
        asked = "select pid from pg_stat_activity where datname = current_database() and query like '%advisory_lock(%'"
        return set(await execute(database, f"{asked} and pid <> pg_backend_pid()"))

    assert await records.lead()
    assert not await others.lead()
    before = await backends()

    for _ in range(5):
        assert not await others.lead()

    assert len(before) == 2
    assert await backends() == before


async def test_while_the_truth_is_away_one_caller_waits_and_the_others_are_told(database: str) -> None:
    async with open_records({"conninfo": "postgresql://soma@127.0.0.1:9/x"}, pool_size=2) as nobody:
        with pytest.raises(Unavailable, match="no connection within"):
            await nobody.save([a_memory()])

        outcomes = await asyncio.gather(*(nobody.save([a_memory()]) for _ in range(20)), return_exceptions=True)

    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    assert sum("no connection within" in str(outcome) for outcome in outcomes) == 1


async def test_a_slow_statement_holds_nobody_else_and_ends_in_time(database: str) -> None:
    """As many connections as the setting says, each with a limit for its statements. (core defect 29)"""
    async with open_records({"conninfo": database}, pool_size=3) as records:
        slow = [asyncio.create_task(records._run("select pg_backend_pid(), pg_sleep(1)", {})) for _ in range(2)]
        await asyncio.sleep(0.3)
        await records.count("anywhere")
        assert not any(task.done() for task in slow)
        backends = {pid for ((pid, _),) in await asyncio.gather(*slow)}
        many = await asyncio.gather(*(records._run("select pg_backend_pid(), pg_sleep(0.1)", {}) for _ in range(9)))
        ((limit,),) = await records._run("select setting::int from pg_settings where name = 'statement_timeout'", {})

    assert len(backends) == 2
    assert len({pid for ((pid, _),) in many}) == 3
    assert 0 < limit <= 60_000


async def test_a_closed_process_gives_the_lead_back(database: str, records: PostgresRecords) -> None:
    async with open_records({"conninfo": database}, pool_size=2) as leaver:
        assert await leaver.lead()
        assert not await records.lead()

    assert await records.lead()


async def test_a_truth_without_its_schema_says_what_to_run(postgres_url: str) -> None:
    with own_database(postgres_url) as empty:
        async with open_records({"conninfo": empty}, pool_size=2) as fresh:
            with pytest.raises(Unavailable, match="soma migrate"):
                await fresh.ping()
            with pytest.raises(Unavailable, match="soma migrate"):
                await fresh.save([a_memory()])


async def test_a_truth_that_is_away_is_unavailable(records: PostgresRecords) -> None:
    async with open_records({"conninfo": "postgresql://soma@127.0.0.1:9/x"}, pool_size=2) as nobody:
        with pytest.raises(Unavailable):
            await nobody.save([a_memory()])
        with pytest.raises(Unavailable):
            await nobody.lead()


async def test_a_wrong_password_is_never_repeated(database: str) -> None:
    arguments = {"conninfo": database.replace("for-tests-only", "hunter2"), "password": "hunter2"}
    async with open_records(arguments, pool_size=2) as wrong:
        with pytest.raises(Unavailable) as raised:
            await wrong.lead()

    assert "hunter2" not in str(raised.value)
