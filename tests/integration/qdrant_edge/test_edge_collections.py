"""Collections, indexes and the service's own routes, as the real client sees them."""

import warnings

import httpx
import pytest
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from tests.integration.qdrant_edge.conftest import client_of, point
from tests.services.qdrant import QdrantEdgeServer


async def test_a_collection_is_described_as_it_was_asked_for(client: AsyncQdrantClient, collection: str) -> None:
    await client.upsert(collection, [point(1), point(2)], wait=True)

    found = await client.get_collection(collection)

    params = found.config.params
    assert found.status == models.CollectionStatus.GREEN
    assert found.points_count == 2
    assert isinstance(params.vectors, dict)
    assert params.vectors["dense"].size == 4
    assert params.vectors["dense"].distance == models.Distance.COSINE
    assert params.sparse_vectors is not None
    assert params.sparse_vectors["text"].modifier == models.Modifier.IDF
    assert {name: index.data_type for name, index in found.payload_schema.items()} == {
        "namespace": models.PayloadSchemaType.KEYWORD,
        "version": models.PayloadSchemaType.INTEGER,
    }


async def test_collections_come_and_go(client: AsyncQdrantClient) -> None:
    await client.create_collection("passing", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
    there = await client.collection_exists("passing")
    listed = [found.name for found in (await client.get_collections()).collections]
    deleted = await client.delete_collection("passing")

    assert (there, deleted, await client.collection_exists("passing")) == (True, True, False)
    assert "passing" in listed


async def test_a_payload_index_can_be_dropped(client: AsyncQdrantClient, collection: str) -> None:
    await client.delete_payload_index(collection, "version")

    found = await client.get_collection(collection)

    assert set(found.payload_schema) == {"namespace"}


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [("missing", 404, "doesn't exist"), ("../outside", 400, "cannot be the name"), (".hidden", 400, "cannot be")],
)
async def test_mistakes_are_answered_in_the_shape_of_qdrant(
    qdrant_server: QdrantEdgeServer, name: str, status: int, words: str
) -> None:
    async with httpx.AsyncClient(base_url=qdrant_server.url, headers={"api-key": qdrant_server.api_key}) as http:
        path = f"/collections/{name.replace('/', '%2F')}"
        if status == 404:
            answer = await http.get(path)
        else:
            answer = await http.put(path, json={"vectors": {"size": 2, "distance": "Dot"}})

    assert answer.status_code == status
    assert words in answer.json()["status"]["error"]
    assert "time" in answer.json()


async def test_a_collection_is_not_made_twice(client: AsyncQdrantClient, collection: str) -> None:
    with pytest.raises(UnexpectedResponse, match="409"):
        await client.create_collection(
            collection, vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT)
        )


async def test_a_vector_of_the_wrong_size_is_the_clients_mistake(client: AsyncQdrantClient, collection: str) -> None:
    with pytest.raises(UnexpectedResponse, match="expected dim: 4"):
        await client.query_points(collection, query=[1.0], using="dense")


@pytest.mark.parametrize("headers", [{}, {"api-key": "wrong"}, {"Authorization": "Bearer wrong"}])
async def test_without_the_key_only_probes_and_version_answer(
    qdrant_server: QdrantEdgeServer, headers: dict[str, str]
) -> None:
    async with httpx.AsyncClient(base_url=qdrant_server.url, headers=headers) as http:
        status = {path: (await http.get(path)).status_code for path in ("/", "/healthz", "/livez", "/readyz")}
        closed = {path: (await http.get(path)).status_code for path in ("/collections", "/metrics", "/telemetry")}

    assert set(status.values()) == {200}
    assert set(closed.values()) == {401}


async def test_the_key_may_come_as_a_bearer_token(qdrant_server: QdrantEdgeServer) -> None:
    headers = {"Authorization": f"Bearer {qdrant_server.api_key}"}
    async with httpx.AsyncClient(base_url=qdrant_server.url, headers=headers) as http:
        answer = await http.get("/collections")

    assert answer.status_code == 200


async def test_it_says_what_it_is(qdrant_server: QdrantEdgeServer) -> None:
    async with httpx.AsyncClient(base_url=qdrant_server.url) as http:
        body = (await http.get("/")).json()

    assert body["title"].startswith("qdrant-edge")


def test_the_clients_version_check_is_content(qdrant_server: QdrantEdgeServer) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        AsyncQdrantClient(host="127.0.0.1", port=qdrant_server.port, https=False, api_key=qdrant_server.api_key)

    assert not [str(warning.message) for warning in seen if "version" in str(warning.message)]


async def test_metrics_count_requests_by_route_and_not_by_name(
    qdrant_server: QdrantEdgeServer, client: AsyncQdrantClient, collection: str
) -> None:
    await client.count(collection)
    async with httpx.AsyncClient(base_url=qdrant_server.url, headers={"api-key": qdrant_server.api_key}) as http:
        text = (await http.get("/metrics")).text

    assert 'rest_responses_total{endpoint="POST /collections/*/points/count",method="POST",status="200"}' in text
    assert collection not in text


async def test_a_body_over_the_limit_is_refused(qdrant_server: QdrantEdgeServer, collection: str) -> None:
    async with httpx.AsyncClient(base_url=qdrant_server.url, headers={"api-key": qdrant_server.api_key}) as http:
        answer = await http.put(f"/collections/{collection}/points", content=b" " * (33 << 20))

    assert answer.status_code == 413


def test_it_stops_in_order_when_asked() -> None:
    with QdrantEdgeServer() as server:
        with pytest.warns(UserWarning, match="insecure"):
            client_of(server)
        server.restart()
        answers = server.answers()

    assert answers
