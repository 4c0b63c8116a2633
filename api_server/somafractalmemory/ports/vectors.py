"""The index, and what makes its vectors."""

from collections.abc import Sequence
from typing import Protocol

from somafractalmemory.model import Embedding, Hit, Point
from somafractalmemory.ports.lookups import Search
from somafractalmemory.ports.pinged import Pinged
from somafractalmemory.ports.states import IndexStates


class Vectors(Pinged, Protocol):
    """The index. A write of an older version never replaces a newer one."""

    @property
    def states(self) -> IndexStates: ...

    async def upsert(self, points: Sequence[Point]) -> None:
        """Put points, tombstones among them; identifiers are distinct."""

    async def query(self, embedding: Embedding, search: Search, *, hybrid: bool) -> Sequence[Hit]:
        """The best of both lists (only of the dense one unless hybrid), unfused.

        Raises Unavailable, too, while the index is known to be incomplete: its answer would be thin and look whole.
        """

    async def is_complete(self) -> bool:
        """Whether a rebuild has ever finished on this very collection."""

    async def mark_complete(self) -> None:
        """Remember, inside the index itself, that it was rebuilt."""

    async def sweep(self, older_than: float) -> None:
        """Drop tombstones from before that time."""


class Embedder(Protocol):
    """Turns text into vectors. `revision` names the space they live in: vectors of two revisions never mix."""

    @property
    def revision(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    async def documents(self, texts: Sequence[str]) -> Sequence[Embedding]:
        """Vectors to be indexed."""

    async def query(self, text: str) -> Embedding:
        """The vector to search with."""
