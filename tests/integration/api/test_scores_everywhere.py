"""One ranking, whatever holds the vectors."""

from pathlib import Path
from uuid import uuid4

import pytest

from somafractalmemory.factory import MemoryMode, create_memory_system
from tests.integration.api.programs import Stack, eventually, own_database, run_once, running
from tests.services.postgres import PostgresServer

FACTS = {
    "1,1": {"fact": "herons fish at dawn", "importance": 9, "timestamp": 1_700_000_000},
    "2,2": {"fact": "herons fish at dusk", "importance": 1, "timestamp": 1_700_000_000},
    "3,3": {"fact": "a heron stands still", "importance": 4, "timestamp": 1_700_000_000},
    "4,4": {"fact": "otters fish all day", "importance": 0, "timestamp": 1_700_000_000},
}


def test_importance_counts_the_same_in_qdrant_and_in_process(
    stack: Stack, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """In an index of its own, because how rare a word is depends on what else is there. (core defect 9)"""
    question = {"query": "where do herons fish", "top_k": 4, "hybrid": False}
    memory_only = {"redis": {"testing": True}, "vector": {"backend": "memory"}}
    with own_database(postgres_server.url) as database:
        own = {"POSTGRES_URL": database, "QDRANT_COLLECTION": f"scores_{uuid4().hex[:8]}", "EVENTING_ENABLED": "false"}
        given = {**stack.environment, **own}
        assert run_once(given, "migrate").returncode == 0
        with (
            running("serve", given, tmp_path) as api,
            create_memory_system(MemoryMode.EVENTED_ENTERPRISE, "api_ns", memory_only) as embedded,
        ):
            eventually(lambda: api.client.get("/readyz").json()["status"] == "ok")
            for coord, payload in FACTS.items():
                api.client.post("/store", json={"coord": coord, "payload": payload}).raise_for_status()
                embedded.store_memory(tuple(map(float, coord.split(","))), dict(payload))
            remote = api.client.post("/recall_with_scores", json=question).json()["results"]
            local = embedded.recall_with_scores("where do herons fish", top_k=4)

    scored = [{tuple(hit["payload"]["coordinate"]): hit["score"] for hit in hits} for hits in (remote, local)]
    assert list(scored[0]) == list(scored[1])
    assert next(iter(scored[0])) == (1.0, 1.0)
    assert scored[0] == pytest.approx(scored[1], rel=1e-3)
