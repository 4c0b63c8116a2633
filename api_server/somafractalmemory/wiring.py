"""Settings -> opened adapters -> service. The only module that picks adapters."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from somafractalmemory.adapters.embedding import HashEmbedder
from somafractalmemory.adapters.identity import key_source
from somafractalmemory.adapters.kafka import open_publisher, open_stream
from somafractalmemory.adapters.local import LocalLimiter, LocalRecords, LocalVectors
from somafractalmemory.adapters.local_locks import LocalLocks
from somafractalmemory.adapters.migrations import migrate
from somafractalmemory.adapters.postgres import PostgresRecords, connection_arguments, open_records
from somafractalmemory.adapters.qdrant import QdrantVectors, open_vectors
from somafractalmemory.adapters.qdrant_wire import LAYOUT
from somafractalmemory.adapters.redis import FallbackLimiter, open_limiter
from somafractalmemory.adapters.redis_locks import open_locks
from somafractalmemory.adapters.vector_file import FileVectors, open_vector_file
from somafractalmemory.errors import Unavailable
from somafractalmemory.events.consumer import Consumer, Rebuilder
from somafractalmemory.events.relay import DirectPublisher, IndexingPublisher, Relay
from somafractalmemory.indexing.points import Indexer
from somafractalmemory.model.decay import Decay, Level
from somafractalmemory.model.ranking import Weights
from somafractalmemory.ports import Limiter, Locks, Pinged, Publisher
from somafractalmemory.security.admission import Admission
from somafractalmemory.security.bearers import Bearers, Issuer, KeyRing
from somafractalmemory.security.sealing import Seal, read_keys
from somafractalmemory.security.tokens import Tokens
from somafractalmemory.service import MemoryService
from somafractalmemory.settings import Settings, postgres_conninfo
from somafractalmemory.settings.clients import qdrant_trust, redis_tls
from somafractalmemory.usecases.health import Health
from somafractalmemory.usecases.locking import Locking
from somafractalmemory.usecases.rules import Rules

log = structlog.get_logger(__name__)

_SCHEMA_SECONDS = 5.0


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
        limiter, redis = await _open_limiter(settings, stack)
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
            weights=_weights(settings),
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
            _background(relay.run(), relay.watch_depth(), health.watch(), service.repeating.prune_forever())
        )
        if settings.eventing_enabled and isinstance(vectors, QdrantVectors):  # the consumer looks after the index
            await stack.enter_async_context(_background(indexer.adopt_when_new()))
        else:
            await stack.enter_async_context(_background(Rebuilder(indexer=indexer, vectors=vectors).run()))
        await stack.enter_async_context(service)
        await stack.enter_async_context(_background(service.upkeep.run(settings.pruning_interval_seconds)))
        locking = Locking(locks=locks)
        yield ApiRuntime(settings, service, _admission(settings, limiter), health, locking)


async def bring_schema_up(settings: Settings) -> None:
    """Give an older or empty database our tables. One that is away is left to say so itself, later.

    Raises ConfigurationError for a database of another release.
    """
    try:
        await migrate(connection_arguments(postgres_conninfo(settings)), wait_seconds=_SCHEMA_SECONDS)
    except Unavailable as error:
        log.warning("schema_unknown", error=str(error), hint="run `soma migrate` once Postgres answers")


@asynccontextmanager
async def open_consumer(settings: Settings) -> AsyncIterator[ConsumerRuntime]:
    """The consumer on its stores."""
    async with AsyncExitStack() as stack:
        records, vectors, embedder = await open_truth_and_index(settings, stack)
        stream = await stack.enter_async_context(open_stream(settings))
        indexer = Indexer(records=records, vectors=vectors, embedder=embedder, clock=time.time)
        health = Health(required={"postgres": records, "kafka": stream}, optional={"qdrant": vectors})
        await stack.enter_async_context(_background(health.watch()))
        consumer = Consumer(stream=stream, events=records, indexer=indexer)
        yield ConsumerRuntime(consumer, Rebuilder(indexer=indexer, vectors=vectors), health)


async def open_truth_and_index(
    settings: Settings, stack: AsyncExitStack
) -> tuple[PostgresRecords, QdrantVectors | LocalVectors | FileVectors, HashEmbedder]:
    """Both stores that hold memories, closed with `stack`."""
    embedder = HashEmbedder(settings.vector_dim)
    records = await stack.enter_async_context(
        open_records(
            postgres_conninfo(settings), pool_size=settings.postgres_pool_size, audited=settings.audit != "off"
        )
    )
    if settings.vector_backend == "memory":
        return records, LocalVectors(complete=False), embedder
    if settings.qdrant_path is not None:
        folder = settings.qdrant_path / f"{embedder.revision}_{LAYOUT}"
        return (
            records,
            await stack.enter_async_context(open_vector_file(folder, dimensions=embedder.dimensions)),
            embedder,
        )
    key = settings.qdrant_api_key
    vectors = await stack.enter_async_context(
        open_vectors(
            url=settings.qdrant_address or "",
            api_key=key.get_secret_value() if key else None,
            verify=qdrant_trust(settings),
            collection=f"{settings.qdrant_collection}_{embedder.revision}_{LAYOUT}",
            dimensions=embedder.dimensions,
        )
    )
    return records, vectors, embedder


async def _open_limiter(settings: Settings, stack: AsyncExitStack) -> tuple[Limiter | None, dict[str, Pinged]]:
    """The limiter, and what of it belongs to the health of the whole."""
    local = local_limiter(settings)
    if local is None or settings.redis_address is None:
        return local, {}
    password = settings.redis_password
    redis = await stack.enter_async_context(
        open_limiter(
            url=settings.redis_address,
            password=password.get_secret_value() if password else None,
            limit=settings.rate_limit_max,
            window_seconds=settings.rate_limit_window_seconds,
            tls=redis_tls(settings),
        )
    )
    return FallbackLimiter(redis, local), {"redis": redis}


async def open_locks_of(settings: Settings, records: PostgresRecords, stack: AsyncExitStack) -> Locks:
    """Where all processes see the same locks: in Redis, or beside the truth when there is none."""
    if settings.redis_address is None:
        return records.locks
    password = settings.redis_password
    return await stack.enter_async_context(
        open_locks(
            url=settings.redis_address,
            password=password.get_secret_value() if password else None,
            tls=redis_tls(settings),
        )
    )


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
        weights=_weights(settings),
        written=relay.wake,
        rules=rules_of(settings),
    )
    health = Health(required={"postgres": records}, optional={"qdrant": vectors})
    async with (
        service,
        _background(relay.run(), relay.watch_depth(), health.watch(), service.repeating.prune_forever()),
        _background(service.upkeep.run(settings.pruning_interval_seconds)),
    ):
        yield ApiRuntime(
            settings, service, _admission(settings, local_limiter(settings)), health, Locking(locks=LocalLocks())
        )


def _admission(settings: Settings, limiter: Limiter | None) -> Admission:
    return Admission(
        tokens=tokens_of(settings),
        bearers=_bearers(settings),
        limiter=limiter,
        default_namespace=settings.namespace,
    )


def _bearers(settings: Settings) -> Bearers | None:
    """Tokens of an identity provider, when there is one."""
    if settings.oidc_issuer is None or settings.oidc_audience is None:
        return None
    source = key_source(issuer=settings.oidc_issuer, url=settings.oidc_jwks_url, file=settings.oidc_jwks_file)
    issuer = Issuer(
        settings.oidc_issuer, settings.oidc_audience, settings.oidc_scopes_claim, settings.oidc_namespaces_claim
    )
    return Bearers(issuer, KeyRing(source))


def topics_of(settings: Settings) -> tuple[str, ...]:
    """Where events of memories go."""
    return (settings.kafka_topic, settings.kafka_dlq_topic) if settings.eventing_enabled else ()


def tokens_of(settings: Settings) -> Tokens:
    """The bearer tokens. Raises ConfigurationError when there is none."""
    text = settings.api_token.get_secret_value() if settings.api_token else ""
    return Tokens(
        text="" if settings.api_token_file else text,
        file=settings.api_token_file,
        structured_file=settings.api_tokens_file,
        required=settings.oidc_issuer is None,
    )


def local_limiter(settings: Settings) -> LocalLimiter | None:
    """A limiter for this process, or None when limits are off."""
    if not settings.limits_requests:
        return None
    return LocalLimiter(limit=settings.rate_limit_max, window_seconds=settings.rate_limit_window_seconds)


def rules_of(settings: Settings) -> Rules:
    """What happens to memories as time goes by. Raises ConfigurationError for a key file that cannot be used."""
    pairs = zip(settings.decay_thresholds_seconds, settings.decayable_keys_by_level, strict=False)
    levels = tuple(Level(after, frozenset(keys)) for after, keys in pairs if settings.decay_enabled)
    file = settings.encryption_key_file
    return Rules(
        decay=Decay(levels),
        seal=Seal(read_keys(file), settings.secret_fields) if file else None,
        max_memories=settings.max_memory_size,
        audit=settings.audit,
        audit_days=settings.audit_days,
    )


def _weights(settings: Settings) -> Weights:
    return Weights(dense=settings.dense_weight, sparse=settings.sparse_weight)


@asynccontextmanager
async def _background(*coroutines: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run beside the body; a task that dies is logged loudly, all are cancelled at the end."""
    tasks = [asyncio.create_task(coroutine, name=str(coroutine)) for coroutine in coroutines]
    for task in tasks:
        task.add_done_callback(_report_death)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _report_death(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("background_task_died", task=task.get_name(), exc_info=error)
