"""Erasing, for good."""

from fastapi import APIRouter, Request, Response

from somafractalmemory.errors import InvalidRequest
from somafractalmemory.httpface.guard import BodyReader, GuardedRoute, JsonResponse, needs
from somafractalmemory.httpface.routes.describing import PROBLEMS, namespace_of, place, runtime_of, takes
from somafractalmemory.schemas.erasing import EraseRequest, EraseResponse
from somafractalmemory.security.callers import Scope

router = APIRouter(route_class=GuardedRoute, responses=PROBLEMS, tags=["system"])
read_erase = BodyReader(EraseRequest)
_SECONDS = 15.0


@router.post("/erase", response_model=EraseResponse, **takes(EraseRequest))
@needs(Scope.ADMIN)
async def erase(request: Request) -> Response:
    """Erase a memory or a whole namespace from every store, with a report; works for about 15 seconds at most."""
    body, namespace = await read_erase(request), namespace_of(request)
    eraser = runtime_of(request).service.eraser
    if body.coord is not None:
        done = await eraser.erase_place(namespace, place("coord", body.coord))
        return JsonResponse(done.as_json())
    if body.namespace != namespace:
        raise InvalidRequest(
            f"this request works in {namespace}: to erase another namespace, name it in X-Soma-Namespace, too",
            loc=("namespace",),
        )
    return JsonResponse((await eraser.erase_namespace(namespace, seconds=_SECONDS)).as_json())
