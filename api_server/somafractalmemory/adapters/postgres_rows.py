"""Rows of the table of memories as memories."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import orjson

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


def ids_of(ids: Iterable[UUID]) -> str:
    """Identifiers as the text of an array: the client's own way looks at each of them in Python."""
    return "{" + ",".join(map(str, ids)) + "}"


def recordset(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows for `json_to_recordset`: one text, which costs both sides less than an array for each column."""
    return orjson.dumps(list(rows)).decode()
