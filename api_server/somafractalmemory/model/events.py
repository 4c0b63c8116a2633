"""The event schema: what goes over `memory.events`, checked in both directions.

Our own events also carry `schema_version`, `version`, `coordinate`, `memory_type` and `model_revision`. Foreign
producers need only the six fields of the original schema (with its optional three); their `timestamp` may be an ISO
date or epoch seconds.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema, field_validator

from somafractalmemory.errors import InvalidCoordinate, InvalidPayload, PoisonEvent
from somafractalmemory.model import ROOT_ID, Memory, MemoryType, coordinate_of, searchable_text

SCHEMA_VERSION = 2
_LAST_SECOND = 1e11
EventType = Literal["created", "updated", "deleted", "linked"]


@dataclass(frozen=True, slots=True)
class MemoryEvent:
    """Something that happened to a memory. `payload_json` stays text: most of the time nobody needs it parsed."""

    event_id: UUID
    id: UUID
    namespace: str
    type: EventType
    timestamp: float
    payload_json: str
    version: int | None = None
    coordinate: tuple[float, ...] | None = None
    memory_type: str | None = None
    traceparent: str | None = None

    @property
    def foreign(self) -> bool:
        """Whether somebody else produced it, so that the truth may know nothing of it."""
        return self.version is None

    def foreign_memory(self) -> Memory:
        """What a foreign event says a memory is."""
        return foreign_memory(self.id, self.namespace, self.type, self.timestamp, orjson.loads(self.payload_json))

    def encoded(self, model_revision: str | None = None) -> bytes:
        """The message value; `model_revision` names the space that the memory's vectors live in."""
        fields = {
            "schema_version": SCHEMA_VERSION,
            "event_id": str(self.event_id),
            "id": str(self.id),
            "namespace": self.namespace,
            "type": self.type,
            "timestamp": datetime.fromtimestamp(self.timestamp, UTC).isoformat(),
            "payload": orjson.Fragment(self.payload_json),
            "version": self.version,
        }
        more = {"coordinate": self.coordinate, "memory_type": self.memory_type, "model_revision": model_revision}
        return orjson.dumps(fields | {name: value for name, value in more.items() if value is not None})


_MOMENT = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "number"}]}


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", title="memory.event")

    event_id: Annotated[
        str, Field(min_length=1, max_length=256, description="New for each event; what came once is not applied again.")
    ]
    id: Annotated[
        str, Field(min_length=1, max_length=256, description="The memory: the same for all events of one place.")
    ]
    namespace: Annotated[str, Field(min_length=1, max_length=128)]
    type: Annotated[EventType, Field(description="A link that was removed is `linked` with `removed` in its payload.")]
    timestamp: Annotated[float, WithJsonSchema({**_MOMENT, "description": "ISO 8601, or seconds since 1970."})]
    payload: Annotated[
        Any, Field(description="The caller's fields as they are now; both ends, type and weight of a link; {} if gone.")
    ]
    importance: float | None = None
    embedding: Annotated[list[float] | None, Field(description="Taken from nobody: vectors are made here.")] = None
    model_revision: Annotated[str | None, Field(description="Names the space of the publisher's vectors.")] = None
    schema_version: Annotated[int, Field(ge=1, le=SCHEMA_VERSION)] = 1
    version: Annotated[
        int | None, Field(ge=1, description="The memory's version after this; only the service itself writes it.")
    ] = None
    coordinate: Annotated[list[float] | None, Field(description="The memory's place.")] = None
    memory_type: Annotated[MemoryType | None, Field(description="Present when it was published.")] = None

    @field_validator("timestamp", mode="before")
    @classmethod
    def _moment(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def event_schema() -> dict[str, Any]:
    """The JSON Schema of a message value."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "description": f"A message on the topic of memory events, schema version {SCHEMA_VERSION}.",
        **_Wire.model_json_schema(),
    }


def decode_event(value: bytes | None) -> MemoryEvent:
    """Read a message value. Raises PoisonEvent with a reason that says what is wrong with it."""
    try:
        raw = orjson.loads(value or b"")
    except orjson.JSONDecodeError as error:
        raise PoisonEvent("not-json", f"the message is not JSON: {error}") from None
    try:
        wire = _Wire.model_validate(raw)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:5])
        raise PoisonEvent("schema", f"the event breaks its schema: {problems}") from None
    event = MemoryEvent(
        event_id=_as_uuid(wire.event_id),
        id=_as_uuid(wire.id),
        namespace=wire.namespace,
        type=wire.type,
        timestamp=wire.timestamp,
        payload_json=orjson.dumps(wire.payload).decode(),
        version=wire.version,
        coordinate=None if wire.coordinate is None else tuple(wire.coordinate),
        memory_type=wire.memory_type,
    )
    if event.foreign:
        _check_foreign(wire)
    return event


def foreign_memory(memory_id: UUID, namespace: str, kind_of_event: str, timestamp: float, payload: Any) -> Memory:
    """What a foreign event says a memory is. Its time serves as its version: the latest event wins."""
    fields: dict[str, Any] = payload if isinstance(payload, dict) else {"value": payload}
    kind = fields.get("memory_type")
    return Memory(
        id=memory_id,
        namespace=namespace,
        coordinate=_coordinate(fields.get("coordinate")),
        memory_type=MemoryType(kind) if kind in set(MemoryType) else MemoryType.EPISODIC,
        payload={} if kind_of_event == "deleted" else fields,
        importance=_number(fields.get("importance"), 1.0),
        timestamp=timestamp,
        version=version_of_foreign(timestamp),
        created_at=timestamp,
        updated_at=timestamp,
        deleted=kind_of_event == "deleted",
    )


def version_of_foreign(timestamp: float) -> int:
    """The time of a foreign event in milliseconds, as the version of what it tells of."""
    return max(1, round(timestamp * 1000))


def _check_foreign(wire: _Wire) -> None:
    """What others send has not passed the API's limits yet."""
    try:
        searchable_text(wire.payload if isinstance(wire.payload, dict) else {"value": wire.payload})
    except InvalidPayload as error:
        raise PoisonEvent("payload", str(error)) from None
    if not abs(wire.timestamp) <= _LAST_SECOND:
        raise PoisonEvent("schema", "the timestamp is no time on Earth")


def _coordinate(value: Any) -> tuple[float, ...]:
    """A foreign memory may have no place of its own."""
    try:
        return coordinate_of([float(number) for number in value])
    except (InvalidCoordinate, TypeError, ValueError):
        return ()


def _number(value: Any, default: float) -> float:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e9
    return float(value) if usable else default


def _as_uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return uuid5(ROOT_ID, text)
