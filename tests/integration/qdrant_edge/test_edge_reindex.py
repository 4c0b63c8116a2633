"""Graphs are built beside the running server, and nothing that happens meanwhile is lost."""

import time

import httpx
from qdrant_client import QdrantClient, models

from tests.integration.qdrant_edge.conftest import SIZE, point
from tests.integration.qdrant_edge.test_edge_durability import connected
from tests.services.qdrant import QdrantEdgeServer

DEADLINE_SECONDS = 60.0


class SmallThreshold(QdrantEdgeServer):
    """Thinks of graphs early, and often."""

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "QDRANT_EDGE_INDEX_FROM_POINTS": "500",
            "QDRANT_EDGE_INDEX_CHECK_SECONDS": "0.1",
        }


def builds(server: QdrantEdgeServer) -> int:
    text = httpx.get(f"{server.url}/metrics", headers={"api-key": server.api_key}).text
    counted = [line.split()[-1] for line in text.splitlines() if 'builds_total{result="done"}' in line]
    return int(float(counted[0])) if counted else 0


def write(client: QdrantClient, numbers: range) -> None:
    client.upsert("kept", [point(number, namespace=f"n{number % 3}") for number in numbers], wait=True)


def test_what_is_written_during_a_rebuild_is_there_afterwards_and_after_a_kill() -> None:
    with SmallThreshold() as server:
        client = connected(server)
        client.create_collection(
            "kept",
            vectors_config={"dense": models.VectorParams(size=SIZE, distance=models.Distance.COSINE)},
            sparse_vectors_config={"text": models.SparseVectorParams(modifier=models.Modifier.IDF)},
        )
        client.create_payload_index("kept", "namespace", models.PayloadSchemaType.KEYWORD)
        # Given a collection above the threshold, and a writer that never stops
        write(client, range(1, 601))
        number, deadline = 600, time.monotonic() + DEADLINE_SECONDS
        while builds(server) == 0 and time.monotonic() < deadline:
            number += 1
            write(client, range(number, number + 1))
            client.delete("kept", [str(point(number - 500).id)], wait=True)
        done = builds(server)
        # When the rebuilt shard has taken over, and also after a kill
        counted = client.count("kept").count
        server.kill9()
        server.start()
        after = client.count("kept").count
        gone = client.retrieve("kept", [str(point(101).id)])
        folders = [found.name for found in (server.folder / "storage/collections/kept").glob("shard-*")]
        client.close()

    # Then all that was acknowledged is there, and what was deleted is not
    assert done == 1
    assert (counted, after) == (600, 600)
    assert gone == []
    assert len(folders) == 1
    assert folders != ["shard-1"]
