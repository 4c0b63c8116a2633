"""What a payload may hold, and the words in it."""

import math
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from somafractalmemory.errors import InvalidPayload
from somafractalmemory.model.memories import SEALED, MemoryType, NewMemory, Payload
from somafractalmemory.model.places import Coordinate, memory_id
from somafractalmemory.tracing import traceparent

MAX_KEYS = 256
MAX_DEPTH = 32
MAX_NODES = 20_000
MAX_TEXT = 64 * 1024
_RANKING = ("importance", "timestamp")


def new_memory(
    *, namespace: str, coordinate: Coordinate, payload: Payload, memory_type: MemoryType, now: float
) -> NewMemory:
    """Check a payload against every limit and prepare it for the stores. Raises InvalidPayload."""
    text, importance, timestamp = _understood(payload)
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
        importance=importance,
        timestamp=timestamp,
        traceparent=traceparent(),
    )


def check_payload(payload: Mapping[str, Any]) -> None:
    """Raises InvalidPayload when it breaks a limit, or holds what only the service writes."""
    _understood(payload)


def _understood(payload: Mapping[str, Any]) -> tuple[str, float, float | None]:
    """Text, importance and time. Raises InvalidPayload."""
    if SEALED in payload:
        raise InvalidPayload(f"a payload cannot hold the key {SEALED}: leave it out", loc=("payload", SEALED))
    return searchable_text(payload), _importance(payload.get("importance")), _timestamp(payload.get("timestamp"))


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


def _said(payload: Mapping[str, Any]) -> Iterator[Any]:
    """The values that have words: numbers that say how a memory ranks would only make its text longer."""
    for key, value in open_part(payload).items():
        if key not in _RANKING or not isinstance(value, int | float):
            yield value


def open_part(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """All but what is sealed."""
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
