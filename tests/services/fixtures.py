"""pytest fixtures: the URL of each store, from the environment, else from a private instance started on first use."""

import os
from collections.abc import Iterator
from typing import TypeVar

import pytest

from .kafka import KafkaServer
from .postgres import PostgresServer
from .programs import missing_programs
from .qdrant import QdrantEdgeServer
from .redis import RedisServer
from .server import LocalServer

_Server = TypeVar("_Server", bound=LocalServer)


def skip_without(*programs: str) -> None:
    """Skip the test where a program is missing; fail instead if REQUIRE_SERVICES=1."""
    missing = {name: package for name, package in missing_programs().items() if name in programs}
    if not missing:
        return
    message = f"{', '.join(missing)} is missing: apt-get install {' '.join(missing.values())}"
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(message)
    pytest.skip(message)


def running(server: type[_Server], *programs: str) -> Iterator[_Server]:
    """A started server, removed at the end."""
    skip_without(*programs)
    with server() as started:
        yield started


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The private Postgres of this session."""
    yield from running(PostgresServer, "postgres")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The private Redis of this session."""
    yield from running(RedisServer, "redis-server")


@pytest.fixture(scope="session")
def qdrant_server() -> Iterator[QdrantEdgeServer]:
    """The private qdrant-edge of this session."""
    yield from running(QdrantEdgeServer)


@pytest.fixture(scope="session")
def kafka_server() -> Iterator[KafkaServer]:
    """The private Kafka of this session."""
    yield from running(KafkaServer, "java", "mvn")


@pytest.fixture(scope="session")
def kafka_bootstrap(request: pytest.FixtureRequest) -> str:
    """The address of a Kafka broker."""
    return os.environ.get("TEST_KAFKA_BOOTSTRAP") or str(request.getfixturevalue("kafka_server").bootstrap)


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> str:
    """A Postgres whose user may create databases and schemas."""
    given = os.environ.get("TEST_POSTGRES_URL")
    return given or str(request.getfixturevalue("postgres_server").url)


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest) -> str:
    """A Redis."""
    return os.environ.get("TEST_REDIS_URL") or str(request.getfixturevalue("redis_server").url)


@pytest.fixture(scope="session")
def qdrant_url(request: pytest.FixtureRequest) -> str:
    """A Qdrant, or qdrant-edge."""
    return os.environ.get("TEST_QDRANT_URL") or str(request.getfixturevalue("qdrant_server").url)


@pytest.fixture(scope="session")
def qdrant_api_key() -> str:
    """The key that goes with `qdrant_url`."""
    return os.environ.get("TEST_QDRANT_API_KEY", "" if "TEST_QDRANT_URL" in os.environ else QdrantEdgeServer.api_key)
