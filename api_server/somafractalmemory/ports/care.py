"""What looking after the memories needs of the truth: what is learned from use, chores that one process does, an audit.

Every method raises `Unavailable` when the store cannot answer in time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from somafractalmemory.model import Coordinate, Memory
from somafractalmemory.model.importance import Heard, Window


@dataclass(frozen=True, slots=True)
class Access:
    """How often a memory was retrieved, and when last."""

    id: UUID
    count: int
    at: float


@dataclass(frozen=True, slots=True)
class Changed:
    """A memory's content without what has decayed; `text` is what may be searched of it."""

    id: UUID
    version: int
    payload_json: str
    text: str


@dataclass(frozen=True, slots=True)
class Ages:
    """Which states of memories to look at: last stored from `since` on, before `until`, with one of these keys."""

    since: float
    until: float
    keys: Sequence[str]


class Care(Protocol):
    """The truth about use and age."""

    async def learn(self, namespace: str, heard: Heard) -> Window:
        """Add importances to a namespace's window, as `Window.add` does; answers the new window."""

    async def windows(self, namespaces: Sequence[str]) -> Mapping[str, Window]:
        """The windows of those that have one."""

    async def accessed(self, accesses: Sequence[Access]) -> None:
        """Add to the counts of living memories; neither a new version nor an event."""

    async def hold(self, chore: str, holder: UUID, seconds: float) -> float | None:
        """Be the only one who does a chore for so long; answers up to when it is done, None when another holds it."""

    async def done(self, chore: str, holder: UUID, until: float) -> None:
        """Note up to when a chore is done, if it is still held."""

    async def aged(self, ages: Ages, after: Memory | None, limit: int, *, former: bool) -> Sequence[Memory]:
        """Living memories, or their former versions, of that age that hold one of the keys or sealed fields.

        By the time they were last stored; those up to `after` are left out.
        """

    async def shed(self, changed: Sequence[Changed], *, former: bool) -> int:
        """Replace contents whose version is still the same, with an event for each; answers how many.

        The time of storing stays. What is changed of former versions leaves no event.
        """

    async def namespaces(self) -> Sequence[str]:
        """Those in which memories live."""

    async def prune(self, namespace: str, keep: int, limit: int) -> int:
        """Delete the least important, of equals the longest unchanged, beyond `keep`; at most `limit`, with events."""

    async def sealed(self, not_by: str, after: tuple[UUID, int] | None, limit: int) -> Sequence[Memory]:
        """States of memories, former ones too, whose seal does not start so; by identifier and version."""

    async def reseal(self, place: UUID, version: int, old: str, new: str) -> bool:
        """Replace a seal by one of the same content, if it is still the old one; no new version, no event."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done, to be remembered; `action` is a short word."""

    action: str
    namespace: str
    coordinate: Coordinate | None = None
    memory_id: UUID | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A deed as it was written down."""

    number: int
    at: float
    caller: str
    deed: Deed
    request_id: str | None


class Audits(Protocol):
    """The audit in the truth. Deletions write their rows themselves, in their own transaction."""

    async def append(self, deeds: Sequence[tuple[Deed, str, str | None]]) -> None:
        """Write down deeds, each with its caller and request."""

    async def page(self, namespace: str, *, action: str | None, before: int | None, limit: int) -> Sequence[AuditRow]:
        """Rows of a namespace, newest first, those from `before` on left out."""

    async def trim(self, older_than: float, limit: int) -> int:
        """Remove old rows; answers how many."""
