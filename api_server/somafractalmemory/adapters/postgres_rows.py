"""Rows of the table of memories as memories."""

from typing import Any

from somafractalmemory.model import Coordinate, Memory, MemoryType, canonical

Row = tuple[Any, ...]

COLUMNS = """
    id, namespace, coordinate, memory_type, payload, importance, occurred_at, version, created_at, updated_at,
    access_count, deleted, accessed_at
"""


def memory_of(row: Row) -> Memory:
    """A row of COLUMNS."""
    place, namespace, coordinate, kind, payload, importance, moment, version, created, updated, count, *rest = row
    deleted, accessed = rest
    return Memory(
        id=place,
        namespace=namespace,
        coordinate=tuple(coordinate),
        memory_type=MemoryType(kind),
        payload=payload,
        importance=importance,
        timestamp=moment,
        version=version,
        created_at=created,
        updated_at=updated,
        access_count=count,
        deleted=deleted,
        accessed_at=accessed,
    )


def array(coordinate: Coordinate) -> str:
    """A coordinate as the text of an array; exact, because both sides print and read shortest round trips."""
    return "{" + canonical(coordinate) + "}"
