"""What a memory is, and the rules about it that need no store.

`places`, `payloads` and `filters` check what callers say, `memories` and `points` are what truth and index hold, and
each other module has one rule or form of its own.
"""

from somafractalmemory.model.filters import check_filters, facet, facets, fulfils, same
from somafractalmemory.model.memories import (
    SEALED,
    SYSTEM_FIELDS,
    Budget,
    Counts,
    Match,
    Memory,
    MemoryType,
    NewMemory,
    Payload,
    Recalled,
    Remembered,
    Saved,
)
from somafractalmemory.model.payloads import MAX_DEPTH, MAX_KEYS, check_payload, new_memory, searchable_text
from somafractalmemory.model.places import (
    MAX_COORDINATE_TEXT,
    MAX_DIMENSIONS,
    ROOT_ID,
    Coordinate,
    canonical,
    check_namespace,
    coordinate_of,
    memory_id,
    nobody_at,
    parse_coordinate,
)
from somafractalmemory.model.points import Embedding, Hit, Point, SparseVector

__all__ = [
    "MAX_COORDINATE_TEXT",
    "MAX_DEPTH",
    "MAX_DIMENSIONS",
    "MAX_KEYS",
    "ROOT_ID",
    "SEALED",
    "SYSTEM_FIELDS",
    "Budget",
    "Coordinate",
    "Counts",
    "Embedding",
    "Hit",
    "Match",
    "Memory",
    "MemoryType",
    "NewMemory",
    "Payload",
    "Point",
    "Recalled",
    "Remembered",
    "Saved",
    "SparseVector",
    "canonical",
    "check_filters",
    "check_namespace",
    "check_payload",
    "coordinate_of",
    "facet",
    "facets",
    "fulfils",
    "memory_id",
    "new_memory",
    "nobody_at",
    "parse_coordinate",
    "same",
    "searchable_text",
]
