"""A topic read from anywhere, beside whoever consumes it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from somafractalmemory.ports.topics import Message

RETRIED_OFFSET = "retried-offset"
"""Header of a mark: the offset, in the same partition, of the letter that was retried. A mark has no value."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a partition: from `first` up to, and without, `end`."""

    first: int
    end: int

    def __len__(self) -> int:
        return max(self.end - self.first, 0)


class History(Protocol):
    """What a topic still holds. Reading commits nothing and takes no partition from anybody. Raises Unavailable."""

    async def spans(self) -> Mapping[int, Span]:
        """What every partition holds now."""

    async def since(self, moment: float) -> Mapping[int, int]:
        """The first offset of each partition that is not older than this time, in seconds since 1970."""

    async def committed(self) -> Mapping[int, int | None]:
        """How far the consumers' group is in each partition; None where it never was."""

    def read(self, spans: Mapping[int, Span], batch: int = 500) -> AsyncIterator[Sequence[Message]]:
        """The messages of these stretches, in order within each partition; offsets without a message are skipped."""


class Resender(Protocol):
    """The way back for messages that were set aside."""

    async def resend(self, letters: Sequence[Message]) -> None:
        """Publish these dead letters as events again, then mark each as retried beside itself. Raises Unavailable."""
