"""Is it alive, is it ready, how is it doing. No token is needed here."""

from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from somafractalmemory.httpface.docpages import redoc_page, swagger_page
from somafractalmemory.httpface.guard import JsonResponse
from somafractalmemory.httpface.routes.describing import runtime_of
from somafractalmemory.schemas.memories import HealthResponse, LivenessResponse
from somafractalmemory.usecases.health import Health

router = APIRouter()
AWAY: dict[int | str, dict[str, Any]] = {
    503: {"model": HealthResponse, "description": "Postgres is away or its schema is old"}
}


@router.get("/healthz", tags=["system"], response_model=LivenessResponse)
async def healthz(request: Request) -> Response:
    """The process lives. What the stores were like at the last look is told, but does not count."""
    return JsonResponse({"status": "ok", **_seed_shape(runtime_of(request).health)})


@router.get("/readyz", tags=["system"], response_model=HealthResponse, responses=AWAY)
@router.get("/health", tags=["system"], response_model=HealthResponse, responses=AWAY)
async def readyz(request: Request) -> Response:
    """Whether requests can be served; every store is named."""
    health = runtime_of(request).health
    components = await health.check()
    ok = all(component.ok for component in components.values())
    status = "ok" if ok else "degraded" if health.ready else "unavailable"
    shown = {
        name: {"ok": part.ok, "required": part.required, "detail": part.detail, "ms": part.milliseconds}
        for name, part in components.items()
    }
    return JsonResponse({"status": status, **_seed_shape(health), "components": shown}, 200 if health.ready else 503)


@router.get("/metrics", include_in_schema=False)
async def metrics() -> Response:
    """Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """Swagger UI."""
    return swagger_page(request.app.title, request.app.openapi_url)


@router.get("/redoc", include_in_schema=False)
async def redoc(request: Request) -> Response:
    """ReDoc."""
    return redoc_page(request.app.title, request.app.openapi_url)


@router.get("/", include_in_schema=False)
async def root() -> Response:
    """A greeting."""
    return JsonResponse({"message": "SomaFractalMemory API is running", "metrics": "/metrics", "docs": "/docs"})


def _seed_shape(health: Health) -> dict[str, Any]:
    """The four booleans of the original: truth, index, links (they live in Postgres), and the embedder in process."""
    last = {name: part.ok for name, part in health.last.items()}
    truth = last.get("postgres", True)
    return {
        "kv_store": truth,
        "vector_store": last.get("qdrant", True),
        "graph_store": truth,
        "prediction_provider": True,
    }
