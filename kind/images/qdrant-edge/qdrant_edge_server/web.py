"""HTTP around the routes: routing, the key, body limits, JSON envelopes, errors, metrics. A bare ASGI application.

Bare, because this is on the path of every recall: a request costs a dictionary look-up here, and no middleware.
"""

import hmac
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson

from .errors import BadRequest, NotFound, TooLarge, Unauthorized, message_of, status_of
from .metrics import Metrics

_LOG = logging.getLogger(__name__)
_JSON = b"application/json"

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Request:
    """What a route sees of a request."""

    name: str
    """The collection in the path."""
    last: str
    """The last part of the path, where the route has a second parameter."""
    query_string: bytes
    content_type: bytes
    receive: Receive
    max_body_bytes: int

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives."""
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise BadRequest("the client went away")
            yield message.get("body", b"")
            if not message.get("more_body"):
                return

    async def json(self) -> dict[str, Any]:
        """The body as a JSON object; raises TooLarge over the limit."""
        body = bytearray()
        async for chunk in self.chunks():
            body += chunk
            if len(body) > self.max_body_bytes:
                raise TooLarge(
                    f"Payload error: JSON payload is larger than allowed (limit: {self.max_body_bytes} bytes)"
                )
        parsed = orjson.loads(body or b"{}")
        if not isinstance(parsed, dict):
            raise BadRequest("Format error in JSON body: an object is expected")
        return parsed

    def flag(self, name: str) -> bool:
        """Whether the query string says NAME=true."""
        return self.query(name) == "true"

    def query(self, name: str) -> str | None:
        """A parameter of the query string."""
        if not self.query_string:
            return None
        values = parse_qs(self.query_string.decode("latin-1")).get(name)
        return values[-1] if values else None


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that is not JSON in Qdrant's envelope: text, or a file in chunks."""

    chunks: AsyncIterator[bytes] | bytes
    content_type: bytes = b"text/plain; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


Handler = Callable[[Request], Awaitable[Any]]


class WebApp:
    """Routes are given as `METHOD /path`, `*` standing for the collection (second part) or any last part."""

    def __init__(
        self,
        routes: Mapping[str, Handler],
        open_paths: frozenset[str],
        keys: "Keys",
        metrics: Metrics,
        max_body_bytes: int,
    ) -> None:
        self._routes = routes
        self._open_paths = open_paths
        self._keys = keys
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        route = "unknown"
        try:
            parts = [unquote(part) for part in scope["raw_path"].decode("ascii").split("/")[1:]]
            headers = dict(scope["headers"])
            if scope["path"] not in self._open_paths:
                self._keys.check(headers, scope["method"], parts)
            route, handler = self._find(scope["method"], parts)
            name = parts[1] if len(parts) > 1 else ""
            request = Request(
                name, parts[-1], scope["query_string"], headers.get(b"content-type", b""), receive, self._max_body_bytes
            )
            result = await handler(request)
            if isinstance(result, Reply):
                status = await _send_reply(send, result)
            else:
                envelope = {"result": result, "status": "ok", "time": time.perf_counter() - started}
                status = await _send_json(send, HTTPStatus.OK, envelope)
        except Exception as error:
            status = await _send_error(send, error, started)
        self._metrics.request(scope["method"], route, status, time.perf_counter() - started)

    def _find(self, method: str, parts: list[str]) -> tuple[str, Handler]:
        tail = "/".join(parts[2:])
        collection = "/*" if len(parts) > 1 else ""
        key = f"{method} /{parts[0]}{collection}{'/' if tail else ''}{tail}"
        if (handler := self._routes.get(key)) is not None:
            return key, handler
        key = key.rpartition("/")[0] + "/*"
        if (handler := self._routes.get(key)) is not None:
            return key, handler
        raise NotFound(f"Not found: qdrant-edge has no route {method} /{'/'.join(parts)}")


class Keys:
    """The API keys; no key set means an open server, as with Qdrant."""

    _READS = ("points", "scroll", "count", "query", "batch", "facet")

    def __init__(self, api_key: str, read_only_api_key: str) -> None:
        self._full = api_key.encode()
        self._read_only = read_only_api_key.encode()

    def check(self, headers: dict[bytes, bytes], method: str, parts: list[str]) -> None:
        """Raises Unauthorized for a missing or wrong key; compares in constant time."""
        if not self._full:
            return
        given = headers.get(b"api-key") or headers.get(b"authorization", b"").removeprefix(b"Bearer ")
        if not given:
            raise Unauthorized("Must provide an API key or an Authorization bearer token")
        if hmac.compare_digest(given, self._full):
            return
        if self._read_only and hmac.compare_digest(given, self._read_only) and self._is_read(method, parts):
            return
        raise Unauthorized("Invalid API key")

    def _is_read(self, method: str, parts: list[str]) -> bool:
        if method == "GET":
            return True
        return method == "POST" and len(parts) > 2 and parts[-1] in self._READS and parts[2:] != ["points", "batch"]


async def _send_json(send: Send, status: HTTPStatus, body: Any) -> HTTPStatus:
    return await _send_reply(send, Reply(orjson.dumps(body), _JSON, status))


async def _send_reply(send: Send, reply: Reply) -> HTTPStatus:
    headers = [(b"content-type", reply.content_type), *reply.headers]
    if isinstance(reply.chunks, bytes):
        headers.append((b"content-length", b"%d" % len(reply.chunks)))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.chunks})
        return reply.status
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    async for chunk in reply.chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body"})
    return reply.status


async def _send_error(send: Send, error: Exception, started: float) -> HTTPStatus:
    status = status_of(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOG.error("a request failed", exc_info=error)
    return await _send_json(
        send, status, {"status": {"error": message_of(error)}, "time": time.perf_counter() - started}
    )
