"""Where a memory is: coordinates, namespaces, and the identifier that both make."""

import math
import re
from functools import lru_cache
from uuid import UUID, uuid5

from somafractalmemory.errors import InvalidCoordinate, InvalidRequest, NotFound

Coordinate = tuple[float, ...]

ROOT_ID = UUID("5b0f3f0e-6f0a-5c58-9d2e-50a3f7a1c0de")
"""Root of every derived identifier; changing it would orphan all points of every index."""

MAX_DIMENSIONS = 64
MAX_COORDINATE_TEXT = 4096
_NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:-]{0,127}")


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


def nobody_at(coordinate: Coordinate) -> NotFound:
    """What a caller is told who asks for a memory where there is none."""
    return NotFound(f"no memory lives at {canonical(coordinate)}")


def check_namespace(name: str) -> str:
    """Raises InvalidRequest unless `name` is 1 to 128 of letters, digits, `._:-`."""
    if not _NAMESPACE.fullmatch(name):
        raise InvalidRequest("a namespace is 1 to 128 letters, digits or any of . _ : -, starting with none of . : -")
    return name
