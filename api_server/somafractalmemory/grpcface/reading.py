"""From messages to the words of the service. Every mistake is told with the name of its field."""

from collections.abc import Sequence
from typing import Any

import orjson

from somafractalmemory.errors import InvalidCoordinate, InvalidPayload, InvalidRequest
from somafractalmemory.memory_pb2 import Coordinate as CoordinateMessage
from somafractalmemory.memory_pb2 import Memory as MemoryMessage
from somafractalmemory.memory_pb2 import RetrieveRequest
from somafractalmemory.model import Coordinate, MemoryType, canonical, coordinate_of
from somafractalmemory.model.wording import Mode, term_of
from somafractalmemory.schemas.recall import ExplainRequest
from somafractalmemory.usecases.bulkstoring import Item
from somafractalmemory.usecases.recalling import Question

NO_TYPE = frozenset({"", "memories", "default"})
"""What older clients send as the type: once it was the name of a collection of the index, and these were its defaults.

No other text is taken, because a type must never again pick where data goes.
"""


def place(message: CoordinateMessage, field: str) -> Coordinate:
    """Raises InvalidCoordinate."""
    try:
        return coordinate_of(list(message.values))
    except InvalidCoordinate as error:
        raise InvalidCoordinate(f"{field}: {error}", loc=(field,)) from None


def place_text(message: CoordinateMessage, field: str) -> str:
    """The place as the schemas take it. Raises InvalidCoordinate."""
    return canonical(place(message, field))


def wanted_type(text: str) -> MemoryType | None:
    """The type to look for; None for both. Raises InvalidRequest."""
    if text in NO_TYPE:
        return None
    try:
        return MemoryType(text)
    except ValueError:
        raise InvalidRequest("memory_type: it is episodic or semantic", loc=("memory_type",)) from None


def json_value(text: str, field: str) -> Any:
    """Raises InvalidPayload."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidPayload(f"{field}: it is not valid JSON: {error}", loc=(field,)) from None


def json_object(text: str, field: str) -> dict[str, Any]:
    """Raises InvalidPayload."""
    content = json_value(text, field)
    if not isinstance(content, dict):
        raise InvalidPayload(f"{field}: it is a JSON object", loc=(field,))
    return content


def item(memory: MemoryMessage) -> Item:
    """A memory to be stored; without a type it is episodic. Raises InvalidRequest."""
    return (
        place(memory.coord, "coord"),
        json_object(memory.payload_json, "payload_json"),
        wanted_type(memory.memory_type) or MemoryType.EPISODIC,
    )


def items(memories: Sequence[MemoryMessage]) -> list[Item]:
    """Memories to be stored together. Raises InvalidRequest that tells the number of the wrong one."""
    found = []
    for number, memory in enumerate(memories):
        try:
            found.append(item(memory))
        except InvalidRequest as error:
            raise InvalidRequest(f"item {number}: {error}", loc=("memories", number, *error.loc)) from None
    return found


def expected(message: Any) -> int | None:
    """The version that the memory must have; None for any."""
    return int(message.expected_version) if message.HasField("expected_version") else None


def at_most(messages: Sequence[Any], limit: int, field: str) -> None:
    """Raises InvalidRequest."""
    if len(messages) > limit:
        raise InvalidRequest(f"{field}: at most {limit}, not {len(messages)}; send several calls", loc=(field,))


def question(request: RetrieveRequest, *, namespace: str, hybrid: bool) -> Question:
    """A recall by text; `hybrid` is for those who do not say. Raises InvalidRequest or pydantic's ValidationError."""
    given: dict[str, Any] = {
        "query": request.text,
        "type": wanted_type(request.memory_type),
        "terms": list(request.terms),
        "case_sensitive": request.case_sensitive,
    }
    given |= {name: getattr(request, name) for name in ("hybrid", "boost", "exact") if request.HasField(name)}
    if request.top_k:
        given["top_k"] = request.top_k
    body = ExplainRequest.model_validate(given)
    mode = Mode.PHRASE if body.exact else Mode.SUBSTRING
    return Question(
        namespace=namespace,
        query=body.query,
        top_k=body.top_k,
        memory_type=body.type,
        filters=filters(request),
        hybrid=hybrid if body.hybrid is None else body.hybrid,
        terms=[term_of(text, mode, case_sensitive=body.case_sensitive, loc=("terms",)) for text in body.terms],
        boost=body.boost,
        context=json_object(request.context_json, "context_json") if request.context_json else {},
    )


def filters(request: RetrieveRequest) -> dict[str, Any]:
    """Raises InvalidPayload, InvalidRequest."""
    found = json_object(request.filters_json, "filters_json") if request.filters_json else {}
    at_most(list(found), 32, "filters_json")
    return found
