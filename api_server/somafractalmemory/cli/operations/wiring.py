"""What commands of operation work with: the stores, opened for as long as the command runs."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from somafractalmemory.adapters.kafka_history import open_history, open_resender
from somafractalmemory.adapters.postgres import open_records
from somafractalmemory.events.deadletters import DeadLetters
from somafractalmemory.events.replaying import Replay, Replayed
from somafractalmemory.indexing.points import Indexer
from somafractalmemory.indexing.reconciling import Reconciler
from somafractalmemory.ports import Outbox
from somafractalmemory.ports.history import History, Span
from somafractalmemory.settings import Settings, postgres_conninfo
from somafractalmemory.usecases.erasing import Eraser
from somafractalmemory.wiring import open_locks_of, open_truth_and_index, topics_of


@asynccontextmanager
async def open_reconciler(settings: Settings) -> AsyncIterator[Reconciler]:
    """The truth beside the index."""
    async with AsyncExitStack() as stack:
        records, vectors, embedder = await open_truth_and_index(settings, stack)
        indexer = Indexer(records=records, vectors=vectors, embedder=embedder, clock=time.time)
        yield Reconciler(records=records, vectors=vectors, indexer=indexer)


@asynccontextmanager
async def open_eraser(settings: Settings) -> AsyncIterator[Eraser]:
    """Whatever holds memories."""
    async with AsyncExitStack() as stack:
        records, vectors, _ = await open_truth_and_index(settings, stack)
        locks = await open_locks_of(settings, records, stack)
        yield Eraser(records=records, vectors=vectors, locks=locks, topics=topics_of(settings))


@asynccontextmanager
async def open_replay(
    settings: Settings, progress: Callable[[Replayed], None]
) -> AsyncIterator[tuple[Replay, History, Callable[[Mapping[int, Span]], Awaitable[Replayed]]]]:
    """A replay, the topic it reads, and the way to run it."""
    async with AsyncExitStack() as stack:
        records, vectors, embedder = await open_truth_and_index(settings, stack)
        indexer = Indexer(records=records, vectors=vectors, embedder=embedder, clock=time.time)
        history = await stack.enter_async_context(open_history(settings, settings.kafka_topic))
        replay = Replay(history=history, progress=progress)
        yield replay, history, lambda spans: replay.run(spans, events=records, indexer=indexer)


@asynccontextmanager
async def open_dead_letters(settings: Settings) -> AsyncIterator[DeadLetters]:
    """The dead letter topic, with the way back to the topic of events."""
    async with open_history(settings, settings.kafka_dlq_topic) as history, open_resender(settings) as resender:
        yield DeadLetters(history=history, resender=resender)


@asynccontextmanager
async def open_lag(settings: Settings) -> AsyncIterator[tuple[History, Outbox | None]]:
    """The topic of events, and the outbox if this process may see it."""
    async with AsyncExitStack() as stack:
        history = await stack.enter_async_context(open_history(settings, settings.kafka_topic))
        outbox = None
        if settings.postgres_url is not None:
            outbox = await stack.enter_async_context(open_records(postgres_conninfo(settings), pool_size=2))
        yield history, outbox
