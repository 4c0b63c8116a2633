"""The ASGI application: what it opens, its routes, and the one table from errors to HTTP statuses."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from somafractalmemory import __version__, errors, tracing
from somafractalmemory.httpface.guard import GuardedRoute, JsonResponse, RequestMetrics
from somafractalmemory.httpface.openapi import document_of
from somafractalmemory.httpface.routes import (
    audit,
    erasing,
    graph,
    health,
    lookups,
    memories,
    places,
    recall,
    reflection,
    transfer,
)
from somafractalmemory.httpface.shortway import Answer, ShortWay, fixed_routes
from somafractalmemory.httpface.traced import TracedRequests
from somafractalmemory.model.mistakes import mistakes, told
from somafractalmemory.runtime import Runtime
from somafractalmemory.settings import Settings

log = structlog.get_logger(__name__)

STATUSES: dict[type[errors.SomaError], HTTPStatus] = {
    errors.InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Rejected: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.VersionMismatch: HTTPStatus.PRECONDITION_FAILED,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.InProgress: HTTPStatus.CONFLICT,
    errors.SlowBody: HTTPStatus.REQUEST_TIMEOUT,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
ROUTERS = (
    memories.router,
    places.router,
    recall.router,
    lookups.router,
    graph.router,
    reflection.router,
    transfer.router,
    audit.router,
    erasing.router,
    health.router,
)
EXPOSED = (
    *("ETag", "Retry-After", "Idempotency-Replayed"),
    *("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"),
)
Opener = Callable[[Settings], AbstractAsyncContextManager[Runtime]]


class Application(FastAPI):
    """The framework's application, with the short way in front of it."""

    def __init__(self, settings: Settings, open_runtime: Opener) -> None:
        """Opens its stores with `open_runtime` when it starts."""

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            async with open_runtime(settings) as runtime:
                app.state.runtime = runtime
                yield

        super().__init__(
            title="SomaFractalMemory API", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None
        )
        for router in ROUTERS:
            self.include_router(router)
        for kind, answer in ANSWERS.items():
            self.add_exception_handler(kind, answer)
        self.add_exception_handler(Exception, on_bug)
        self._front = _in_front_of(super().__call__, settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        await self._front(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = document_of(self, ROUTERS)
        return self.openapi_schema


def create_app(settings: Settings, open_runtime: Opener) -> FastAPI:
    """An application that opens its stores with `open_runtime` when it starts."""
    return Application(settings, open_runtime)


def _in_front_of(framework: ASGIApp, settings: Settings) -> ASGIApp:
    """What every request passes before the framework: outermost last."""
    front: ASGIApp = ShortWay(framework, routes=fixed_routes(ROUTERS, GuardedRoute), answers=ANSWERS, on_bug=on_bug)
    front = RequestMetrics(front)
    if tracing.active():
        front = TracedRequests(front)
    if settings.cors_origins:
        front = CORSMiddleware(
            front,
            allow_origins=list(settings.cors_origins),
            allow_credentials=True,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
            allow_headers=["*"],
            expose_headers=EXPOSED,
            max_age=600,
        )
    return front


def problem(status: int, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> Response:
    """An RFC 9457 answer."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return JsonResponse(body, status, headers=headers, media_type="application/problem+json")


async def on_soma_error(request: Request, error: Exception) -> Response:
    """The table above, with what the caller needs to try again."""
    status = next(
        (STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), HTTPStatus.INTERNAL_SERVER_ERROR
    )
    headers = dict(request.scope.get("soma.headers", ()))
    if isinstance(error, errors.SomaError) and error.retry_after_seconds is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after_seconds + 0.5)))
    if status is HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    more = {}
    if isinstance(error, errors.InvalidRequest) and error.loc:
        more["errors"] = [{"loc": list(error.loc), "msg": str(error), "type": "value_error"}]
    return problem(status, str(error), headers=headers, **more)


async def on_validation_error(request: Request, error: Exception) -> Response:
    """422 with every wrong field; the values themselves are not repeated."""
    listed = mistakes(error) if isinstance(error, ValidationError) else []
    headers = dict(request.scope.get("soma.headers", ()))
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, told(listed, whole="body"), headers=headers, errors=listed)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Unknown paths and methods; a wrong method is told all right ones, not only those of the first route."""
    if not isinstance(error, HTTPException):
        raise error
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(_allowed(request))) or headers.get("Allow", "")
    return problem(error.status_code, str(error.detail), headers=headers)


def _allowed(request: Request) -> set[str]:
    """Every method that some route of this path takes."""
    return {
        method
        for router in ROUTERS  # the application's own list is nested
        for route in router.routes
        if route.matches(request.scope)[0] is not Match.NONE
        for method in getattr(route, "methods", None) or ()
    }


async def on_hang_up(_: Request, __: Exception) -> Response:
    """The caller went away in the middle of its body: no bug, and nobody reads this."""
    return problem(HTTPStatus.BAD_REQUEST, "the body ended too early")


async def on_bug(request: Request, error: Exception) -> Response:
    """Something we did not foresee: still JSON, and logged with its traceback."""
    log.error("unexpected_error", path=request.url.path, exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "an unexpected error was logged; please report it")


ANSWERS: dict[type[Exception], Answer] = {
    errors.SomaError: on_soma_error,
    ValidationError: on_validation_error,
    HTTPException: on_http_exception,
    ClientDisconnect: on_hang_up,
}
