"""What every route says of itself in the OpenAPI document, and where it finds the service."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from pydantic import BaseModel

from somafractalmemory.errors import InvalidCoordinate, InvalidRequest
from somafractalmemory.model import Coordinate, parse_coordinate
from somafractalmemory.runtime import Runtime
from somafractalmemory.schemas.memories import Problem
from somafractalmemory.security.admission import Admitted

PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "description": text}
    for code, text in {
        401: "No bearer token",
        403: "Unknown token",
        422: "The request breaks a rule",
        429: "Too many requests; see Retry-After",
        503: "A required store is away; see Retry-After",
    }.items()
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "No memory lives there"}}
WITH_BODY: dict[int | str, dict[str, Any]] = {
    408: {"model": Problem, "description": "The body did not come in time"},
    413: {"model": Problem, "description": "The body is too large"},
}


MISMATCH: dict[int | str, dict[str, Any]] = {412: {"model": Problem, "description": "Another version than If-Match"}}
NOTHING: Mapping[int | str, dict[str, Any]] = {}
IF_MATCH: dict[str, Any] = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": r'^(\*|"[0-9]{1,18}"|[0-9]{1,18})$', "examples": ['"3"']},
    "description": 'The version that the memory must have, as its ETag says: `"3"`.',
}


def body_schema(model: type[BaseModel]) -> dict[str, Any]:
    """How a route that reads its own body shows it in the OpenAPI document."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
    return {"requestBody": {"required": True, "content": content}}


def lines_body(description: str) -> dict[str, Any]:
    """A body of lines."""
    return {"application/x-ndjson": {"schema": {"description": description}}}


def either_body(model: type[BaseModel], description: str) -> dict[str, Any]:
    """A body that is one JSON object, or lines of them."""
    described = body_schema(model)
    described["requestBody"]["content"] |= lines_body(description)
    return described


def takes(model: type[BaseModel], more: Mapping[int | str, dict[str, Any]] = NOTHING) -> dict[str, Any]:
    """The arguments of a route with a body, which may answer with `more`, too."""
    return {"openapi_extra": body_schema(model), "responses": {**WITH_BODY, **more}}


def asks(model: type[BaseModel]) -> dict[str, Any]:
    """The arguments of a route whose parameters are in the query string."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    required = schema.get("required", ())
    parameters = [
        {"name": name, "in": "query", "required": name in required, "schema": without_null(shown)}
        for name, shown in schema["properties"].items()
    ]
    return {"openapi_extra": {"parameters": parameters}}


def without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a parameter: what is not given is left out of a query string, there is no null in it."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind.get("type") != "null"]
    rest = {key: value for key, value in schema.items() if key != "anyOf" and not (key == "default" and value is None)}
    return {**rest, **kinds[0]} if len(kinds) == 1 else dict(schema)


def place(field: str, text: str) -> Coordinate:
    """The place that a field names. Raises InvalidCoordinate, which names the field."""
    try:
        return parse_coordinate(text)
    except InvalidCoordinate as error:
        raise InvalidCoordinate(f"{field}: {error}", loc=(field,)) from None


def namespace_of(request: Request) -> str:
    """The namespace that this request was let into."""
    admitted: Admitted = request.scope["soma.admitted"]
    return admitted.namespace


def runtime_of(request: Request) -> Runtime:
    """What the lifespan opened."""
    runtime: Runtime = request.app.state.runtime
    return runtime


def expected_version(request: Request) -> int | None:
    """The version of If-Match; `*` is any. Raises InvalidRequest."""
    text = request.headers.get("if-match", "*").strip()
    if text == "*":
        return None
    number = text.strip('"')
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        raise InvalidRequest('If-Match is a version in quotes, such as "3", or *', loc=("header", "If-Match"))
    return int(number)
