"""Liveness, readiness, metrics and the OpenAPI document."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.api_server.conftest import World


async def test_liveness_never_depends_on_a_store(client: httpx.AsyncClient, world: World) -> None:
    """(http defect 15)"""
    world.records.away = world.vectors.away = True
    await client.get("/readyz")
    alive = await client.get("/healthz")

    assert alive.status_code == 200
    assert alive.json()["kv_store"] is False


async def test_readiness_needs_the_truth_only_and_names_what_is_away(client: httpx.AsyncClient, world: World) -> None:
    """(http defect 15)"""
    assert (await client.get("/readyz")).json()["status"] == "ok"

    world.vectors.away = True
    degraded = await client.get("/readyz")
    assert (degraded.status_code, degraded.json()["status"]) == (200, "degraded")
    assert degraded.json()["components"]["qdrant"]["ok"] is False

    world.records.away = True
    away = await client.get("/readyz")
    assert (away.status_code, away.json()["status"]) == (503, "unavailable")
    assert "postgres" in away.json()["components"]["postgres"]["detail"]


async def test_health_keeps_the_shape_of_the_original(client: httpx.AsyncClient) -> None:
    """(X-03)"""
    for path in ("/health", "/healthz", "/readyz"):
        body = (await client.get(path)).json()
        shape = {"kv_store", "vector_store", "graph_store", "prediction_provider"}
        assert {key: body[key] for key in shape} == dict.fromkeys(shape, True)


async def test_metrics_are_labelled_by_route_template(client: httpx.AsyncClient) -> None:
    """(http defect 16)"""
    for number in range(5):
        await client.get(f"/memories/{number}")
        await client.get(f"/nowhere/{number}")
    await client.request("BREW", "/store")

    text = (await client.get("/metrics")).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    labels = [sample.labels for sample in families["api_responses"].samples if sample.name == "api_responses_total"]
    endpoints = {label["endpoint"] for label in labels}

    assert "/memories/{coord}" in endpoints
    assert not any(endpoint.startswith("/nowhere") for endpoint in endpoints)
    assert "BREW" not in {label["method"] for label in labels}
    assert {"api_requests", "api_request_latency_seconds", "http_404_requests"} <= set(families)


async def test_the_openapi_document_declares_token_bodies_and_errors(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    store = document["paths"]["/store"]["post"]

    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}
    assert store["security"] == [{"bearer": []}]
    assert store["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/StoreRequest")
    assert set(store["responses"]) >= {"200", "401", "403", "413", "422", "429", "503"}
    assert document["components"]["schemas"]["StoreRequest"]["additionalProperties"] is False
    parameters = document["paths"]["/recall"]["get"]["parameters"]
    names = [parameter["name"] for parameter in parameters if "name" in parameter]
    assert names == ["query", "top_k", "type", "filters", "hybrid", "explain"]
    assert "/metrics" not in document["paths"]


async def test_the_root_says_where_the_metrics_are(client: httpx.AsyncClient) -> None:
    body = (await client.get("/")).json()

    assert body["message"] == "SomaFractalMemory API is running"
    assert body["metrics"] == "/metrics"
