"""The memory system of a program, on real stores, with the dictionary of the documentation."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from somafractalmemory.core import MemoryType, SomaFractalMemoryEnterprise
from somafractalmemory.errors import ConfigurationError, Overloaded, Unavailable
from somafractalmemory.factory import MemoryMode, create_memory_system
from tests.integration.api.programs import eventually, own_database
from tests.services.kafka import KafkaServer
from tests.services.postgres import PostgresServer
from tests.services.qdrant import QdrantEdgeServer
from tests.services.redis import RedisServer


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer) -> Iterator[str]:
    """Empty: nobody has run `soma migrate` on it."""
    with own_database(postgres_server.url) as url:
        yield url


@pytest.fixture(scope="module")
def config(database: str, redis_server: RedisServer, qdrant_server: QdrantEdgeServer) -> dict[str, object]:
    """The dictionary of the documentation; what it does not know comes from the environment."""
    redis, qdrant = urlsplit(redis_server.url), urlsplit(qdrant_server.url)
    return {
        "redis": {"host": redis.hostname, "port": redis.port, "password": redis.password},
        "postgres": {"url": database},
        "qdrant": {"host": qdrant.hostname, "port": qdrant.port},
        "eventing": {"enabled": True},
    }


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, qdrant_server: QdrantEdgeServer, kafka_server: KafkaServer) -> None:
    """What is left to it; its Postgres must not be used. (S-71)"""
    monkeypatch.setenv("QDRANT_API_KEY", qdrant_server.api_key)
    monkeypatch.setenv("QDRANT_COLLECTION", f"core_{uuid4().hex[:8]}")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka_server.bootstrap)
    monkeypatch.setenv("KAFKA_MEMORY_EVENTS_TOPIC", f"core.{uuid4().hex[:8]}")
    monkeypatch.setenv("POSTGRES_URL", "postgresql://nobody@127.0.0.1:9/nowhere")


def made(config: dict[str, object], namespace: str) -> SomaFractalMemoryEnterprise:
    return create_memory_system(MemoryMode.EVENTED_ENTERPRISE, namespace, config=config)


def test_the_example_of_the_documentation_works_as_written(config: dict[str, object], database: str) -> None:
    """On a database without tables, with Redis, Qdrant and Kafka; links outlive the process. (S-70) (core defect 21)"""
    with made(config, "example") as memory:
        memory.store_memory((1, 2, 3), {"task": "write the docs"}, memory_type=MemoryType.EPISODIC)
        memory.store_memory((4, 5, 6), {"fact": "docs matter"}, memory_type=MemoryType.SEMANTIC)
        memory.link_memories((1, 2, 3), (4, 5, 6))

        assert [record["coordinate"] for record in memory.recall("write docs", top_k=1)] == [[1.0, 2.0, 3.0]]
        assert memory.find_shortest_path((1, 2, 3), (4, 5, 6)) == [(1.0, 2.0, 3.0), (4.0, 5.0, 6.0)]
        assert memory.health_check() == dict.fromkeys(
            ("kv_store", "vector_store", "graph_store", "prediction_provider"), True
        )
        eventually(lambda: not outbox(database))

    with made(config, "example") as again:
        assert again.memory_stats()["total_memories"] == 2
        assert [record["fact"] for record in again.get_linked_memories((1, 2, 3))] == ["docs matter"]


def outbox(database: str) -> int:
    with psycopg.connect(database) as connection:
        row = connection.execute("select count(*) from outbox").fetchone()
    return int(row[0]) if row else 0


def test_what_is_learned_and_deleted_is_so_in_every_store(config: dict[str, object]) -> None:
    """(core defect 17)"""
    with made(config, "learning") as memory:
        memory.store_memory((1,), {"task": "feed the cat", "predicted_outcome": "purr"})
        memory.report_outcome((1,), "hiss")
        memory.consolidate_memories()

        assert memory.consolidate_memories() == 0
        assert (memory.retrieve((1,)) or {})["task"] == "feed the cat"
        assert memory.memory_stats() == {"total_memories": 3, "episodic": 1, "semantic": 2}
        assert len(memory.get_recent()) == len(memory.replay_memories()) == len(memory.get_important()) == 3
        memory.delete_many([record["coordinate"] for record in memory.iter_memories()])
        assert memory.recall("cat hiss purr") == []


def test_locks_hold_across_systems_as_across_processes(config: dict[str, object]) -> None:
    """With Redis and, without it, in Postgres. (core defect 25)"""
    for settings in (config, {key: value for key, value in config.items() if key != "redis"}):
        with made(settings, "locking") as one, made(settings, "locking") as two, made(settings, "other") as third:
            with one.acquire_lock("door", timeout=0.5) as lock:
                with pytest.raises(Overloaded), two.acquire_lock("door", wait_seconds=0.8):
                    pass
                assert third.acquire_lock("door").acquire(blocking=False)
                assert not lock.lost
            fence = lock.fence
            with two.acquire_lock("door") as later:
                assert later.fence is not None
                assert fence is not None
                assert later.fence > fence


def test_one_who_waits_gets_the_lock(config: dict[str, object]) -> None:
    with made(config, "locking") as one, made(config, "locking") as two:
        order: list[str] = []
        with one.acquire_lock("door"):
            waiting = threading.Thread(target=lambda: two.with_lock("door", order.append, "second"))
            waiting.start()
            order.append("first")
        waiting.join(20)

    assert order == ["first", "second"]


def test_an_index_in_the_process_is_filled_from_postgres(database: str) -> None:
    """`vector.backend: memory` beside a real Postgres."""
    config: dict[str, object] = {
        "postgres": {"url": database},
        "vector": {"backend": "memory"},
        "redis": {"testing": True},
        "eventing": {"enabled": False},
    }
    with made(config, "in_memory") as memory:
        memory.store_memory((1,), {"fact": "herons wade"})
        assert [record["coordinate"] for record in memory.recall("herons")] == [[1.0]]

    with made(config, "in_memory") as again:
        eventually(lambda: again.recall_with_scores("herons wade"))


def test_an_index_in_a_folder_is_kept_and_can_be_deleted(
    database: str, kafka_server: KafkaServer, tmp_path: Path
) -> None:
    """(S-115)"""
    folder = tmp_path / "qdrant.db"
    config: dict[str, object] = {
        "postgres": {"url": database},
        "qdrant": {"path": str(folder)},
        "redis": {"testing": True},
        "eventing": {"enabled": True, "bootstrap_servers": kafka_server.bootstrap},
    }

    def first(memory: SomaFractalMemoryEnterprise) -> object:
        return [each["payload"]["fact"] for each in memory.recall_with_scores("herons wade")][:1] == ["herons wade"]

    with made(config, "in_folder") as memory:
        memory.store_memory((1,), {"fact": "herons wade"})
        eventually(lambda: first(memory))
        with pytest.raises(ConfigurationError, match="another process"):
            made(config, "in_folder")
    with made(config, "in_folder") as again:
        assert first(again)
    shutil.rmtree(folder)
    with made(config, "in_folder") as refilled:
        eventually(lambda: first(refilled))


def test_what_decays_stays_in_an_index_of_the_process(database: str, kafka_server: KafkaServer) -> None:
    """No consumer can reach that index, so it follows the outbox here."""
    config: dict[str, object] = {
        "postgres": {"url": database},
        "vector": {"backend": "memory"},
        "redis": {"testing": True},
        "eventing": {"enabled": True, "bootstrap_servers": kafka_server.bootstrap},
        "memory_enterprise": {"decay_thresholds_seconds": [0], "decayable_keys_by_level": [["scratch"]]},
    }
    with made(config, "fading") as memory:
        memory.store_memory((1,), {"fact": "herons wade", "scratch": "x"})
        eventually(lambda: memory.recall("herons"))

        memory.run_decay_once()

        eventually(lambda: [record["fact"] for record in memory.recall("herons")] == ["herons wade"])


def test_a_change_in_postgres_is_seen_at_once(config: dict[str, object], database: str) -> None:
    """A cache without an end used to hide it. (core defect 28)"""
    with made(config, "direct") as memory:
        memory.store_memory((1,), {"fact": "old"})
        assert (memory.retrieve((1,)) or {})["fact"] == "old"
        with psycopg.connect(database) as connection:
            connection.execute("update memories set payload = '{\"fact\": \"new\"}' where namespace = 'direct'")

        assert (memory.retrieve((1,)) or {})["fact"] == "new"


def test_a_truth_that_is_away_is_told_by_each_call(config: dict[str, object]) -> None:
    """Stores used to be told as done. (core defect 1)"""
    away = config | {"postgres": {"url": "postgresql://nobody@127.0.0.1:9/nowhere"}}
    with made(away, "away") as memory:
        with pytest.raises(Unavailable):
            memory.store_memory((1,), {"fact": "x"})
        assert memory.health_check()["kv_store"] is False
