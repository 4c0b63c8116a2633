"""The service and its consumer, opened on what the settings name, with all that runs beside them."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from somafractalmemory.adapters.embedding import HashEmbedder
from somafractalmemory.adapters.kafka import open_publisher, open_stream
from somafractalmemory.adapters.local import LocalRecords, LocalVectors
from somafractalmemory.adapters.local_locks import LocalLocks
from somafractalmemory.adapters.qdrant import QdrantVectors
from somafractalmemory.events.consumer import Consumer, Rebuilder
from somafractalmemory.events.relay import DirectPublisher, IndexingPublisher, Relay
from somafractalmemory.indexing.points import Indexer
from somafractalmemory.ports import Pinged, Publisher
from somafractalmemory.security.admission import Admission
from somafractalmemory.service import MemoryService
from somafractalmemory.settings import Settings
from somafractalmemory.usecases.health import Health
from somafractalmemory.usecases.locking import Locking
from somafractalmemory.wiring.background import background
from somafractalmemory.wiring.gate import admission_of
from somafractalmemory.wiring.rules import rules_of, topics_of, weights_of
from somafractalmemory.wiring.stores import local_limiter, open_limiter_of, open_locks_of, open_truth_and_index

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ApiRuntime:
    """Everything the routes use."""

    settings: Settings
    service: MemoryService
    admission: Admission
    health: Health
    locking: Locking


@dataclass(frozen=True, slots=True)
class ConsumerRuntime:
    """What the consumer's program runs and shows."""

    consumer: Consumer
    rebuilder: Rebuilder
    health: Health


@asynccontextmanager
async def open_api(settings: Settings) -> AsyncIterator[ApiRuntime]:
    """The service on its stores; each of them may be away, now or later."""
    async with AsyncExitStack() as stack:
        records, vectors, embedder = await open_truth_and_index(settings, stack)
        indexer = Indexer(records=records, vectors=vectors, embedder=embedder, clock=time.time)
        limiter, redis = await open_limiter_of(settings, stack)
        publisher: Publisher = DirectPublisher(events=records, indexer=indexer)
        if settings.eventing_enabled:
            publisher = await stack.enter_async_context(open_publisher(settings, model_revision=embedder.revision))
            if not isinstance(vectors, QdrantVectors):
                publisher = IndexingPublisher(publisher=publisher, indexer=indexer)
        relay = Relay(outbox=records, publisher=publisher)
        locks = await open_locks_of(settings, records, stack)
        service = MemoryService(
            records=records,
            vectors=vectors,
            embedder=embedder,
            weights=weights_of(settings),
            written=relay.wake,
            rules=rules_of(settings),
            locks=locks,
            topics=topics_of(settings),
        )
        optional: dict[str, Pinged] = {"qdrant": vectors, **redis}
        if settings.eventing_enabled:
            optional["kafka"] = publisher
        health = Health(required={"postgres": records}, optional=optional)
        await stack.enter_async_context(
            background(relay.run(), relay.watch_depth(), health.watch(), service.repeating.prune_forever())
        )
        if settings.eventing_enabled and isinstance(vectors, QdrantVectors):  # the consumer looks after the index
            await stack.enter_async_context(background(indexer.adopt_when_new()))
        else:
            await stack.enter_async_context(background(Rebuilder(indexer=indexer, vectors=vectors).run()))
        await stack.enter_async_context(service)
        await stack.enter_async_context(background(service.upkeep.run(settings.pruning_interval_seconds)))
        locking = Locking(locks=locks)
        yield ApiRuntime(settings, service, admission_of(settings, limiter), health, locking)


@asynccontextmanager
async def open_consumer(settings: Settings) -> AsyncIterator[ConsumerRuntime]:
    """The consumer on its stores."""
    async with AsyncExitStack() as stack:
        records, vectors, embedder = await open_truth_and_index(settings, stack)
        stream = await stack.enter_async_context(open_stream(settings))
        indexer = Indexer(records=records, vectors=vectors, embedder=embedder, clock=time.time)
        health = Health(required={"postgres": records, "kafka": stream}, optional={"qdrant": vectors})
        await stack.enter_async_context(background(health.watch()))
        consumer = Consumer(stream=stream, events=records, indexer=indexer)
        yield ConsumerRuntime(consumer, Rebuilder(indexer=indexer, vectors=vectors), health)


@asynccontextmanager
async def open_embedded(settings: Settings) -> AsyncIterator[ApiRuntime]:
    """The whole service in this process, without any store."""
    log.warning("embedded", hint="everything is kept in this process and goes away with it")
    records = LocalRecords(audited=settings.audit != "off")
    vectors, embedder = LocalVectors(), HashEmbedder(settings.vector_dim)
    indexer = Indexer(records=records, vectors=vectors, embedder=embedder, clock=time.time)
    relay = Relay(outbox=records, publisher=DirectPublisher(events=records, indexer=indexer))
    service = MemoryService(
        records=records,
        vectors=vectors,
        embedder=embedder,
        weights=weights_of(settings),
        written=relay.wake,
        rules=rules_of(settings),
    )
    health = Health(required={"postgres": records}, optional={"qdrant": vectors})
    async with (
        service,
        background(relay.run(), relay.watch_depth(), health.watch(), service.repeating.prune_forever()),
        background(service.upkeep.run(settings.pruning_interval_seconds)),
    ):
        yield ApiRuntime(
            settings, service, admission_of(settings, local_limiter(settings)), health, Locking(locks=LocalLocks())
        )
