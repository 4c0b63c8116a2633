"""What a memory is, and what the service answers about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from somafractalmemory.model.places import Coordinate

Payload = dict[str, Any]
SEALED = "$sealed"
"""The field that holds all encrypted ones; nothing looks into it, and callers cannot write it."""
SYSTEM_FIELDS = ("memory_type", "coordinate", "importance_norm", "timestamp", "access_count", "links")


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
