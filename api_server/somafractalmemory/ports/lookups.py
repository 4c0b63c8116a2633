"""Finding memories without the index: by terms, places, times, and by chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from somafractalmemory.model import Coordinate, Memory, MemoryType
from somafractalmemory.model.wording import Term


@dataclass(frozen=True, slots=True)
class Search:
    """Where and what to look for; every condition is applied inside the store, before the cut."""

    namespace: str
    memory_type: MemoryType | None
    filters: Mapping[str, Any]
    limit: int


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a namespace: from `low` to `high` on each axis, both included."""

    namespace: str
    low: Coordinate
    high: Coordinate
    memory_type: MemoryType | None = None


class Order(StrEnum):
    """`latest`: by their time, else by when they were stored. `important`: by raw importance, of equals the latest."""

    LATEST = "latest"
    IMPORTANT = "important"


class Lookups(Protocol):
    """Finding living memories of a namespace without the index."""

    async def find_term(
        self, term: Term, *, namespace: str, memory_type: MemoryType | None, limit: int
    ) -> Sequence[Memory]:
        """Those whose values contain the term, last changed first."""

    async def versions(self, place: UUID) -> Sequence[Memory]:
        """A living memory and what it was before, newest first; the last 20 are kept until it is deleted."""

    async def page(
        self, *, namespace: str, memory_type: MemoryType | None, after: Coordinate | None, limit: int
    ) -> Sequence[Memory]:
        """Those behind `after`: fewer dimensions first, then in the order of their numbers."""

    async def within(self, box: Box, *, after: Coordinate | None, limit: int) -> Sequence[Coordinate]:
        """The places in the box, of as many numbers as its corners, in order, those up to `after` left out."""

    async def foremost(
        self, order: Order, *, namespace: str, memory_type: MemoryType | None, limit: int
    ) -> Sequence[Memory]:
        """The first of them in this order."""

    async def around(self, place: Coordinate, search: Search) -> Sequence[Coordinate]:
        """Places of as many numbers: of the next `limit` before this one and of those from it on, those sought."""


@dataclass(frozen=True, slots=True)
class Period:
    """Living memories of a namespace whose time (that of storing, if they tell none) is `since` or later."""

    namespace: str
    since: float
    memory_type: MemoryType | None = None


class Recollections(Protocol):
    """Memories by chance and by time; who they are, not what they say."""

    async def sample(self, *, namespace: str, memory_type: MemoryType | None, limit: int) -> Sequence[UUID]:
        """Some of the living, each as likely as any other, in no order."""

    async def newest(
        self, period: Period, *, before: tuple[float, UUID] | None, limit: int
    ) -> Sequence[tuple[float, UUID]]:
        """Times and identifiers, newest first, those from `before` on left out."""
