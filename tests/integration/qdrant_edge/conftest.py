"""qdrant-edge in a process of its own, and the real client."""

import uuid
from collections.abc import AsyncIterator

import pytest
from qdrant_client import AsyncQdrantClient, models

from tests.services.qdrant import QdrantEdgeServer

SIZE = 4


def client_of(server: QdrantEdgeServer) -> AsyncQdrantClient:
    """A client with the server's key; its own version check warns about plain HTTP keys, which are fine here."""
    return AsyncQdrantClient(
        host="127.0.0.1", port=server.port, https=False, api_key=server.api_key, check_compatibility=False
    )


@pytest.fixture
async def client(qdrant_server: QdrantEdgeServer) -> AsyncIterator[AsyncQdrantClient]:
    """A connected client."""
    with pytest.warns(UserWarning, match="insecure connection"):
        connected = client_of(qdrant_server)
    yield connected
    await connected.close()


@pytest.fixture
async def collection(client: AsyncQdrantClient) -> AsyncIterator[str]:
    """A collection as SomaMemory makes it: named dense vectors, sparse ones with IDF, indexed payload."""
    name = f"memories-{uuid.uuid4().hex[:8]}"
    await create(client, name)
    yield name
    await client.delete_collection(name)


async def create(client: AsyncQdrantClient, name: str) -> None:
    """Make the collection."""
    await client.create_collection(
        name,
        vectors_config={"dense": models.VectorParams(size=SIZE, distance=models.Distance.COSINE)},
        sparse_vectors_config={"text": models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )
    tenant = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)
    await client.create_payload_index(name, "namespace", tenant)
    await client.create_payload_index(name, "version", models.PayloadSchemaType.INTEGER)


def point(
    number: int, dense: list[float] | None = None, sparse: dict[int, float] | None = None, **payload: object
) -> models.PointStruct:
    """A point; `sparse` maps a token to its weight."""
    weights = sparse or {number: 1.0}
    vector = models.SparseVector(indices=list(weights), values=list(weights.values()))
    return models.PointStruct(
        id=str(uuid.UUID(int=number)),
        vector={"dense": dense or [1.0, 0.0, 0.0, number / 1000], "text": vector},
        payload={"namespace": "a", "version": 1, **payload},
    )


def number_of(found: models.ScoredPoint | models.Record) -> int:
    """The number that `point` was called with."""
    return uuid.UUID(str(found.id)).int
