"""`soma preflight` on real stores: what can be used, and for each step that fails its own word and a remedy."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from redis import Redis

from tests.integration.api.programs import own_database, run_once
from tests.integration.api.test_poolers import IGNORED, bouncer
from tests.integration.api.test_tls_to_stores import authority, postgres, stranger
from tests.integration.api.test_tls_to_stores import redis as redis_by_tls
from tests.services.certificates import Authority
from tests.services.fixtures import running, skip_without
from tests.services.kafka import KafkaServer
from tests.services.postgres import PostgresServer
from tests.services.qdrant import QdrantEdgeServer
from tests.services.redis import RedisServer
from tests.services.server import free_port

__all__ = ["authority", "postgres", "redis_by_tls", "stranger"]
Environment = dict[str, str]


def found(environment: Environment, store: str) -> dict[str, str]:
    """What it says about one store, and that its exit code fits."""
    done = run_once(environment, "preflight", store, "-o", "json")
    assert done.stdout, done.stderr
    finding: dict[str, str] = json.loads(done.stdout)[store]
    assert done.returncode == (0 if finding["reason"] == "Ready" else 1)
    for secret in ("for-tests-only", "not-the-password"):
        assert secret not in done.stdout + done.stderr
    return finding


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[str]:
    with own_database(postgres_server.url) as url:
        yield url


def test_all_stores_that_can_be_used(
    database: str, redis_server: RedisServer, qdrant_server: QdrantEdgeServer, kafka_server: KafkaServer
) -> None:
    environment = {
        "POSTGRES_URL": database,
        "REDIS_URL": redis_server.url,
        "QDRANT_URL": qdrant_server.url,
        "QDRANT_API_KEY": qdrant_server.api_key,
        "KAFKA_BOOTSTRAP_SERVERS": kafka_server.bootstrap,
    }

    done = run_once(environment, "preflight", "-o", "json")
    table = run_once(environment, "preflight")

    assert {store: each["reason"] for store, each in json.loads(done.stdout).items()} == dict.fromkeys(
        ("postgres", "redis", "qdrant", "kafka"), "Ready"
    ), done.stdout
    assert (done.returncode, table.returncode) == (0, 0)
    assert "postgres" in table.stdout


def test_nothing_is_changed(database: str, kafka_server: KafkaServer) -> None:
    topic = f"preflight.{uuid4().hex[:8]}"
    environment = {"KAFKA_BOOTSTRAP_SERVERS": kafka_server.bootstrap, "KAFKA_MEMORY_EVENTS_TOPIC": topic}

    assert found({"POSTGRES_URL": database}, "postgres")["reason"] == "Ready"
    assert found(environment, "kafka")["reason"] == "Ready"
    assert found(environment, "kafka")["reason"] == "Ready"

    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone() == (0,)


@pytest.mark.parametrize(
    ("store", "address"),
    [
        ("postgres", {"POSTGRES_URL": "postgresql://soma@nowhere.invalid:5432/somamemory"}),
        ("redis", {"REDIS_URL": "redis://nowhere.invalid:6379/0"}),
        ("qdrant", {"QDRANT_URL": "http://nowhere.invalid:6333"}),
        ("kafka", {"KAFKA_BOOTSTRAP_SERVERS": "nowhere.invalid:9092"}),
    ],
)
def test_a_host_without_an_address(store: str, address: Environment) -> None:
    finding = found(address, store)

    assert finding["reason"] == "DnsFailed"
    assert "nowhere.invalid" in finding["message"]


@pytest.mark.parametrize("store", ["postgres", "redis", "qdrant", "kafka"])
def test_a_port_where_nobody_is(store: str) -> None:
    place = f"127.0.0.1:{free_port()}"
    address = {
        "POSTGRES_URL": f"postgresql://soma@{place}/somamemory",
        "REDIS_URL": f"redis://{place}/0",
        "QDRANT_URL": f"http://{place}",
        "KAFKA_BOOTSTRAP_SERVERS": place,
    }

    assert found(address, store)["reason"] == "Unreachable"


def test_a_wrong_login(database: str, redis_server: RedisServer, qdrant_server: QdrantEdgeServer) -> None:
    wrong = "not-the-password"

    assert found({"POSTGRES_URL": database.replace("for-tests-only", wrong)}, "postgres")["reason"] == "LoginFailed"
    redis = {"REDIS_URL": f"redis://127.0.0.1:{redis_server.port}/0", "REDIS_PASSWORD": wrong}
    assert found(redis, "redis")["reason"] == "LoginFailed"
    qdrant = {"QDRANT_URL": qdrant_server.url, "QDRANT_API_KEY": wrong}
    assert found(qdrant, "qdrant")["reason"] == "LoginFailed"


def test_only_the_newest_password_counts(database: str, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("not-the-password")
    (tmp_path / "password_PREVIOUS").write_text("for-tests-only")
    address = {"POSTGRES_URL": database.replace(":for-tests-only", ""), "POSTGRES_PASSWORD_FILE": str(file)}

    assert found(address, "postgres")["reason"] == "LoginFailed"


def test_a_database_that_is_not_there(postgres_server: PostgresServer) -> None:
    address = postgres_server.url.rpartition("/")[0] + "/nobodys"
    finding = found({"POSTGRES_URL": address}, "postgres")

    assert finding["reason"] == "LoginFailed"
    assert "nobodys" in finding["message"]


def test_a_user_that_may_not_create(database: str, postgres_server: PostgresServer) -> None:
    name = f"u{uuid4().hex[:8]}"
    role, place = sql.Identifier(name), f"127.0.0.1:{postgres_server.port}/{database.rpartition('/')[2]}"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(sql.SQL("create role {} login password 'for-tests-only'").format(role))
        try:
            finding = found({"POSTGRES_URL": f"postgresql://{name}:for-tests-only@{place}"}, "postgres")
        finally:
            connection.execute(sql.SQL("drop role {}").format(role))

    assert finding["reason"] == "MissingRights"


@pytest.mark.parametrize("settings", [IGNORED, {}], ids=["options dropped", "options refused"])
def test_a_pooler_in_between(database: str, settings: Environment) -> None:
    skip_without("pgbouncer")
    with bouncer(database, pool_mode="transaction", **settings) as url:
        assert found({"POSTGRES_URL": url}, "postgres")["reason"] == "PoolerInBetween"


def test_certificates_that_nobody_vouches_for(
    postgres: PostgresServer, redis_by_tls: RedisServer, authority: Authority, stranger: Authority
) -> None:
    whole = {"POSTGRES_URL": postgres.url, "POSTGRES_SSL_MODE": "verify-full"}
    certificate, key = authority.certificate("client")
    ours = {
        "REDIS_URL": redis_by_tls.url,
        "REDIS_TLS": "yes",
        "REDIS_TLS_CERT": str(certificate),
        "REDIS_TLS_KEY": str(key),
    }

    assert found({**whole, "POSTGRES_SSL_ROOT_CERT": str(stranger.file)}, "postgres")["reason"] == "TlsFailed"
    assert found({**whole, "POSTGRES_SSL_ROOT_CERT": str(authority.file)}, "postgres")["reason"] == "Ready"
    assert found({**ours, "REDIS_TLS_CA": str(stranger.file)}, "redis")["reason"] == "TlsFailed"
    assert found({**ours, "REDIS_TLS_CA": str(authority.file)}, "redis")["reason"] == "Ready"


@pytest.fixture
def redis_with_users() -> Iterator[RedisServer]:
    """A Redis that nobody else uses, since it gets a user."""
    yield from running(RedisServer, "redis-server")


def test_a_user_of_redis_without_scripts(redis_with_users: RedisServer, tmp_path: Path) -> None:
    with Redis.from_url(redis_with_users.url) as admin:
        admin.acl_setuser("meek", enabled=True, passwords=["+for-tests-only"], keys=["*"], commands=["+ping", "+info"])
    url = f"redis://meek@127.0.0.1:{redis_with_users.port}/0"
    (tmp_path / "password").write_text("for-tests-only")

    finding = found({"REDIS_URL": url, "REDIS_PASSWORD_FILE": str(tmp_path / "password")}, "redis")

    assert finding["reason"] == "MissingRights"


def test_an_index_that_is_none(redis_server: RedisServer) -> None:
    finding = found({"QDRANT_URL": f"http://127.0.0.1:{redis_server.port}"}, "qdrant")

    assert finding["reason"] == "Unreachable"
