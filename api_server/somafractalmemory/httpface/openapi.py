"""The OpenAPI document: what FastAPI knows of the routes, with all that the guard does before and after each."""

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from somafractalmemory.httpface.apiexamples import EXAMPLES
from somafractalmemory.httpface.guard import GuardedRoute
from somafractalmemory.httpface.routes.describing import without_null
from somafractalmemory.model import MAX_COORDINATE_TEXT
from somafractalmemory.schemas import erasing, graph, memories, recall, reflection, values
from somafractalmemory.schemas.recall import RecallRequest

DESCRIPTION = """\
Memories at coordinates, recalled by meaning and by words.

Every operation but the probes needs a bearer token and counts against its budget, which every answer tells in
`RateLimit-*`. Writes can be repeated safely with an `Idempotency-Key`. Errors are problem details (RFC 9457).
"""
TAGS = [
    {"name": "memories", "description": "Store, recall, find, change and delete memories."},
    {"name": "graph", "description": "Links between memories, and ways along them."},
    {"name": "reflection", "description": "Remembering without a question, and learning from what was."},
    {"name": "transfer", "description": "A whole namespace out and in."},
    {"name": "system", "description": "Health, counts, the audit, erasing."},
]
MODELS: tuple[type[BaseModel], ...] = (
    *memories.BODIES,
    *recall.BODIES,
    *graph.BODIES,
    *reflection.BODIES,
    *erasing.BODIES,
)
_TEXT = {"type": "string"}
_NUMBER = {"type": "integer", "minimum": 0}
PARAMETERS = {
    "Namespace": {
        "name": "X-Soma-Namespace",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9._:-]{0,127}$"},
        "description": "Where the request works; without it, in the token's own namespace or the service's default.",
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
        "description": "Makes repeating this very request safe for 24 hours: it is done once and answered alike.",
    },
}
HEADERS = {
    "RateLimit-Limit": {"schema": _NUMBER, "description": "Requests in a window, for this token on this route."},
    "RateLimit-Remaining": {"schema": _NUMBER, "description": "How many of them are left."},
    "RateLimit-Reset": {"schema": _NUMBER, "description": "Seconds until the window ends."},
    "Retry-After": {"schema": _NUMBER, "description": "Seconds to wait before asking again."},
    "ETag": {"schema": _TEXT, "description": "The memory's version, for If-Match."},
    "WWW-Authenticate": {"schema": _TEXT, "description": "How to authenticate."},
    "Idempotency-Replayed": {"schema": _TEXT, "description": "`true` when the answer is that of an earlier request."},
}
_MALFORMED = {
    "description": "The HTTP message itself is malformed, or its address has more than 64 KiB",
    "content": {"text/plain": {"schema": {"type": "string"}}},
}
_WAIT = ("Retry-After",)
_COORD = {
    "type": "string",
    "maxLength": MAX_COORDINATE_TEXT,
    "pattern": memories.COORD_PATTERN,
    "examples": ["1,2,3"],
}
_BUDGET = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def document_of(app: FastAPI, routers: Sequence[APIRouter]) -> dict[str, Any]:
    """The whole document, the same in every environment."""
    document = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, tags=TAGS, routes=app.routes)
    components = document.setdefault("components", {})
    _add_models(components.setdefault("schemas", {}))
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    components["parameters"] = PARAMETERS
    components["headers"] = HEADERS
    document["paths"]["/recall"]["get"]["parameters"] = _recall_parameters()
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"]["400"] = _MALFORMED
    document["paths"]["/store"]["post"]["responses"]["200"]["links"] = _links()
    for path, method, route in _guarded(routers):
        _guard(document["paths"][path][method], route)
    referred: dict[str, Any] = values.referring(document)
    return referred


def _add_models(shown: dict[str, Any]) -> None:
    """Bodies that routes read themselves, and an example for each model that has one."""
    for model in MODELS:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        shown.update(schema.pop("$defs", {}))
        shown[model.__name__] = schema
    shown[values.VALUE] = values.JSON_VALUE
    for name, example in EXAMPLES.items():
        if name in shown:
            shown[name].setdefault("examples", [example])


def _recall_parameters() -> list[dict[str, Any]]:
    """Those of a recall in the query string; `filters` is a JSON object as text."""
    properties = RecallRequest.model_json_schema(ref_template="#/components/schemas/{model}")["properties"]
    parameters = []
    for name, schema in properties.items():
        shown: dict[str, Any] = {"schema": without_null(schema)}
        if name == "filters":
            shown = {"content": {"application/json": {**shown, "example": {"mood": "serene"}}}}
        parameters.append({"name": name, "in": "query", "required": name == "query", **shown})
    return parameters


def _guarded(routers: Sequence[APIRouter]) -> Iterator[tuple[str, str, GuardedRoute]]:
    for router in routers:
        for route in router.routes:
            if isinstance(route, GuardedRoute) and route.include_in_schema:
                for method in route.methods or ():
                    yield route.path, method.lower(), route


def _guard(operation: dict[str, Any], route: GuardedRoute) -> None:
    """Token, namespace, budget, key; and problems as what they are."""
    operation["security"] = [{"bearer": []}]
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "coord" and parameter["in"] == "path":
            parameter["schema"] = _COORD
    parameters = [*operation.get("parameters", []), _ref("parameters", "Namespace")]
    responses = operation["responses"]
    if route.writes:
        parameters.append(_ref("parameters", "IdempotencyKey"))
        responses["409"] = {"description": "A request with this Idempotency-Key is under way; see Retry-After"}
    operation["parameters"] = parameters
    for status, response in responses.items():
        if status == "400":
            continue
        if status > "400":
            schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
            response["content"] = {"application/problem+json": schema}
        names = _headers(status, writes=route.writes)
        if status == "200" and ("412" in responses or route.path == "/memories/{coord}"):
            names.append("ETag")
        response["headers"] = {name: _ref("headers", name) for name in names}
    operation["responses"] = dict(sorted(responses.items()))


def _links() -> dict[str, Any]:
    """Where to go on from a stored memory: to all that is under its coordinate."""
    taken = {"coord": "$request.body#/coord"}
    return {
        name: {"operationRef": f"#/paths/{path.replace('/', '~1')}/{method}", "parameters": taken}
        for name, method, path in (
            ("look", "get", "/memories/{coord}"),
            ("amend", "patch", "/memories/{coord}"),
            ("weigh", "put", "/memories/{coord}/importance"),
            ("trace", "get", "/memories/{coord}/versions"),
            ("forget", "delete", "/memories/{coord}"),
            ("neighbors", "get", "/neighbors"),
        )
    }


def _headers(status: str, *, writes: bool) -> list[str]:
    names = [] if status == "401" else [*_BUDGET]
    if status in {"409", "429", "503"}:
        names += _WAIT
    if status == "401":
        names.append("WWW-Authenticate")
    if status == "200" and writes:
        names.append("Idempotency-Replayed")
    return names


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}
