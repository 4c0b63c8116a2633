"""The truth about links."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from somafractalmemory.model.graph import Edge, Link, LinkMark, PlacedLink


class Links(Protocol):
    """The truth about links. They never outlive either end."""

    async def link(self, link: Link, payload_json: str) -> Sequence[UUID]:
        """Put the link, or its new weight, with an event; answers the ends that do not live, and then puts nothing."""

    async def link_many(self, links: Sequence[tuple[Link, str]]) -> Sequence[UUID]:
        """Put all of them, each with its event, or none: as `link`. No two are of one type between the same ends."""

    async def unlink(self, link: Link, payload_json: str) -> bool:
        """Remove the link between these ends of this type, with an event; says whether there was one."""

    async def edges(self, sources: Sequence[UUID], link_type: str | None, limit: int) -> Sequence[Edge]:
        """The links that lead from these memories, oldest first."""

    async def page(
        self, *, namespace: str, link_type: str | None, after: LinkMark | None, limit: int
    ) -> Sequence[PlacedLink]:
        """Those behind `after`, by source (fewer dimensions first, then its numbers), type, and the target's id."""
