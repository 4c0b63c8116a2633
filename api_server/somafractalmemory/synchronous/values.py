"""What programs hand over and get back: their coordinates and objects as ours, our memories as plain dictionaries."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any
from uuid import UUID

import orjson

from somafractalmemory.errors import InvalidCoordinate, InvalidPayload, InvalidRequest
from somafractalmemory.model import (
    MAX_DEPTH,
    SYSTEM_FIELDS,
    Coordinate,
    Memory,
    MemoryType,
    Payload,
    coordinate_of,
    parse_coordinate,
)
from somafractalmemory.model.graph import Edge

_OURS = frozenset(SYSTEM_FIELDS) - {"timestamp"}


def place_of(coordinate: Any) -> Coordinate:
    """A sequence of numbers, or a text such as `"1, 2.5"`. Raises InvalidCoordinate."""
    if isinstance(coordinate, str):
        return parse_coordinate(coordinate)
    try:
        numbers = [_number(number) for number in coordinate]
    except (TypeError, ValueError, OverflowError):
        raise InvalidCoordinate("a coordinate is a sequence of numbers, such as (1, 2.5, 3)") from None
    return coordinate_of(numbers)


def _number(value: Any) -> float:
    if isinstance(value, bool | str | bytes):
        raise TypeError
    return float(value)


def type_of(memory_type: Any) -> MemoryType | None:
    """A MemoryType, its text, or None. Raises InvalidRequest."""
    if memory_type is None:
        return None
    try:
        return MemoryType(getattr(memory_type, "value", memory_type))
    except ValueError:
        raise InvalidRequest("a memory is episodic or semantic", loc=("memory_type",)) from None


def payload_of(value: Any) -> Payload:
    """The program's object as JSON, without the fields that are ours. Raises InvalidPayload.

    Times become ISO texts; bytes become text, or a list of numbers; sets and tuples become lists; NumPy's arrays and
    numbers, enumerations and UUIDs become what they stand for.
    """
    if not isinstance(value, Mapping):
        raise InvalidPayload("a payload is a mapping, such as {'fact': 'cats purr'}", loc=("payload",))
    payload = {key: one for key, one in _plain(value, 0).items() if key not in _OURS}
    try:
        orjson.dumps(payload)
    except orjson.JSONEncodeError as error:
        raise InvalidPayload(f"a payload cannot hold this: {error}", loc=("payload",)) from None
    return payload


def _plain(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise InvalidPayload(f"a payload may be nested at most {MAX_DEPTH} deep", loc=("payload",))
    if isinstance(value, Enum):
        return _plain(value.value, depth)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one, depth + 1) for one in value]
    return _plain(_simpler(value), depth + 1)


def _simpler(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            return list(value)
    if isinstance(value, UUID):
        return str(value)
    for name in ("isoformat", "tolist"):
        if callable(simpler := getattr(value, name, None)):
            return simpler()
    raise InvalidPayload(f"a payload cannot hold a {type(value).__name__}: use JSON's own kinds", loc=("payload",))


def record_of(memory: Memory, links: Sequence[Edge] | None = None) -> dict[str, Any]:
    """A memory as programs know it: the payload's fields with ours among them."""
    record = memory.flattened()
    record["coordinate"] = list(memory.coordinate)
    if links:
        record["links"] = [
            {"to": list(link.coordinate), "type": link.type, "timestamp": link.timestamp, "weight": link.weight}
            for link in links
        ]
    return record
