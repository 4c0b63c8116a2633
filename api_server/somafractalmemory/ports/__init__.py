"""What the service needs from the world. `Records` owns the truth; everything else can be lost and rebuilt.

Every method raises `Unavailable` when its store cannot answer in time, and nothing of the store's client.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from somafractalmemory.model import (
    Budget,
    Coordinate,
    Counts,
    Embedding,
    Hit,
    Memory,
    MemoryType,
    NewMemory,
    Point,
    Saved,
)
from somafractalmemory.model.events import MemoryEvent
from somafractalmemory.model.graph import Edge, Link, LinkMark, PlacedLink
from somafractalmemory.model.restoring import Placed, Restored
from somafractalmemory.model.wording import Term
from somafractalmemory.ports.care import Audits, Care
from somafractalmemory.ports.repeats import RequestKeys
from somafractalmemory.ports.states import Erasures, IndexStates, TruthStates


@dataclass(frozen=True, slots=True)
class Search:
    """Where and what to look for; every condition is applied inside the store, before the cut."""

    namespace: str
    memory_type: MemoryType | None
    filters: Mapping[str, Any]
    limit: int


@dataclass(frozen=True, slots=True)
class OutboxDepth:
    """How much is not published yet."""

    rows: int
    age_seconds: float


class Pinged(Protocol):
    """Something whose health can be asked."""

    async def ping(self) -> None:
        """Return when it answers and is fit for use; raise `Unavailable` when not."""


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


class Publisher(Pinged, Protocol):
    """Where events go."""

    async def publish(self, events: Sequence[MemoryEvent]) -> Sequence[bool]:
        """Hand over events, in order for each memory; says which ones are safely there."""


@dataclass(frozen=True, slots=True)
class Message:
    """One record of a topic, undecoded."""

    value: bytes | None
    key: bytes | None
    topic: str
    partition: int
    offset: int
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: float | None = None


class Stream(Pinged, Protocol):
    """Where events come from."""

    async def take(self, limit: int, timeout_seconds: float) -> Sequence[Message]:
        """The next messages; none when nothing came in time. Broken connections are mended inside."""

    async def hold(self, seconds: float) -> bool:
        """Stay a member while a batch waits; says whether it is still ours."""

    async def commit(self, messages: Sequence[Message]) -> None:
        """Never deliver these again."""

    async def set_aside(self, message: Message, reason: str, error: str) -> None:
        """Move a message to the dead letter topic, with headers that say why and where it came from."""


class Limiter(Pinged, Protocol):
    """Counts requests."""

    async def hit(self, key: str) -> Budget:
        """Count one request of `key`, unless it is refused."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A lock that somebody holds for a while.

    `fence` is larger than that of every earlier holder of this name: whoever is written to under the lock can refuse
    a holder that woke up too late.
    """

    name: str
    owner: str
    fence: int


class Locks(Pinged, Protocol):
    """Who holds which name, for all processes. A lease ends by itself, so a holder that died blocks nobody for long."""

    async def take(self, name: str, *, owner: str, ttl_seconds: float) -> Lease | None:
        """The lease, unless somebody else holds the name; an owner that asks again gets its own one, prolonged."""

    async def renew(self, lease: Lease, *, ttl_seconds: float) -> bool:
        """Prolong a lease from now on; says whether it was still held."""

    async def release(self, lease: Lease) -> bool:
        """Let go; says whether it was still held."""

    async def drop(self, prefix: str) -> int:
        """Forget every name that starts so, held or not; how many were there."""


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
