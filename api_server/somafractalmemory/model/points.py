"""What the index holds and finds."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID


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
