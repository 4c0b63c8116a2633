"""Settings -> opened adapters -> service. The only module that picks adapters."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from somafractalmemory.adapters.embedding import HashEmbedder
from somafractalmemory.adapters.local import LocalLimiter, LocalRecords, LocalVectors
from somafractalmemory.health import Health
from somafractalmemory.indexing import Indexer
from somafractalmemory.ports import Limiter
from somafractalmemory.ranking import Weights
from somafractalmemory.relay import DirectPublisher, Relay
from somafractalmemory.service import MemoryService
from somafractalmemory.settings import Settings
from somafractalmemory.tokens import Tokens

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ApiRuntime:
    """Everything the routes use."""

    settings: Settings
    service: MemoryService
    limiter: Limiter | None
    tokens: Tokens
    health: Health


@asynccontextmanager
async def open_embedded(settings: Settings) -> AsyncIterator[ApiRuntime]:
    """The whole service in this process, without any store."""
    log.warning("embedded", hint="everything is kept in this process and goes away with it")
    records, vectors, embedder = LocalRecords(), LocalVectors(), HashEmbedder(settings.vector_dim)
    indexer = Indexer(records=records, vectors=vectors, embedder=embedder, clock=time.time)
    relay = Relay(outbox=records, publisher=DirectPublisher(events=records, indexer=indexer))
    service = MemoryService(
        records=records, vectors=vectors, embedder=embedder, weights=_weights(settings), written=relay.wake
    )
    health = Health(required={"postgres": records}, optional={"qdrant": vectors})
    async with service, _background(relay.run(), relay.watch_depth(), health.watch()):
        yield ApiRuntime(settings, service, local_limiter(settings), tokens_of(settings), health)


def tokens_of(settings: Settings) -> Tokens:
    """The bearer tokens. Raises ConfigurationError when there is none."""
    text = settings.api_token.get_secret_value() if settings.api_token else ""
    return Tokens(text="" if settings.api_token_file else text, file=settings.api_token_file)


def local_limiter(settings: Settings) -> LocalLimiter | None:
    """A limiter for this process, or None when limits are off."""
    if not settings.limits_requests:
        return None
    return LocalLimiter(limit=settings.rate_limit_max, window_seconds=settings.rate_limit_window_seconds)


def _weights(settings: Settings) -> Weights:
    return Weights(dense=settings.dense_weight, sparse=settings.sparse_weight)


@asynccontextmanager
async def _background(*coroutines: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run beside the body; a task that dies is logged loudly, all are cancelled at the end."""
    tasks = [asyncio.create_task(coroutine, name=coroutine.__qualname__) for coroutine in coroutines]
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
