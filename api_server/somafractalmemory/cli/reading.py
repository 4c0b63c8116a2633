"""What people type and what their files hold, as the operations take it; mistakes are told before anything is sent."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from somafractalmemory.errors import InvalidRequest
from somafractalmemory.model import MemoryType

_ITEM = {"coord", "payload", "type"}
Item = dict[str, Any]


def json_object(text: str, option: str) -> dict[str, Any]:
    """A JSON object as it is, or from the file of `@file`, or from stdin for `-`. Raises InvalidRequest."""
    try:
        if text == "-":
            text = sys.stdin.read()
        elif text.startswith("@"):
            text = read_text(Path(text[1:]), option)
        found = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(
            f"""{option}: this is not valid JSON ({error}); write it as '{{"fact": "cats purr"}}'"""
        ) from None
    if not isinstance(found, dict):
        raise InvalidRequest(f"""{option}: a JSON object is needed, such as '{{"fact": "cats purr"}}'""")
    return found


def read_text(path: Path, option: str) -> str:
    """A file's text; `-` is stdin. Raises SomaError."""
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{option}: {path} cannot be read ({error}); correct the path or the file") from None


def coordinates(text: str) -> list[str]:
    """The parts of `1,2,3;4,5,6`. Raises InvalidRequest when there is none."""
    found = [part.strip() for part in text.split(";") if part.strip()]
    if not found:
        raise InvalidRequest('--coords: write coordinates with semicolons between them, such as "1,2,3;4,5,6"')
    return found


def items(text: str) -> list[Item]:
    """Memories of a JSON array, or of one JSON object a line, all checked. Raises InvalidRequest."""
    if text.lstrip()[:1] == "[":
        try:
            found = json.loads(text, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise InvalidRequest(f"--file: this is not valid JSON ({error})") from None
        return [_item(f"item {number}", each) for number, each in enumerate(found)]
    return [
        _item(f"line {number}", _line(number, line)) for number, line in enumerate(text.splitlines(), 1) if line.strip()
    ]


def batches(things: Sequence[Any], *, most: int = 1000, most_bytes: int = 2_000_000) -> Iterator[list[Any]]:
    """In order, none with more than so many things or (unless it is a single one) bytes of JSON."""
    batch: list[Any] = []
    size = 0
    for thing in things:
        length = len(json.dumps(thing)) + 2
        if batch and (len(batch) == most or size + length > most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(thing)
        size += length
    if batch:
        yield batch


def coord_text(value: Any) -> str:
    """`[1, 2.5]` or `"1,2.5"` as text. Raises ValueError."""
    if isinstance(value, str) and value.strip():
        return value
    if (
        isinstance(value, list)
        and value
        and all(isinstance(part, int | float) and not isinstance(part, bool) for part in value)
    ):
        return ",".join(map(repr, value))
    raise ValueError('"coord" is needed, such as "1,2,3" or [1, 2, 3]')


def _item(where: str, found: Any) -> Item:
    if wrong := _what_is_wrong(found):
        raise InvalidRequest(f"--file: {where}: {wrong}; nothing was stored")
    try:
        coord = coord_text(found.get("coord"))
    except ValueError as error:
        raise InvalidRequest(f"--file: {where}: {error}; nothing was stored") from None
    kind = {} if found.get("type") is None else {"type": found["type"]}
    return {"coord": coord, "payload": found["payload"], **kind}


def _what_is_wrong(found: Any) -> str | None:
    if not isinstance(found, dict):
        return "an object is needed: {coord, payload, type}"
    if unknown := set(found) - _ITEM:
        return f"unknown field {min(unknown)!r}; known are coord, payload and type"
    if not isinstance(found.get("payload"), dict):
        return '"payload" is needed, and a JSON object'
    if found.get("type") not in (None, *MemoryType):
        return f"the type {found['type']!r} is neither episodic nor semantic"
    return None


def _line(number: int, line: str) -> Any:
    try:
        return json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"--file: line {number} is not valid JSON ({error}); nothing was stored") from None


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number that can be stored")
