"""What a memory is, and the rules about it that need no store."""

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from uuid import UUID, uuid5

import orjson

from somafractalmemory.errors import InvalidCoordinate, InvalidPayload, InvalidRequest
from somafractalmemory.tracing import traceparent

Coordinate = tuple[float, ...]
Payload = dict[str, Any]

ROOT_ID = UUID("5b0f3f0e-6f0a-5c58-9d2e-50a3f7a1c0de")
"""Root of every derived identifier; changing it would orphan all points of every index."""

MAX_DIMENSIONS = 64
MAX_KEYS = 256
MAX_DEPTH = 32
MAX_NODES = 20_000
MAX_TEXT = 64 * 1024
MAX_COORDINATE_TEXT = 4096
SEALED = "$sealed"
"""The field that holds all encrypted ones; nothing looks into it, and callers cannot write it."""
_RANKING = ("importance", "timestamp")
SYSTEM_FIELDS = ("memory_type", "coordinate", "importance_norm", "timestamp", "access_count", "links")
_NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:-]{0,127}")


class MemoryType(StrEnum):
    """Episodic memories happened at a time; semantic ones are facts."""

    EPISODIC = "episodic"
    SEMANTIC = "semantic"


@dataclass(frozen=True, slots=True)
class NewMemory:
    """A memory to be stored: checked, identified, with its payload serialised once."""

    id: UUID
    namespace: str
    coordinate: Coordinate
    memory_type: MemoryType
    payload: Payload
    payload_json: str
    text: str
    importance: float
    timestamp: float | None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """What the truth says after a write: the version is one more than the last one at this place."""

    id: UUID
    version: int
    created: bool


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory as the truth holds it; `deleted` ones are tombstones that only the index cares about.

    `importance_norm` is its importance between 0 and 1 beside the others of its namespace, as of when it was read.
    """

    id: UUID
    namespace: str
    coordinate: Coordinate
    memory_type: MemoryType
    payload: Payload
    importance: float
    timestamp: float | None
    version: int
    created_at: float
    updated_at: float
    access_count: int = 0
    deleted: bool = False
    accessed_at: float | None = None
    importance_norm: float = 0.5

    @property
    def locked(self) -> bool:
        """Whether it holds sealed fields that no key at hand opens."""
        return SEALED in self.payload

    def flattened(self) -> dict[str, Any]:
        """The seed's memory object: the caller's fields, with ours on top so that none can be spoofed."""
        record = {key: value for key, value in self.payload.items() if key not in SYSTEM_FIELDS}
        record["memory_type"] = self.memory_type.value
        record["coordinate"] = self.coordinate
        record["importance_norm"] = self.importance_norm
        if self.timestamp is not None:
            record["timestamp"] = self.timestamp
        if self.access_count:
            record["access_count"] = self.access_count
        return record


@dataclass(frozen=True, slots=True)
class SparseVector:
    """Term weights by term number."""

    indices: list[int]
    values: list[float]


@dataclass(frozen=True, slots=True)
class Embedding:
    """Both views of a text; None and empty when the text has no words."""

    dense: Any | None
    sparse: SparseVector


@dataclass(frozen=True, slots=True)
class Point:
    """One entry of the index; without an embedding's words, or when `deleted`, no query finds it."""

    id: UUID
    namespace: str
    memory_type: str
    version: int
    embedding: Embedding | None
    facets: list[int]
    deleted_at: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """What the index found: raw scores of both lists, and the version that was indexed."""

    id: UUID
    version: int
    dense: float = 0.0
    sparse: float = 0.0


@dataclass(frozen=True, slots=True)
class Match:
    """A recalled memory and the parts its score is made of."""

    memory: Memory
    score: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Recalled:
    """The answer of a recall; `degraded` names the stores that could not take part."""

    matches: list[Match]
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remembered:
    """The answer of a store: committed for sure, `indexed` when it can already be recalled by meaning."""

    saved: Saved
    indexed: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How many memories of each type live in a namespace."""

    episodic: int
    semantic: int


@dataclass(frozen=True, slots=True)
class Budget:
    """The state of a rate limit after one request was counted."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: float


def parse_coordinate(text: str) -> Coordinate:
    """Read `"1, 2.5,3"`. Raises InvalidCoordinate for anything but 1 to 64 finite numbers."""
    if len(text) > MAX_COORDINATE_TEXT:
        raise InvalidCoordinate(f"a coordinate's text may have at most {MAX_COORDINATE_TEXT} characters")
    try:
        numbers = [_number(part) for part in text.split(",")]
    except ValueError:
        raise InvalidCoordinate("a coordinate is a list of numbers separated by commas, such as 1,2.5,3") from None
    return coordinate_of(numbers)


def _number(text: str) -> float:
    """As JSON and everybody writes it: not 1_000 and no digits of other scripts, which Python would take."""
    if "_" in text or not text.isascii():
        raise ValueError(text)
    return float(text)


def coordinate_of(numbers: list[float]) -> Coordinate:
    """The canonical form: floats, no negative zero. Raises InvalidCoordinate."""
    if not 1 <= len(numbers) <= MAX_DIMENSIONS:
        raise InvalidCoordinate(f"a coordinate has 1 to {MAX_DIMENSIONS} numbers, not {len(numbers)}")
    if not all(math.isfinite(number) for number in numbers):
        raise InvalidCoordinate("a coordinate holds finite numbers only, no NaN or infinity")
    return tuple(float(number) + 0.0 for number in numbers)


def canonical(coordinate: Coordinate) -> str:
    """The text that identifies a coordinate: `(1, -0.0)` and `(1.0, 0)` are the same place."""
    return ",".join(map(repr, coordinate))


@lru_cache(maxsize=4096)
def _namespace_id(namespace: str) -> UUID:
    return uuid5(ROOT_ID, namespace)


def memory_id(namespace: str, coordinate: Coordinate) -> UUID:
    """The identifier of a place: the same in Postgres, Qdrant, Kafka and every replay."""
    return uuid5(_namespace_id(namespace), canonical(coordinate))


def check_namespace(name: str) -> str:
    """Raises InvalidRequest unless `name` is 1 to 128 of letters, digits, `._:-`."""
    if not _NAMESPACE.fullmatch(name):
        raise InvalidRequest("a namespace is 1 to 128 letters, digits or any of . _ : -, starting with none of . : -")
    return name


def new_memory(
    *, namespace: str, coordinate: Coordinate, payload: Payload, memory_type: MemoryType, now: float
) -> NewMemory:
    """Check a payload against every limit and prepare it for the stores. Raises InvalidPayload."""
    if SEALED in payload:
        raise InvalidPayload(f"a payload cannot hold the key {SEALED}: leave it out", loc=("payload", SEALED))
    text = searchable_text(payload)
    timestamp = _timestamp(payload.get("timestamp"))
    if timestamp is None and memory_type is MemoryType.EPISODIC:
        timestamp = now
    return NewMemory(
        id=memory_id(namespace, coordinate),
        namespace=namespace,
        coordinate=coordinate,
        memory_type=memory_type,
        payload=payload,
        payload_json=orjson.dumps(payload).decode(),
        text=text,
        importance=_importance(payload.get("importance")),
        timestamp=timestamp,
        traceparent=traceparent(),
    )


def searchable_text(payload: Mapping[str, Any]) -> str:
    """Every word of the caller's values, and only theirs. Raises InvalidPayload when a limit is broken."""
    if len(payload) > MAX_KEYS:
        raise InvalidPayload(f"a payload may have at most {MAX_KEYS} keys", loc=("payload",))
    _check_keys(payload)
    words: list[str] = []
    open_values: list[Iterator[Any]] = [_said(payload)]
    nodes = 0
    while open_values:
        for value in open_values[-1]:
            nodes += 1
            if nodes > MAX_NODES:
                raise InvalidPayload(f"a payload may hold at most {MAX_NODES} values", loc=("payload",))
            if isinstance(value, dict | list | tuple):
                open_values.append(_children(value, depth=len(open_values)))
                break
            if value is not None and not isinstance(value, bool):
                words.append(_word(value))
        else:
            open_values.pop()
    text = " ".join(words)[:MAX_TEXT]
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def check_filters(filters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raises InvalidRequest for a filter that no payload could fulfil, because payloads have limits."""
    try:
        searchable_text(filters)
    except InvalidPayload as error:
        raise InvalidRequest(str(error).replace("payload", "filter"), loc=("filters",)) from None
    return filters


def _said(payload: Mapping[str, Any]) -> Iterator[Any]:
    """The values that have words: numbers that say how a memory ranks would only make its text longer."""
    for key, value in _open_part(payload).items():
        if key not in _RANKING or not isinstance(value, int | float):
            yield value


def _open_part(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in payload.items() if key != SEALED} if SEALED in payload else payload


def _children(value: Any, *, depth: int) -> Iterator[Any]:
    if depth >= MAX_DEPTH:
        raise InvalidPayload(f"a payload may be nested at most {MAX_DEPTH} deep", loc=("payload",))
    if isinstance(value, dict):
        _check_keys(value)
        return iter(value.values())
    return iter(value)


def _word(value: Any) -> str:
    if isinstance(value, str):
        if "\x00" in value:
            raise InvalidPayload("a payload cannot hold the NUL character", loc=("payload",))
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidPayload("a payload holds finite numbers only, no NaN or infinity", loc=("payload",))
    return str(value)


def _check_keys(mapping: Mapping[Any, Any]) -> None:
    for key in mapping:
        if not isinstance(key, str) or len(key) > MAX_KEYS or "\x00" in key:
            raise InvalidPayload(
                f"payload keys are texts of at most {MAX_KEYS} characters without NUL", loc=("payload",)
            )


def _importance(value: Any) -> float:
    if value is None:
        return 1.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e9:
        raise InvalidPayload("importance is a number between -1e9 and 1e9", loc=("payload", "importance"))
    return float(value)


def _timestamp(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e11:
        return float(value)
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    raise InvalidPayload("timestamp is epoch seconds or an ISO 8601 date and time", loc=("payload", "timestamp"))


def facet(key: str, value: Any) -> int:
    """A number for "this key has this value", so that one index of numbers serves equality on every field.

    62 bits: two facets of a million share one by a chance of 1 in 10 million, and the truth has the last word.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    try:
        text = orjson.dumps([key, value], option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        text = repr((key, value)).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest()) >> 2


def facets(payload: Mapping[str, Any]) -> list[int]:
    """One facet for each top-level field that is not sealed."""
    return [facet(key, value) for key, value in _open_part(payload).items()]


def fulfils(payload: Mapping[str, Any], filters: Mapping[str, Any]) -> bool:
    """Whether every filter equals the payload's field of that name, as JSON: 1 is 1.0, but never true."""
    return all(key in payload and same(payload[key], value) for key, value in filters.items())


def same(one: Any, other: Any) -> bool:
    """Whether both are equal as JSON: 1 is 1.0, but never true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)
