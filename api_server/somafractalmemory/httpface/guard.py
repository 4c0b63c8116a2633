"""The thin way from ASGI to a handler: token and rate limit before the body is read, the body counted while it is."""

import time
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Any, TypeVar

import orjson
from fastapi.routing import APIRoute
from prometheus_client import Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from somafractalmemory import telemetry
from somafractalmemory.errors import RateLimited
from somafractalmemory.httpface.bodies import BodyReader, timely_body
from somafractalmemory.model import Budget
from somafractalmemory.ports.repeats import Answered, KeyScope, check_key
from somafractalmemory.runtime import Runtime
from somafractalmemory.security.admission import Admitted
from somafractalmemory.security.callers import Scope as Permission

__all__ = ["BodyReader", "GuardedRoute", "JsonResponse", "RequestMetrics", "needs", "takes_lines"]

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
_LEASE_SECONDS = 60.0
_STREAM_LEASE_SECONDS = 600.0
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


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
        request = Request(scope, receive, send)
        key = _header(scope, b"idempotency-key")
        if key is None or not self.writes:
            response: Response = await self.endpoint(request, **scope["path_params"])
        else:
            response = await self._once(request, check_key(key))
        # Not through `headers`, which looks for each name among all others first.
        response.raw_headers += [(name.encode(), value.encode()) for name, value in scope.get("soma.headers", ())]
        await response(scope, receive, send)

    @property
    def writes(self) -> bool:
        """Whether it changes anything, so that a key can keep a repetition from doing so."""
        methods = self.methods or set()
        return not methods & {"GET", "HEAD"} and getattr(self.endpoint, "needs", None) is not Permission.READ

    async def _once(self, request: Request, key: str) -> Response:
        """Do the request unless its key was answered before. A body of lines is taken for what its URL says."""
        scope, runtime = request.scope, request.app.state.runtime
        admitted: Admitted = scope["soma.admitted"]
        takes = getattr(self.endpoint, "takes_lines", None)
        streamed = takes is not None and takes(request)
        if not streamed:
            scope["soma.body"] = await timely_body(request, runtime.settings)
        answer, again = await runtime.service.repeating.once(
            KeyScope(admitted.caller.name, admitted.namespace, f"{scope['method']} {self.path}", key),
            _digest(request),
            lambda: self._answered(request),
            lease_seconds=_STREAM_LEASE_SECONDS if streamed else _LEASE_SECONDS,
        )
        headers = {**dict(answer.headers), **({"idempotency-replayed": "true"} if again else {})}
        return Response(answer.body, answer.status, headers)

    async def _answered(self, request: Request) -> Answered:
        response: Response = await self.endpoint(request, **request.scope["path_params"])
        kept = [(name, value) for name, value in response.headers.items() if name != "content-length"]
        return Answered(response.status_code, kept, bytes(response.body))

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


def takes_lines(when: Callable[[Request], bool] = lambda _: True) -> Callable[[Endpoint], Endpoint]:
    """Mark a route whose body is a stream of lines, always or when the request says so."""

    def marked(endpoint: Endpoint) -> Endpoint:
        endpoint.takes_lines = when  # type: ignore[attr-defined]
        return endpoint

    return marked


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
        requests, responses, latency = _series(endpoint, method, status)
        requests.inc()
        responses.inc()
        latency.observe(seconds)
        if status == "404":
            telemetry.NOT_FOUND.inc()


@lru_cache(maxsize=1000)
def _series(endpoint: str, method: str, status: str) -> tuple[Counter, Counter, Histogram]:
    """Looking them up by their labels costs more than counting."""
    return (
        telemetry.REQUESTS.labels(endpoint, method),
        telemetry.RESPONSES.labels(endpoint, method, status),
        telemetry.LATENCY.labels(endpoint, method),
    )


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None


def _digest(request: Request) -> bytes:
    """What makes two requests of one key the same: where they go, under which condition, and their body."""
    scope = request.scope
    parts = (scope["raw_path"], scope["query_string"], _header(scope, b"if-match"), scope.get("soma.body"))
    return sha256(repr(parts).encode()).digest()


def _budget_headers(budget: Budget) -> list[tuple[str, str]]:
    return [
        ("ratelimit-limit", str(budget.limit)),
        ("ratelimit-remaining", str(max(budget.remaining, 0))),
        ("ratelimit-reset", str(max(round(budget.reset_seconds + 0.5), 1))),
    ]
