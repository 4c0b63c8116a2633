"""Events in, idempotent effects out: a row in `memory_events`, and the index brought up to what the truth says now.

The index is refreshed from the truth, not from the event, so replays, duplicates and late events change nothing. A
message that can never be applied is set aside with its reason; a store that is away is waited for.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from somafractalmemory import telemetry, tracing
from somafractalmemory.errors import PoisonEvent, SomaError, Unavailable
from somafractalmemory.indexing.points import Indexer
from somafractalmemory.model.events import MemoryEvent, decode_event
from somafractalmemory.ports import EventLog, Message, Stream, Vectors

log = structlog.get_logger(__name__)

_SWEEP_EVERY_SECONDS = 3600.0
_REASONS = {"kv_writer": "rejected", "vector_indexer": "not-indexable"}
Letter = tuple[Message, MemoryEvent]
Refusal = tuple[Message, str, str]


class Consumer:
    """Reads a stream for ever; commits after the effect."""

    def __init__(
        self, *, stream: Stream, events: EventLog, indexer: Indexer, batch: int = 500, max_backoff_seconds: float = 10.0
    ) -> None:
        self._stream = stream
        self._events = events
        self._indexer = indexer
        self._batch = batch
        self._max_backoff_seconds = max_backoff_seconds
        self._stopping = asyncio.Event()
        self.last_progress = time.monotonic()

    def stop(self) -> None:
        """Finish the batch in hand, then return from `run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Consume until stopped."""
        while not self._stopping.is_set():
            try:
                messages = await self._stream.take(self._batch, 0.5)
            except Unavailable as error:
                log.warning("stream_away", error=str(error))
                await asyncio.sleep(self._backoff(1))
                continue
            self.last_progress = time.monotonic()
            if messages:
                for message in messages:
                    telemetry.CONSUMED.labels(message.topic).inc()
                await self._until_done(messages)

    async def _until_done(self, messages: Sequence[Message]) -> None:
        attempt = 0
        while True:
            try:
                with tracing.following(map(_traceparent, messages), "memory.events process"):
                    await self.apply(messages)
                await self._stream.commit(messages)
            except Unavailable as error:
                attempt += 1
                telemetry.CONSUMER_RETRIES.inc()
                log.warning("batch_delayed", attempt=attempt, size=len(messages), error=str(error))
                if self._stopping.is_set() or not await self._stream.hold(self._backoff(attempt)):
                    return
            else:
                return

    async def apply(self, messages: Sequence[Message]) -> None:
        """Bring about the effect of every message, or set it aside. Raises Unavailable: nothing may be committed."""
        letters, poison = _decoded(messages)
        logged, unlogged = await self._effect("kv_writer", self._events.append, letters)
        indexed, unindexed = await self._effect("vector_indexer", self._indexer.follow, logged)
        for message, reason, error in [*poison, *unlogged, *unindexed]:
            await self._set_aside(message, reason, error)
        telemetry.PROCESS_SUCCESS.labels("both").inc(len(indexed))

    async def _effect(
        self, component: str, work: Callable[[Sequence[MemoryEvent]], Awaitable[None]], letters: Sequence[Letter]
    ) -> tuple[Sequence[Letter], Sequence[Refusal]]:
        """Do it for all; when some are refused for good, find them by halving. Raises Unavailable."""
        if not letters:
            return [], []
        try:
            with telemetry.PROCESS_LATENCY.labels(component).time():
                await work([event for _, event in letters])
        except Unavailable:
            telemetry.PROCESS_FAILURE.labels(component).inc()
            raise
        except SomaError as error:
            telemetry.PROCESS_FAILURE.labels(component).inc()
            if len(letters) == 1:
                return [], [(letters[0][0], _REASONS[component], str(error))]
            middle = len(letters) // 2
            kept, refused = await self._effect(component, work, letters[:middle])
            more_kept, more_refused = await self._effect(component, work, letters[middle:])
            return [*kept, *more_kept], [*refused, *more_refused]
        return letters, []

    async def _set_aside(self, message: Message, reason: str, error: str) -> None:
        await self._stream.set_aside(message, reason, error)
        telemetry.DEAD_LETTERS.labels(reason).inc()
        log.warning("event_set_aside", reason=reason, error=error, partition=message.partition, offset=message.offset)

    def _backoff(self, attempt: int) -> float:
        ceiling = min(0.2 * 2 ** min(attempt, 10), self._max_backoff_seconds)
        return random.uniform(ceiling / 2, ceiling)  # noqa: S311  # jitter, not a secret


def _traceparent(message: Message) -> str | None:
    return next((value.decode("latin-1") for name, value in message.headers if name == "traceparent"), None)


def _decoded(messages: Sequence[Message]) -> tuple[list[Letter], list[Refusal]]:
    letters: list[Letter] = []
    poison: list[Refusal] = []
    for message in messages:
        try:
            letters.append((message, decode_event(message.value)))
        except PoisonEvent as error:
            poison.append((message, error.reason, str(error)))
    return letters, poison


class Rebuilder:
    """Looks after the index: fills it again from the truth when it was lost, and sweeps tombstones out of it."""

    def __init__(
        self,
        *,
        indexer: Indexer,
        vectors: Vectors,
        every_seconds: float = 5.0,
        tombstones_last_seconds: float = 24 * 3600.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._indexer = indexer
        self._vectors = vectors
        self._every_seconds = every_seconds
        self._tombstones_last_seconds = tombstones_last_seconds
        self._clock = clock
        self._swept_at = clock()

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            try:
                await self.step()
            except SomaError as error:
                log.warning("index_care_delayed", error=str(error))
            await asyncio.sleep(self._every_seconds)

    async def step(self) -> None:
        """One look. Raises Unavailable."""
        if await self._indexer.rebuild_if_lost(telemetry.REBUILT.inc):
            log.info("index_rebuilt")
        if self._clock() - self._swept_at >= _SWEEP_EVERY_SECONDS:
            # A write that is a day late does not exist: every request, event and retry has ended or reads the truth.
            await self._vectors.sweep(self._clock() - self._tombstones_last_seconds)
            self._swept_at = self._clock()
