"""The truth: memories, what is to be published of them, and the events that were seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from somafractalmemory.model import Counts, Memory, NewMemory, Saved
from somafractalmemory.model.events import MemoryEvent
from somafractalmemory.ports.care import Audits, Care
from somafractalmemory.ports.links import Links
from somafractalmemory.ports.lookups import Lookups, Recollections, Search
from somafractalmemory.ports.pinged import Pinged
from somafractalmemory.ports.repeats import RequestKeys
from somafractalmemory.ports.states import Erasures, TruthStates
from somafractalmemory.ports.transfers import Transfers


@dataclass(frozen=True, slots=True)
class OutboxDepth:
    """How much is not published yet."""

    rows: int
    age_seconds: float


class Records(Pinged, Protocol):
    """The truth. Each write also leaves an event in the outbox, in the same transaction."""

    @property
    def links(self) -> Links: ...
    @property
    def lookups(self) -> Lookups: ...
    @property
    def recollections(self) -> Recollections: ...
    @property
    def states(self) -> TruthStates: ...
    @property
    def erasures(self) -> Erasures: ...
    @property
    def care(self) -> Care: ...
    @property
    def audits(self) -> Audits: ...
    @property
    def transfers(self) -> Transfers: ...
    @property
    def request_keys(self) -> RequestKeys: ...

    async def save(self, memories: Sequence[NewMemory]) -> Sequence[Saved]:
        """Commit all or none; identifiers are distinct. Raises `Rejected` when the store refuses an item."""

    async def replace(self, memory: NewMemory, *, expected: int) -> Saved | None:
        """Save over a living memory of exactly this version; None, and nothing done, when there is none."""

    async def delete(self, ids: Sequence[UUID], *, expected: int | None = None) -> Sequence[Saved]:
        """Leave tombstones; answers the versions of those that lived, and were at the expected one if any is."""

    async def get(self, ids: Sequence[UUID]) -> Mapping[UUID, Memory]:
        """Those that exist, tombstones and memories known only from foreign events among them."""

    async def find_text(self, query: str, search: Search) -> Sequence[tuple[Memory, float]]:
        """Living memories with words of the query, best first: the way to recall without the index."""

    async def count(self, namespace: str) -> Counts:
        """How many live there."""

    async def scan(self, after: UUID | None, limit: int) -> Sequence[Memory]:
        """Living memories of every namespace in the order of their identifiers, foreign ones among them."""


class Outbox(Protocol):
    """Events that are committed but not yet published."""

    async def lead(self) -> bool:
        """Become, or stay, the only one who publishes."""

    async def pending(self, limit: int) -> Sequence[tuple[int, MemoryEvent]]:
        """The oldest events with their numbers."""

    async def done(self, numbers: Sequence[int]) -> None:
        """Forget published events."""

    async def depth(self) -> OutboxDepth:
        """How far behind publishing is."""


class EventLog(Protocol):
    """The durable list of events the consumer has seen."""

    async def append(self, events: Sequence[MemoryEvent]) -> None:
        """Idempotent by event identifier. Raises `Rejected` when the store refuses an item."""
