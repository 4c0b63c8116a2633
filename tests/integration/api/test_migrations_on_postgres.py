"""Schema steps: once each, by whoever comes first, and never over a database of another release."""

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from somafractalmemory.adapters.migrations import migrate, migrations
from somafractalmemory.adapters.postgres import connection_arguments
from somafractalmemory.errors import ConfigurationError, Unavailable
from tests.integration.api.programs import own_database, run_once

NAMES = [migration.name for migration in migrations()]


@pytest.fixture
def database(postgres_url: str) -> Iterator[str]:
    """An empty one."""
    with own_database(postgres_url) as url:
        yield url


def alter_checksum(database: str) -> None:
    """As if another release had made the schema."""
    with psycopg.connect(database) as connection:
        connection.execute("update schema_migrations set checksum = 'of another release'")


async def test_many_at_once_apply_each_step_once(database: str) -> None:
    """(X-09)"""
    arguments = connection_arguments({"conninfo": database})

    applied = await asyncio.gather(*(migrate(arguments) for _ in range(6)))

    assert sorted(applied, key=len) == [[]] * 5 + [NAMES]
    with psycopg.connect(database) as connection:
        recorded = connection.execute("select name from schema_migrations order by name").fetchall()
    assert recorded == [(name,) for name in NAMES]


async def test_a_database_of_another_release_is_refused_and_left_alone(database: str) -> None:
    arguments = connection_arguments({"conninfo": database})
    await migrate(arguments)
    alter_checksum(database)

    with pytest.raises(ConfigurationError, match="Use the release that made the database"):
        await migrate(arguments)


def test_the_command_refuses_it_with_exit_code_2(database: str) -> None:
    assert run_once({"POSTGRES_URL": database}, "migrate").returncode == 0
    alter_checksum(database)

    done = run_once({"POSTGRES_URL": database}, "migrate")

    assert done.returncode == 2
    assert "Use the release that made the database" in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_server_that_never_comes_is_given_up() -> None:
    arguments = connection_arguments({"conninfo": "postgresql://soma@127.0.0.1:9/x"})

    with pytest.raises(Unavailable, match="no migration within 0 s"):
        await migrate(arguments, wait_seconds=0)


def test_a_server_that_never_comes_ends_the_command_with_exit_code_5() -> None:
    given = {"POSTGRES_URL": "postgresql://soma:hunter2@127.0.0.1:9/x"}

    done = run_once(given, "migrate", "--wait", "0.1")

    assert done.returncode == 5
    assert "postgres is unavailable" in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr
