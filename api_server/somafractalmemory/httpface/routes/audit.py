"""The audit."""

from typing import Any

from fastapi import APIRouter, Request, Response

from somafractalmemory.httpface.guard import GuardedRoute, JsonResponse, needs
from somafractalmemory.httpface.routes.describing import PROBLEMS, asks, namespace_of, runtime_of
from somafractalmemory.schemas.audit import AuditQuery, AuditResponse
from somafractalmemory.security.callers import Scope

router = APIRouter(route_class=GuardedRoute, responses=PROBLEMS, tags=["system"])


@router.get("/audit", response_model=AuditResponse, **asks(AuditQuery))
@needs(Scope.ADMIN)
async def audit(request: Request) -> Response:
    """Who did what in this namespace, newest first."""
    query = AuditQuery.model_validate(dict(request.query_params))
    rows = await runtime_of(request).service.audit.page(
        namespace_of(request), action=query.action, before=query.before, limit=query.limit
    )
    entries = [
        {
            "number": row.number,
            "at": row.at,
            "caller": row.caller,
            "action": row.deed.action,
            "coordinate": row.deed.coordinate,
            "request_id": row.request_id,
            "details": row.deed.details,
        }
        for row in rows
    ]
    answer: dict[str, Any] = {"entries": entries}
    if len(rows) == query.limit:
        answer["next"] = rows[-1].number
    return JsonResponse(answer)
