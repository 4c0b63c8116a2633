"""Passwords of the stores are replaced under load: nobody is refused, and the old one ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from somafractalmemory.adapters.postgres import connection_arguments, open_records
from somafractalmemory.adapters.postgres_login import LoginConnection
from somafractalmemory.adapters.qdrant import open_vectors
from somafractalmemory.adapters.redis import open_limiter
from somafractalmemory.adapters.redis_locks import open_locks
from somafractalmemory.errors import Unavailable
from somafractalmemory.settings import load_settings, postgres_conninfo
from somafractalmemory.settings.passwords import Password
from tests.integration.api.programs import own_database, run_once
from tests.services.fixtures import running
from tests.services.postgres import PostgresServer
from tests.services.qdrant import QdrantEdgeServer
from tests.services.redis import RedisServer

OLD, NEW = "the-old-password", "the-new-password"


class Files:
    """The mounted files of one password."""

    def __init__(self, folder: Path, name: str) -> None:
        self.newest, self.previous = folder / name, folder / f"{name}_PREVIOUS"
        self.write(OLD, OLD)

    def write(self, newest: str, previous: str) -> None:
        self.previous.write_text(previous)
        self.newest.write_text(newest)

    def password(self, store: str) -> Password:
        return Password(store, self.newest.read_text(), self.newest)


@asynccontextmanager
async def under_load(request: Callable[[], Awaitable[object]]) -> AsyncIterator[list[Exception]]:
    """Eight callers that go on asking; what went wrong."""
    errors: list[Exception] = []
    stop = asyncio.Event()

    async def call() -> None:
        while not stop.is_set():
            try:
                await request()
            except Exception as error:
                errors.append(error)
            await asyncio.sleep(0.005)

    callers = [asyncio.create_task(call()) for _ in range(8)]
    try:
        yield errors
    finally:
        stop.set()
        await asyncio.gather(*callers)


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[tuple[str, str]]:
    """A database, and the address at which a user of its own, who owns it, reaches it."""
    with own_database(postgres_server.url) as url, psycopg.connect(url, autocommit=True) as connection:
        user, name = f"u{uuid4().hex[:8]}", url.rpartition("/")[2]
        role = sql.Identifier(user)
        connection.execute(sql.SQL("create role {} login createrole password {}").format(role, sql.Literal(OLD)))
        connection.execute(sql.SQL("alter database {} owner to {}").format(sql.Identifier(name), role))
        connection.execute(sql.SQL("grant all on schema public to {}").format(role))
        try:
            yield url, f"postgresql://{user}@127.0.0.1:{postgres_server.port}/{name}"
        finally:
            connection.execute(sql.SQL("reassign owned by {} to current_user").format(role))
            connection.execute(sql.SQL("drop owned by {}").format(role))
            connection.execute(sql.SQL("drop role {}").format(role))


def may_log_in(address: str, password: str) -> bool:
    try:
        psycopg.connect(address, password=password, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


async def test_postgres_takes_its_new_password_and_no_request_fails(database: tuple[str, str], tmp_path: Path) -> None:
    _, address = database
    files = Files(tmp_path, "POSTGRES_PASSWORD")
    environment = {"POSTGRES_URL": address, "POSTGRES_PASSWORD_FILE": str(files.newest)}
    assert (await asyncio.to_thread(run_once, environment, "migrate")).returncode == 0
    settings = load_settings(environment)
    fresh = connection_arguments(postgres_conninfo(settings))
    async with open_records(postgres_conninfo(settings), pool_size=4) as records:

        async def ask_and_connect() -> None:
            await records.ping()
            connection: LoginConnection[Any] = await LoginConnection.connect(**fresh)
            await connection.close()

        async with under_load(ask_and_connect) as errors:
            await asyncio.sleep(0.5)
            files.write(NEW, OLD)
            await asyncio.sleep(1.5)
            rotated = await asyncio.to_thread(run_once, environment, "rotate-password", "-o", "json")
            await asyncio.sleep(0.5)

    assert rotated.returncode == 0, rotated.stderr
    assert '"changed": true' in rotated.stdout
    assert errors == []
    assert may_log_in(address, NEW)
    assert not may_log_in(address, OLD)
    again = await asyncio.to_thread(run_once, environment, "rotate-password", "-o", "json")
    assert '"changed": false' in again.stdout


async def test_the_new_password_is_in_no_log_of_postgres(
    postgres_server: PostgresServer, database: tuple[str, str], tmp_path: Path
) -> None:
    owner, address = database
    files = Files(tmp_path, "POSTGRES_PASSWORD")
    fresh = f"fresh-{uuid4().hex}"
    files.write(fresh, OLD)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("alter system set log_statement = 'all'")
        connection.execute("select pg_reload_conf()")
        try:
            environment = {"POSTGRES_URL": address, "POSTGRES_PASSWORD_FILE": str(files.newest)}
            assert (await asyncio.to_thread(run_once, environment, "rotate-password")).returncode == 0
        finally:
            connection.execute("alter system reset log_statement")
            connection.execute("select pg_reload_conf()")

    logged = postgres_server.log.read_text()
    assert "alter role" in logged
    assert fresh not in logged


def test_without_a_file_or_a_valid_password_it_says_what_is_missing(database: tuple[str, str], tmp_path: Path) -> None:
    files = Files(tmp_path, "POSTGRES_PASSWORD")
    files.write("wrong", "wrong-too")
    environment = {"POSTGRES_URL": database[1]}

    nothing = run_once(environment, "rotate-password")
    refused = run_once(environment | {"POSTGRES_PASSWORD_FILE": str(files.newest)}, "rotate-password", "--wait", "0")

    assert nothing.returncode == 2
    assert "POSTGRES_PASSWORD_FILE" in nothing.stderr
    assert refused.returncode == 5
    assert "wrong" not in refused.stderr


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A Redis that nobody else uses, since its password changes."""
    yield from running(RedisServer, "redis-server")


async def test_redis_changes_over_and_limits_and_locks_go_on(redis: RedisServer, tmp_path: Path) -> None:
    files = Files(tmp_path, "REDIS_PASSWORD")
    url = f"redis://127.0.0.1:{redis.port}/0"
    async with open_locks(url=redis.url, password=None) as admin:
        await admin._client.config_set("requirepass", OLD)
    patient: Any = {"timeout_seconds": 10.0}
    async with (
        open_limiter(url=url, password=files.password("redis"), limit=10**9, window_seconds=60.0, **patient) as limiter,
        open_locks(url=url, password=files.password("redis"), **patient) as locks,
        open_locks(url=url, password=files.password("redis"), **patient) as control,
    ):

        async def ask() -> None:
            await limiter.hit(uuid4().hex)
            assert await locks.take(uuid4().hex, owner="me", ttl_seconds=1) is not None

        async with under_load(ask) as errors:
            await asyncio.sleep(0.3)
            files.write(NEW, OLD)
            await asyncio.sleep(1.2)
            await control._client.config_set("requirepass", NEW)
            for _ in range(3):
                await control._client.client_kill_filter(_type="normal", skipme=True)
                await asyncio.sleep(0.3)

        assert errors == []
    async with open_locks(url=url, password=OLD) as late:
        with pytest.raises(Unavailable, match="redis"):
            await late.ping()


@pytest.fixture
def qdrant() -> Iterator[QdrantEdgeServer]:
    """An index that nobody else uses, since its key changes."""
    yield from running(QdrantEdgeServer)


async def test_qdrant_comes_back_with_another_key_and_is_asked_with_it(
    qdrant: QdrantEdgeServer, tmp_path: Path
) -> None:
    files = Files(tmp_path, "QDRANT_API_KEY")
    files.write(qdrant.api_key, qdrant.api_key)
    async with open_vectors(
        url=qdrant.url, api_key=files.password("qdrant"), collection="any", dimensions=8, timeout_seconds=10.0
    ) as vectors:
        await vectors.is_complete()
        files.write(NEW, qdrant.api_key)
        await asyncio.sleep(1.2)
        async with under_load(vectors.ping) as errors:  # the store does not know the new key yet
            await asyncio.sleep(0.3)
        assert errors == []

        old = qdrant.api_key
        qdrant.kill9()
        qdrant.api_key = NEW
        qdrant.start()

        async with under_load(vectors.ping) as errors:
            await asyncio.sleep(0.3)
        assert errors == []
    async with open_vectors(url=qdrant.url, api_key=old, collection="other", dimensions=8) as late:
        with pytest.raises(Unavailable, match="API key"):
            await late.is_complete()
