"""Decay, the size limit, encryption and the audit as programs do them, on a real Postgres and index."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.api.programs import TOKEN, Stack, eventually, own_database, run_once, running
from tests.services.postgres import PostgresServer
from tests.services.qdrant import QdrantEdgeServer

OLD, NEW = (b64encode(bytes([n]) * 32).decode() for n in (1, 2))


@pytest.fixture
def environment(
    postgres_server: PostgresServer, qdrant_server: QdrantEdgeServer, tmp_path: Path
) -> Iterator[dict[str, str]]:
    """A database of its own, without events, limits or a decay yet."""
    keys = tmp_path / "keys"
    keys.write_text(OLD)
    with own_database(postgres_server.url) as database:
        variables = {
            "POSTGRES_URL": database,
            "QDRANT_URL": qdrant_server.url,
            "QDRANT_API_KEY": qdrant_server.api_key,
            "QDRANT_COLLECTION": f"life_{database.rpartition('_')[2]}",
            "EVENTING_ENABLED": "false",
            "SOMA_API_TOKEN": TOKEN,
            "SOMA_RATE_LIMIT_MAX": "0",
            "SOMA_ENCRYPTION_KEY_FILE": str(keys),
            "SOMA_PRUNING_INTERVAL_SECONDS": "0.2",
            "SOMA_DECAY_THRESHOLDS_SECONDS": "1",
            "SOMA_DECAYABLE_KEYS_BY_LEVEL": "scratch",
            "SOMA_MAX_MEMORY_SIZE": "3",
        }
        assert run_once(variables, "migrate").returncode == 0
        yield variables


def test_memories_age_as_the_configuration_says(environment: dict[str, str], tmp_path: Path) -> None:
    """(core defect 9) (core defect 18) (core defect 19) (core defect 22) (core defect 26) (X-04) (X-08)"""
    with running("serve", environment, tmp_path) as api:
        stack = Stack(environment, environment["POSTGRES_URL"], api, api)
        for n in range(5):
            stack.store(f"{n}", fact="a heron on one leg", task="hunter2", scratch="soon gone", importance=n)

        eventually(lambda: stack.http.get("/stats").json()["total_memories"] == 3)
        eventually(lambda: stack.rows("select count(*) from memories where payload ? 'scratch'") == [(0,)])
        eventually(lambda: len(stack.recall("heron", top_k=9).json()["matches"]) == 3)

        found = stack.recall("heron", top_k=9).json()["matches"]
        assert [each["coordinate"][0] for each in found] == [4.0, 3.0, 2.0]
        assert {each["task"] for each in found} == {"hunter2"}
        assert not [each for each in found if "scratch" in each]
        assert sorted(each["importance_norm"] for each in found) == [0.5, 0.75, 1.0]
        assert stack.http.post("/keyword_search", json={"term": "hunter2"}).json()["results"] == []
        pruned = stack.http.get("/audit", params={"action": "prune"}).json()["entries"]
        assert sum(entry["details"]["memories"] for entry in pruned) == 2

    for table in ("memories", "memory_versions", "outbox", "memory_events"):
        found_in = f"select count(*) from {table} t where t::text like %s"  # noqa: S608 - our own tables
        assert stack.rows(found_in, "%hunter2%") == [(0,)]


def test_keys_are_rotated_by_the_command(environment: dict[str, str], tmp_path: Path) -> None:
    """(X-08)"""
    keys = Path(environment["SOMA_ENCRYPTION_KEY_FILE"])
    with running("serve", environment, tmp_path) as api:
        Stack(environment, environment["POSTGRES_URL"], api, api).store("1", task="hunter2")
    keys.write_text(NEW)
    without = run_once(environment, "rotate-keys", "-o", "json")
    keys.write_text(f"{NEW}\n{OLD}\n")
    rotated = run_once(environment, "rotate-keys", "-o", "json")
    keys.write_text(NEW)

    with running("serve", environment, tmp_path) as api:
        memory = Stack(environment, environment["POSTGRES_URL"], api, api).http.get("/memories/1").json()

    assert (without.returncode, '"locked": 1' in without.stdout) == (1, True), without.stderr
    assert (rotated.returncode, '"resealed": 1' in rotated.stdout) == (0, True), rotated.stderr
    assert memory["payload"] == {"task": "hunter2"}
