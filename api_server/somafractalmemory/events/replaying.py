"""Applying events again, from any point of their topic. What was applied before changes nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from somafractalmemory.errors import InvalidRequest, Unavailable
from somafractalmemory.events.consumer import Consumer
from somafractalmemory.indexing.points import Indexer
from somafractalmemory.ports import EventLog, Message
from somafractalmemory.ports.history import History, Span

_PATIENCE_SECONDS = 60.0


@dataclass(slots=True)
class Replayed:
    """How far a replay came; `next_offsets` tells where another one would go on."""

    total: int = 0
    applied: int = 0
    refused: int = 0
    next_offsets: dict[int, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "total": self.total,
            "applied": self.applied,
            "refused": self.refused,
            "reasons": self.reasons,
            "next_offsets": {str(partition): offset for partition, offset in sorted(self.next_offsets.items())},
        }


class Replay:
    """A stream that ends: the consumer applies it as it applies the topic, but in nobody's group."""

    def __init__(
        self,
        *,
        history: History,
        progress: Callable[[Replayed], None] = lambda _: None,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self.done = Replayed()
        self._history = history
        self._progress = progress
        self._patience_seconds = patience_seconds
        self._batches: AsyncIterator[Sequence[Message]] | None = None
        self._consumer: Consumer | None = None
        self._waiting_since: float | None = None

    async def run(self, spans: Mapping[int, Span], *, events: EventLog, indexer: Indexer) -> Replayed:
        """Apply everything in these stretches. Raises ReplayInterrupted; `done` says how far it got."""
        self.done.total = sum(map(len, spans.values()))
        self.done.next_offsets = {partition: span.first for partition, span in spans.items()}
        self._batches = self._history.read(spans)
        self._consumer = Consumer(stream=self, events=events, indexer=indexer)
        await self._consumer.run()
        self.done.next_offsets = {partition: span.end for partition, span in spans.items()}
        return self.done

    # The port Stream

    async def ping(self) -> None:
        await self._history.spans()

    async def take(self, limit: int, timeout_seconds: float) -> Sequence[Message]:  # noqa: ARG002  # it never waits
        if self._batches is None or self._consumer is None:
            raise AssertionError("a replay is read by its own consumer")
        try:
            return await anext(self._batches)
        except StopAsyncIteration:
            self._consumer.stop()
            return []
        except Unavailable as error:
            raise ReplayInterrupted(error) from error

    async def hold(self, seconds: float) -> bool:
        """Waits for a store that is away, but not for ever."""
        now = time.monotonic()
        self._waiting_since = self._waiting_since or now
        if now - self._waiting_since > self._patience_seconds:
            raise ReplayInterrupted(Unavailable("a store", f"it stays away for {self._patience_seconds:g} s"))
        await asyncio.sleep(seconds)
        return True

    async def commit(self, messages: Sequence[Message]) -> None:
        """Nothing is committed anywhere; only the progress is told."""
        self._waiting_since = None
        for message in messages:
            self.done.next_offsets[message.partition] = message.offset + 1
        self.done.applied += len(messages)
        self._progress(self.done)

    async def set_aside(self, message: Message, reason: str, error: str) -> None:  # noqa: ARG002
        """The consumer set it aside when it first came; here it is only counted."""
        self.done.refused += 1
        self.done.applied -= 1
        self.done.reasons[reason] = self.done.reasons.get(reason, 0) + 1


class ReplayInterrupted(Exception):  # noqa: N818  # not one of our errors, so that the consumer does not wait for it
    """The replay cannot go on; `error` says why."""

    def __init__(self, error: Unavailable) -> None:
        super().__init__(str(error))
        self.error = error


async def stretch(
    history: History, *, partition: int | None, offset: int | None = None, moment: float | None = None
) -> Mapping[int, Span]:
    """From an offset, a time or the beginning up to the present end. Raises InvalidRequest, Unavailable."""
    spans = dict(await history.spans())
    if partition is not None and partition not in spans:
        raise InvalidRequest(f"the topic has no partition {partition}, only {', '.join(map(str, sorted(spans)))}")
    since = await history.since(moment) if moment is not None else {}
    return {
        number: Span(max(span.first, offset or 0, since.get(number, 0)), span.end)
        for number, span in spans.items()
        if partition in {None, number}
    }
