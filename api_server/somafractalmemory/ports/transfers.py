"""Taking memories out and putting them back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from somafractalmemory.model import Memory
from somafractalmemory.model.graph import PlacedLink
from somafractalmemory.model.restoring import Placed, Restored


@dataclass(frozen=True, slots=True)
class Import:
    """An import that makes a namespace equal to a file: what it put there is marked."""

    mark: UUID
    since: float


class Transfers(Protocol):
    """Taking memories out and putting them back as they were."""

    async def histories(self, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Memory]]:
        """What these memories were before, newest first; those without a past are left out."""

    async def begin(self) -> Import:
        """Start an import that will remove what it did not bring; forgets the marks of those that died long ago."""

    async def restore(
        self, items: Sequence[Restored], *, under: Import | None, view: Callable[[Memory], Memory] | None = None
    ) -> Sequence[Placed]:
        """Put memories back, all or none, as `restoring.fate` decides; identifiers are distinct.

        It looks at what is there through `view`. What lived there before stays as an older version, but not under
        an import that replaces.
        """

    async def restore_links(
        self, namespace: str, links: Sequence[PlacedLink], *, under: Import | None
    ) -> Sequence[PlacedLink]:
        """Put links back with their times; answers those of which an end does not live. Each occurs once."""

    async def foreign_to(self, namespace: str, under: Import, limit: int) -> Sequence[UUID]:
        """Memories that were there before the import and that it did not bring."""

    async def finish(self, namespace: str, under: Import) -> int:
        """Remove the links that were there before and were not brought, and the marks; answers how many links."""
