"""Where events go, and where they come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from somafractalmemory.model.events import MemoryEvent
from somafractalmemory.ports.pinged import Pinged


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
