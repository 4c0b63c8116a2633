"""A pooler between us and Postgres: what keeps tenants apart lives in sessions, so what shares them is refused."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from somafractalmemory.adapters.migrations import migrate
from somafractalmemory.adapters.postgres import connection_arguments, open_records
from somafractalmemory.errors import Unavailable
from somafractalmemory.settings import load_settings, postgres_conninfo
from tests.integration.api.programs import own_database
from tests.services.fixtures import skip_without
from tests.services.pgbouncer import PgBouncerServer
from tests.services.postgres import PostgresServer

IGNORED = {"ignore_startup_parameters": "options"}


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[str]:
    skip_without("pgbouncer")
    with own_database(postgres_server.url) as url:
        yield url


@contextmanager
def bouncer(target: str, **settings: str) -> Iterator[str]:
    with PgBouncerServer(target=target, settings=settings) as server:
        yield server.url


@pytest.mark.parametrize("mode", ["transaction", "session"])
async def test_a_pooler_that_drops_our_settings_is_refused(database: str, mode: str) -> None:
    """It would run statements of one tenant in the session of another."""
    await migrate(connection_arguments({"conninfo": database}))
    with bouncer(database, pool_mode=mode, **IGNORED) as url:
        async with open_records(postgres_conninfo(load_settings({"POSTGRES_URL": url})), pool_size=2) as records:
            for _ in range(2):
                with pytest.raises(Unavailable, match="pooler"):
                    await records.ping()
                with pytest.raises(Unavailable, match="pooler"):
                    await records.count("mine")


async def test_a_pooler_that_refuses_our_settings_is_named(database: str) -> None:
    """PgBouncer's default: the reason is in the error, not only in the log of the driver."""
    await migrate(connection_arguments({"conninfo": database}))
    with bouncer(database, pool_mode="transaction") as url:
        async with open_records(postgres_conninfo(load_settings({"POSTGRES_URL": url})), pool_size=2) as records:
            with pytest.raises(Unavailable, match="unsupported startup parameter"):
                await records.ping()


async def test_the_reason_of_a_refused_connection_is_told_without_a_password(database: str) -> None:
    wrong = database.replace("for-tests-only", "not-the-password")
    async with open_records(postgres_conninfo(load_settings({"POSTGRES_URL": wrong})), pool_size=2) as records:
        with pytest.raises(Unavailable, match="password authentication failed") as caught:
            await records.ping()

    assert "not-the-password" not in str(caught.value)


async def test_postgres_itself_is_taken(database: str) -> None:
    await migrate(connection_arguments({"conninfo": database}))
    async with open_records(postgres_conninfo(load_settings({"POSTGRES_URL": database})), pool_size=2) as records:
        await records.ping()
        assert await records.count("mine") is not None
