"""What the truth and the index each say of a memory in few words: for those who compare both, and who clean up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class State:
    """A memory's entry in one of the two; `deleted` when it is a tombstone."""

    id: UUID
    namespace: str
    version: int
    deleted: bool = False


class States(Protocol):
    """Reading entries in the order of their identifiers, which is the same in both stores."""

    async def scan(self, after: UUID | None, limit: int, *, namespace: str | None = None) -> Sequence[State]:
        """The entries behind `after`, tombstones among them; fewer than `limit` only at the end."""

    async def look(self, ids: Sequence[UUID]) -> Sequence[State]:
        """The entries that these have."""


class TruthStates(States, Protocol):
    """Entries of the truth, foreign memories among them."""

    async def progress(self, task: str) -> Mapping[str, Any] | None:
        """Where a long task was when it last said so; None when it is not under way."""

    async def keep_progress(self, task: str, progress: Mapping[str, Any] | None) -> None:
        """Remember it over restarts; None ends the task."""


class Erasures(Protocol):
    """Taking what the truth holds out of it for good, with all that hangs on it; counts by kind of what was there."""

    async def erase(self, ids: Sequence[UUID]) -> Mapping[str, int]:
        """These memories, living, deleted or foreign. A replay does not bring them back; an event tells of each."""

    async def erase_rest(self, namespace: str, limit: int) -> Mapping[str, int]:
        """Up to `limit` of each kind of what bears the namespace's name without being a memory."""

    async def erase_trail(self, namespace: str, place: UUID, limit: int) -> int:
        """Up to `limit` rows of the audit about this memory."""


class IndexStates(States, Protocol):
    """Entries of the index."""

    async def birth(self) -> str:
        """Names this very index: one that took its place after a loss has another birth."""

    async def drop(self, seen: Sequence[State]) -> None:
        """Remove these entries, each only while it is at the version that was seen."""
