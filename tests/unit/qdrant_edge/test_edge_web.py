"""The bare ASGI application: routing, keys, envelopes."""

from typing import Any

import orjson
import pytest

from qdrant_edge_server.errors import Unauthorized, message_of, status_of
from qdrant_edge_server.metrics import Metrics
from qdrant_edge_server.web import Keys, Request, WebApp


async def echo(request: Request) -> Any:
    return {"name": request.name, "last": request.last, "body": await request.json(), "wait": request.flag("wait")}


async def broken(_: Request) -> Any:
    raise RuntimeError("on purpose")


ROUTES = {
    "GET /collections": echo,
    "PUT /collections/*": echo,
    "POST /collections/*/points/query": echo,
    "DELETE /collections/*/index/*": echo,
    "GET /broken": broken,
}


async def ask(method: str, path: str, body: bytes = b"", query: bytes = b"", key: str = "") -> tuple[int, Any]:
    web = WebApp(ROUTES, frozenset({"/open"}), Keys(key, ""), Metrics(lambda: 0, lambda: 0, "1"), max_body_bytes=100)
    scope = {"method": method, "path": path, "raw_path": path.encode(), "query_string": query, "headers": []}
    parts: list[dict[str, Any]] = [
        {"type": "http.request", "body": body[:5], "more_body": True},
        {"type": "http.request", "body": body[5:]},
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return parts.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await web(scope, receive, send)
    return sent[0]["status"], orjson.loads(sent[1]["body"])


@pytest.mark.parametrize(
    ("method", "path", "name", "last"),
    [
        ("GET", "/collections", "", "collections"),
        ("PUT", "/collections/a%2Fb", "a/b", "a/b"),
        ("POST", "/collections/a/points/query", "a", "query"),
        ("DELETE", "/collections/a/index/x.y", "a", "x.y"),
    ],
)
async def test_a_path_finds_its_route_and_parameters(method: str, path: str, name: str, last: str) -> None:
    status, answer = await ask(method, path)

    assert status == 200
    assert answer["status"] == "ok"
    assert (answer["result"]["name"], answer["result"]["last"]) == (name, last)


@pytest.mark.parametrize("path", ["/", "/nothing", "/collections/a/points/other", "/collections/a/b/c/d"])
async def test_an_unknown_path_is_not_found(path: str) -> None:
    status, answer = await ask("GET", path)

    assert status == 404
    assert "has no route" in answer["status"]["error"]


async def test_a_body_in_pieces_is_put_together() -> None:
    _, answer = await ask("PUT", "/collections/a", b'{"long": "enough"}', b"ordering=weak&wait=true")

    assert answer["result"]["body"] == {"long": "enough"}
    assert answer["result"]["wait"] is True


@pytest.mark.parametrize(
    ("body", "status"), [(b"{not json", 400), (b"[1, 2]", 400), (b'{"x": "' + b"y" * 200 + b'"}', 413)]
)
async def test_a_bad_body_is_refused(body: bytes, status: int) -> None:
    assert (await ask("PUT", "/collections/a", body))[0] == status


async def test_an_unexpected_error_is_a_500_in_the_same_shape() -> None:
    status, answer = await ask("GET", "/broken")

    assert status == 500
    assert answer["status"]["error"] == "on purpose"


async def test_without_the_key_nothing_is_told_about_what_exists() -> None:
    assert (await ask("GET", "/collections", key="secret"))[0] == 401
    assert (await ask("GET", "/nothing", key="secret"))[0] == 401


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "collections/a", True),
        ("POST", "collections/a/points/query", True),
        ("POST", "collections/a/points", True),
        ("POST", "collections/a/points/batch", False),
        ("POST", "collections/a/points/delete", False),
        ("PUT", "collections/a/points", False),
    ],
)
def test_the_read_only_key_reads_only(method: str, path: str, allowed: bool) -> None:
    keys = Keys("full", "reader")
    try:
        keys.check({b"api-key": b"reader"}, method, path.split("/"))
        refused = False
    except Unauthorized:
        refused = True

    assert refused is not allowed


def test_the_engines_own_faults_are_not_blamed_on_the_client() -> None:
    fault, mistake = Exception("Service runtime error: disk full"), Exception("Not existing vector name error: x")

    assert (status_of(fault), status_of(mistake), status_of(KeyError("ids"))) == (500, 400, 400)
    assert message_of(KeyError("ids")) == "Format error in JSON body: missing field `ids`"
