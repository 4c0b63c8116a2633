"""The event schema: what goes over `memory.events`, checked in both directions.

Our own events carry `schema_version`, `version` and `coordinate`. Foreign producers need only the six fields of the
original schema (with its optional three); their `timestamp` may be an ISO date or epoch seconds.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from somafractalmemory.errors import PoisonEvent
from somafractalmemory.model import ROOT_ID

SCHEMA_VERSION = 2
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

    @property
    def foreign(self) -> bool:
        """Whether somebody else produced it, so that the truth may know nothing of it."""
        return self.version is None

    def encoded(self) -> bytes:
        """The message value."""
        return orjson.dumps(
            {
                "schema_version": SCHEMA_VERSION,
                "event_id": str(self.event_id),
                "id": str(self.id),
                "namespace": self.namespace,
                "type": self.type,
                "timestamp": datetime.fromtimestamp(self.timestamp, UTC).isoformat(),
                "payload": orjson.Fragment(self.payload_json),
                "version": self.version,
            }
        )


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid")

    event_id: Annotated[str, Field(min_length=1, max_length=256)]
    id: Annotated[str, Field(min_length=1, max_length=256)]
    namespace: Annotated[str, Field(min_length=1, max_length=128)]
    type: EventType
    timestamp: float
    payload: Any
    importance: float | None = None
    embedding: list[float] | None = None
    model_revision: str | None = None
    schema_version: Annotated[int, Field(ge=1, le=SCHEMA_VERSION)] = 1
    version: Annotated[int, Field(ge=1)] | None = None

    @field_validator("timestamp", mode="before")
    @classmethod
    def _moment(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


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
    return MemoryEvent(
        event_id=_as_uuid(wire.event_id),
        id=_as_uuid(wire.id),
        namespace=wire.namespace,
        type=wire.type,
        timestamp=wire.timestamp,
        payload_json=orjson.dumps(wire.payload).decode(),
        version=wire.version,
    )


def _as_uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return uuid5(ROOT_ID, text)
