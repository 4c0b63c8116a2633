"""`EVENTING_ENABLED=false`: no broker anywhere, and nothing is missed but the topic."""

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.integration.api.programs import TOKEN, Program, eventually, own_database, run_once, running
from tests.services.postgres import PostgresServer
from tests.services.qdrant import QdrantEdgeServer


@pytest.fixture
def environment(postgres_server: PostgresServer, qdrant_server: QdrantEdgeServer) -> Iterator[dict[str, str]]:
    """No Kafka and no Redis."""
    with own_database(postgres_server.url) as database:
        yield {
            "POSTGRES_URL": database,
            "QDRANT_URL": qdrant_server.url,
            "QDRANT_API_KEY": qdrant_server.api_key,
            "QDRANT_COLLECTION": f"quiet_{uuid4().hex[:8]}",
            "EVENTING_ENABLED": "false",
            "SOMA_GRPC_ENABLED": "false",
            "SOMA_RATE_LIMIT_MAX": "0",  # the tests ask again and again
            "SOMA_API_TOKEN": TOKEN,
        }


@pytest.fixture
def api(environment: dict[str, str], tmp_path: Path) -> Iterator[Program]:
    """The API alone."""
    assert run_once(environment, "migrate").returncode == 0
    with running("serve", environment, tmp_path) as program:
        yield program


def test_the_api_works_without_a_broker(
    api: Program, environment: dict[str, str], qdrant_server: QdrantEdgeServer
) -> None:
    """(S-61)"""
    qdrant_server.kill9()
    began = time.time()
    stored = api.client.post("/store", json={"coord": "1", "payload": {"fact": "stored while the index was away"}})
    assert stored.status_code == 200
    assert stored.json()["indexed"] is False
    qdrant_server.start()

    def recalled() -> bool:
        body = api.client.post("/recall", json={"query": "stored while the index was away"}).json()
        return "degraded" not in body and [match["fact"] for match in body["matches"]] != []

    eventually(recalled, seconds=60)
    assert "kafka" not in api.client.get("/readyz").json()["components"]
    eventually(lambda: run_once(environment, "reconcile", "--check").returncode == 0, seconds=60)
    assert api.client.get("/memories/1").json()["created_at"] >= began - 5
