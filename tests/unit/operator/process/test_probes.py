"""The pages of the small HTTP server."""

import httpx
from prometheus_client import CollectorRegistry, Gauge

from somamemory_operator.process.probes import application, serving


async def test_health_and_readiness_name_what_is_wrong_and_metrics_are_there() -> None:
    registry, problems = CollectorRegistry(), list[str]()
    Gauge("answer", "The answer", registry=registry).set(42)
    app = application(registry, list, lambda: problems)

    async with serving(app, 0) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        ready = await client.get("/readyz")
        problems.append("the watch of Pod is not in sync yet")
        unready, healthy = await client.get("/readyz"), await client.get("/healthz")
        metrics = await client.get("/metrics")

    assert (ready.status_code, ready.text) == (200, "ok\n")
    assert (unready.status_code, unready.text) == (503, "the watch of Pod is not in sync yet\n")
    assert healthy.status_code == 200
    assert "answer 42.0" in metrics.text
