"""The thin way from ASGI to a handler: token and rate limit before the body is read, the body counted while it is."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import orjson
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from somafractalmemory import telemetry
from somafractalmemory.admission import Admission, Admitted
from somafractalmemory.callers import Scope as Permission
from somafractalmemory.errors import InvalidRequest, RateLimited, SlowBody, TooLarge
from somafractalmemory.health import Health
from somafractalmemory.model import Budget
from somafractalmemory.service import MemoryService
from somafractalmemory.settings import Settings

Body = TypeVar("Body", bound=BaseModel)
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
NAMESPACE_HEADER = b"x-soma-namespace"
_NEEDS = {
    "GET": Permission.READ,
    "HEAD": Permission.READ,
    "POST": Permission.WRITE,
    "PUT": Permission.WRITE,
    "PATCH": Permission.WRITE,
    "DELETE": Permission.WRITE,
}
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class Runtime(Protocol):
    """What routes find in `request.app.state.runtime`."""

    @property
    def settings(self) -> Settings: ...
    @property
    def service(self) -> MemoryService: ...
    @property
    def admission(self) -> Admission: ...
    @property
    def health(self) -> Health: ...


class JsonResponse(Response):
    """orjson's bytes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS)


class GuardedRoute(APIRoute):
    """A route behind the guard, and the short way into it.

    FastAPI describes the route in the OpenAPI document; at run time its endpoint is called directly, because the
    framework's dependency machinery costs more than the whole of `/store`. Endpoints take the request and the path's
    parameters as texts, and return a response.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through once its token is known and within its budget. Raises the refusal."""
        if scope["method"] not in (self.methods or ()):
            raise HTTPException(status_code=405, headers={"Allow": ", ".join(sorted(self.methods or ()))})
        scope["soma.admitted"] = await self._admit(scope)
        response: Response = await self.endpoint(Request(scope, receive, send), **scope["path_params"])
        for name, value in scope.get("soma.headers", ()):
            response.headers[name] = value
        await response(scope, receive, send)

    async def _admit(self, scope: Scope) -> Admitted:
        runtime: Runtime = scope["app"].state.runtime
        try:
            admitted = await runtime.admission.admit(
                authorization=_header(scope, b"authorization"),
                namespace=_header(scope, NAMESPACE_HEADER),
                operation=self.path,
                needs=getattr(self.endpoint, "needs", _NEEDS[scope["method"]]),
                request_id=_header(scope, b"x-request-id"),
            )
        except RateLimited as error:
            if isinstance(error.budget, Budget):
                scope["soma.headers"] = _budget_headers(error.budget)
            raise
        if admitted.budget is not None:
            scope["soma.headers"] = _budget_headers(admitted.budget)
        return admitted


def needs(scope: Permission) -> Callable[[Endpoint], Endpoint]:
    """What a route's token must allow, where the method alone does not say it."""

    def marked(endpoint: Endpoint) -> Endpoint:
        endpoint.needs = scope  # type: ignore[attr-defined]
        return endpoint

    return marked


class BodyReader(Generic[Body]):
    """Reads and checks a JSON body, much faster than the framework's own machinery."""

    def __init__(self, model: type[Body]) -> None:
        self._model = model

    async def __call__(self, request: Request) -> Body:
        """Raises TooLarge, SlowBody, InvalidRequest or pydantic's ValidationError."""
        settings: Settings = request.app.state.runtime.settings
        try:
            async with asyncio.timeout(settings.body_timeout_seconds):
                raw = await read_body(request, settings.max_body_bytes)
        except TimeoutError:
            raise SlowBody(f"the body did not come within {settings.body_timeout_seconds:g} s") from None
        try:
            content = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise InvalidRequest(f"the body is not valid JSON: {error}", loc=("body",)) from None
        if not isinstance(content, dict):
            raise InvalidRequest("the body is a JSON object", loc=("body",))
        return self._model.model_validate(content)


async def read_body(request: Request, limit: int | None) -> bytes:
    """The whole body, chunked or not. Raises TooLarge as soon as it exceeds `limit`."""
    declared = request.headers.get("content-length", "")
    if limit is not None and declared.isdigit() and int(declared) > limit:
        raise TooLarge("Request entity too large")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if limit is not None and size > limit:
            raise TooLarge("Request entity too large")
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


class RequestMetrics:
    """Counts requests and times them, by route template so that no client can invent series."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), "500"

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            self._record(scope, status, time.perf_counter() - started)

    @staticmethod
    def _record(scope: Scope, status: str, seconds: float) -> None:
        endpoint = getattr(scope.get("route"), "path", None) or "unmatched"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        telemetry.REQUESTS.labels(endpoint, method).inc()
        telemetry.RESPONSES.labels(endpoint, method, status).inc()
        telemetry.LATENCY.labels(endpoint, method).observe(seconds)
        if status == "404":
            telemetry.NOT_FOUND.inc()


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None


def _budget_headers(budget: Budget) -> list[tuple[str, str]]:
    return [
        ("ratelimit-limit", str(budget.limit)),
        ("ratelimit-remaining", str(max(budget.remaining, 0))),
        ("ratelimit-reset", str(max(round(budget.reset_seconds + 0.5), 1))),
    ]
