"""The lines of an export: what they look like, and what is believed of them. Pure.

The first line is the manifest, then come memories in the order of their places, each with its older versions, then
links, and last a line that counts them, without which an export is known to be cut off. Lines without a `kind` are
taken for memories of the original program: a flat object with `coordinate` and `memory_type`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from somafractalmemory.errors import InvalidRequest
from somafractalmemory.model import (
    SYSTEM_FIELDS,
    Coordinate,
    Memory,
    MemoryType,
    NewMemory,
    coordinate_of,
    new_memory,
)
from somafractalmemory.model.graph import PlacedLink
from somafractalmemory.model.mistakes import mistakes, told
from somafractalmemory.model.restoring import Restored

FORMAT_VERSION = 1
MAX_LINE = 16 * 1024 * 1024
MAX_VERSION = 2**62
MAX_VERSIONS = 20
Moment = Annotated[float, Field(ge=-1e11, le=1e11, allow_inf_nan=False)]
Version = Annotated[int, Field(ge=1, le=MAX_VERSION)]
Count = Annotated[int, Field(ge=0)]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Counted(_Line):
    """How many lines of each kind there are."""

    memories: Count
    links: Count | None = None


class Manifest(_Line):
    """The first line; its counts may be overtaken by writes during the export."""

    kind: Literal["manifest"] = "manifest"
    format: Literal["somamemory-export"] = "somamemory-export"
    version: Annotated[int, Field(ge=1, le=FORMAT_VERSION)] = FORMAT_VERSION
    namespace: str
    counts: Counted
    embedder: str
    vectors: bool = False
    exported_at: Moment


class End(_Line):
    """The last line: what really came; `versions_left_out` did not fit into a line."""

    kind: Literal["end"] = "end"
    memories: Count
    links: Count
    versions: Count = 0
    versions_left_out: Count = 0


class _VersionLine(_Line):
    version: Version
    memory_type: MemoryType
    payload: dict[str, Any]
    importance: Annotated[float, Field(ge=-1e9, le=1e9)]
    timestamp: Moment | None
    created_at: Moment
    updated_at: Moment


class _MemoryLine(_VersionLine):
    kind: Literal["memory"]
    coordinate: list[float]
    access_count: Count = 0
    accessed_at: Moment | None = None
    versions: Annotated[list[_VersionLine], Field(max_length=MAX_VERSIONS)] = []
    vector: list[float] | None = None


class _LinkLine(_Line):
    kind: Literal["link"]
    source: Annotated[list[float], Field(alias="from")]
    target: Annotated[list[float], Field(alias="to")]
    type: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
    weight: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
    created_at: Moment


Record = Manifest | End | Restored | PlacedLink
_ANY_LINE: TypeAdapter[Manifest | End | _MemoryLine | _LinkLine] = TypeAdapter(
    Annotated[Manifest | End | _MemoryLine | _LinkLine, Field(discriminator="kind")]
)


def line_of(record: Manifest | End) -> bytes:
    """The first or the last line."""
    return orjson.dumps(record.model_dump()) + b"\n"


def link_line(link: PlacedLink) -> bytes:
    """The line of a link."""
    shown = {"kind": "link", "from": link.source, "to": link.target}
    return orjson.dumps(shown | {"type": link.type, "weight": link.weight, "created_at": link.timestamp}) + b"\n"


def memory_line(memory: Memory, versions: Sequence[Memory], vector: Sequence[float] | None) -> tuple[bytes, int]:
    """The line of a memory, and how many of its older versions are in it; the oldest ones give way to MAX_LINE."""
    shown: dict[str, Any] = {"kind": "memory", "coordinate": memory.coordinate, **_state(memory)}
    if memory.access_count:
        shown["access_count"] = memory.access_count
    if memory.accessed_at is not None:
        shown["accessed_at"] = memory.accessed_at
    if vector is not None:
        shown["vector"] = vector
    older = [_state(version) for version in versions if version.version < memory.version]
    while older:
        line = orjson.dumps(shown | {"versions": older})
        if len(line) < MAX_LINE:
            return line + b"\n", len(older)
        older.pop()
    return orjson.dumps(shown) + b"\n", 0


def _state(memory: Memory) -> dict[str, Any]:
    return {
        "memory_type": memory.memory_type.value,
        "payload": memory.payload,
        "importance": memory.importance,
        "timestamp": memory.timestamp,
        "version": memory.version,
        "created_at": memory.created_at,
        "updated_at": memory.updated_at,
    }


def parse(raw: bytes, *, namespace: str, now: float) -> Record:
    """What a line says, placed into this namespace. Raises InvalidRequest."""
    try:
        content = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"this is not valid JSON: {error}") from None
    if not isinstance(content, dict):
        raise InvalidRequest("a line is a JSON object")
    if "kind" not in content:
        return _original(content, namespace, now)
    try:
        line = _ANY_LINE.validate_python(content)
    except ValidationError as error:
        raise InvalidRequest(first_problem(error)) from None
    if isinstance(line, _MemoryLine):
        return _restored(line, namespace)
    if isinstance(line, _LinkLine):
        ends = coordinate_of(line.source), coordinate_of(line.target)
        return PlacedLink(*ends, line.type, line.weight, line.created_at)
    return line


def first_problem(error: ValidationError) -> str:
    """One sentence about the first wrong field, without its value."""
    return told(mistakes(error)[:1], whole="line")


def _restored(line: _MemoryLine, namespace: str) -> Restored:
    coordinate = coordinate_of(line.coordinate)
    numbers = [version.version for version in line.versions]
    if any(number >= line.version for number in numbers) or len(set(numbers)) < len(numbers):
        raise InvalidRequest("versions: each has a number of its own, below that of the memory")
    versions = sorted(line.versions, key=lambda version: -version.version)
    return Restored(
        _checked(line, namespace, coordinate),
        line.version,
        line.created_at,
        line.updated_at,
        line.access_count,
        line.accessed_at,
        tuple(_old_version(version, namespace, coordinate) for version in versions),
    )


def _checked(line: _VersionLine, namespace: str, coordinate: Coordinate) -> NewMemory:
    """Under the limits of every memory, but with the very times and importance that the line tells."""
    memory = new_memory(
        namespace=namespace, coordinate=coordinate, payload=line.payload, memory_type=line.memory_type, now=0.0
    )
    return replace(memory, importance=line.importance, timestamp=line.timestamp)


def _old_version(line: _VersionLine, namespace: str, coordinate: Coordinate) -> Restored:
    memory = _checked(line, namespace, coordinate)
    return Restored(memory, line.version, line.created_at, line.updated_at)


def _original(content: Mapping[str, Any], namespace: str, now: float) -> Restored:
    """A memory as the original program wrote it: no versions, and everything in one flat object."""
    place = content.get("coordinate")
    if not isinstance(place, list) or not all(type(number) in {int, float} for number in place):
        raise InvalidRequest("coordinate: a memory has a list of numbers, and any other line a kind")
    kind = content.get("memory_type", MemoryType.EPISODIC)
    if kind not in set(MemoryType):
        raise InvalidRequest("memory_type: this is episodic or semantic")
    payload = {key: value for key, value in content.items() if key == "timestamp" or key not in SYSTEM_FIELDS}
    memory = new_memory(
        namespace=namespace, coordinate=coordinate_of(place), payload=payload, memory_type=MemoryType(kind), now=now
    )
    moment = now if memory.timestamp is None else memory.timestamp
    return Restored(memory, 1, moment, moment, timeless=True)
