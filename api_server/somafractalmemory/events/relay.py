"""Publishes the outbox. One process leads, others stand by; an event leaves the outbox once it is safely published."""

import asyncio
import random
from collections.abc import Sequence

import structlog

from somafractalmemory import telemetry
from somafractalmemory.errors import SomaError, Unavailable
from somafractalmemory.indexing.points import Indexer
from somafractalmemory.model.events import MemoryEvent
from somafractalmemory.ports import EventLog, Outbox, Publisher

log = structlog.get_logger(__name__)

_PLENTY_FACTOR = 4  # a quarter of a batch is plenty


class Relay:
    """A background task: outbox -> publisher, in order for each memory, at least once."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        publisher: Publisher,
        batch: int = 1000,
        idle_seconds: float = 0.25,
        gather_seconds: float = 0.1,
        busy_gather_seconds: float = 0.5,
        max_backoff_seconds: float = 15.0,
    ) -> None:
        self._outbox = outbox
        self._publisher = publisher
        self._batch = batch
        self._idle_seconds = idle_seconds
        self._gather_seconds = gather_seconds
        self._busy_gather_seconds = busy_gather_seconds
        self._max_backoff_seconds = max_backoff_seconds
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something was committed: do not wait for the next look."""
        self._woken.set()

    async def run(self) -> None:
        """Publish until cancelled; a store that is away only slows it down."""
        failures = 0
        while True:
            try:
                published = await self.step()
                failures = 0
            except SomaError as error:
                failures += 1
                self._report(error)
                await asyncio.sleep(self._backoff(failures))
                continue
            if published < self._batch:
                await self._rest(published)

    async def step(self) -> int:
        """One round; answers how many events were published. Raises Unavailable."""
        self._woken.clear()
        leading = await self._outbox.lead()
        telemetry.RELAY_LEADER.set(leading)
        if not leading:
            await asyncio.sleep(1.0)
            return 0
        pending = await self._outbox.pending(self._batch)
        if not pending:
            return 0
        arrived = await self._publisher.publish([event for _, event in pending])
        done = [number for (number, _), safe in zip(pending, arrived, strict=True) if safe]
        await self._outbox.done(done)
        telemetry.RELAY_PUBLISHED.inc(len(done))
        if len(done) < len(pending):
            raise Unavailable("kafka", f"{len(pending) - len(done)} of {len(pending)} events were not acknowledged")
        return len(done)

    async def watch_depth(self, every_seconds: float = 5.0) -> None:
        """Keep the outbox gauges true until cancelled."""
        while True:
            try:
                depth = await self._outbox.depth()
                telemetry.OUTBOX_ROWS.set(depth.rows)
                telemetry.OUTBOX_AGE.set(depth.age_seconds)
            except SomaError as error:
                log.info("outbox_depth_unknown", error=str(error))
            await asyncio.sleep(every_seconds)

    async def _rest(self, published: int) -> None:
        """Wait for something to be committed, and for more: a round costs the same for one event as for a hundred.

        The more there was, the longer: who writes a thousand a second is served better by what this saves.
        """
        try:
            async with asyncio.timeout(self._idle_seconds):
                await self._woken.wait()
        except TimeoutError:
            return
        share = min(1.0, _PLENTY_FACTOR * published / self._batch)
        await asyncio.sleep(self._gather_seconds + share * (self._busy_gather_seconds - self._gather_seconds))

    def _backoff(self, failures: int) -> float:
        ceiling = min(0.2 * 2 ** min(failures, 10), self._max_backoff_seconds)
        return random.uniform(ceiling / 2, ceiling)  # noqa: S311  # jitter, not a secret

    @staticmethod
    def _report(error: SomaError) -> None:
        reason = error.component if isinstance(error, Unavailable) else "error"
        telemetry.RELAY_FAILURES.labels(reason).inc()
        log.warning("relay_failed", reason=reason, error=str(error))


class DirectPublisher:
    """Publishing without Kafka (`EVENTING_ENABLED=false`, embedded): log and index are brought up to date here."""

    def __init__(self, *, events: EventLog, indexer: Indexer) -> None:
        self._events = events
        self._indexer = indexer

    async def ping(self) -> None:
        """Always fit: there is nothing to reach."""

    async def publish(self, events: Sequence[MemoryEvent]) -> Sequence[bool]:
        await self._events.append(events)
        await self._indexer.follow(events)
        return [True] * len(events)


class IndexingPublisher:
    """Publishing beside an index that no consumer can reach, because it is in this process: it follows here."""

    def __init__(self, *, publisher: Publisher, indexer: Indexer) -> None:
        self._publisher = publisher
        self._indexer = indexer

    async def ping(self) -> None:
        """Whether the other publisher is fit."""
        await self._publisher.ping()

    async def publish(self, events: Sequence[MemoryEvent]) -> Sequence[bool]:
        arrived = await self._publisher.publish(events)
        await self._indexer.follow([event for event, safe in zip(events, arrived, strict=True) if safe])
        return arrived
