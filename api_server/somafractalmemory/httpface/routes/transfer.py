"""A namespace out and in, as lines."""

from dataclasses import asdict

from fastapi import APIRouter, Request, Response

from somafractalmemory.httpface.guard import GuardedRoute, JsonResponse, takes_lines
from somafractalmemory.httpface.routes.describing import PROBLEMS, WITH_BODY, asks, lines_body, namespace_of, runtime_of
from somafractalmemory.httpface.streaming import NDJSON, LinesResponse, lines_of
from somafractalmemory.model.transfer import MAX_LINE
from somafractalmemory.schemas.transfer import ExportQuery, ImportQuery, ImportResponse

router = APIRouter(route_class=GuardedRoute, responses=PROBLEMS, tags=["transfer"])


@router.get(
    "/export",
    response_class=Response,
    responses={200: {"content": {NDJSON: {"schema": {"type": "string"}}}, "description": "Manifest, lines, end"}},
    **asks(ExportQuery),
)
async def export(request: Request) -> Response:
    """Every memory of the namespace with its versions, and every link, as lines that /import takes back."""
    query, runtime = ExportQuery.model_validate(dict(request.query_params)), runtime_of(request)
    lines = runtime.service.exporting.lines(namespace=namespace_of(request), vectors=query.vectors)
    return LinesResponse(await anext(lines), lines)


@router.post(
    "/import",
    response_model=ImportResponse,
    responses={408: WITH_BODY[408]},
    openapi_extra={
        **asks(ImportQuery)["openapi_extra"],
        "requestBody": {"required": True, "content": lines_body("The lines of an export.")},
    },
)
@takes_lines()
async def import_lines(request: Request) -> Response:
    """Put an export back, as it was; the same file again changes nothing. Bad lines are told, all others taken."""
    query, runtime = ImportQuery.model_validate(dict(request.query_params)), runtime_of(request)
    report = await runtime.service.importing.take(
        lines_of(request, limit=MAX_LINE), namespace=namespace_of(request), replace=query.replace
    )
    return JsonResponse({"imported": report.imported, **asdict(report)})
