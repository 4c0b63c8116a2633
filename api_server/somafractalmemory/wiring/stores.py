"""The stores that hold memories, locks and budgets, opened."""

from contextlib import AsyncExitStack

import structlog

from somafractalmemory.adapters.embedding import HashEmbedder
from somafractalmemory.adapters.local import LocalLimiter, LocalVectors
from somafractalmemory.adapters.migrations import migrate
from somafractalmemory.adapters.postgres import PostgresRecords, connection_arguments, open_records
from somafractalmemory.adapters.qdrant import QdrantVectors, open_vectors
from somafractalmemory.adapters.qdrant_wire import LAYOUT
from somafractalmemory.adapters.redis import FallbackLimiter, open_limiter
from somafractalmemory.adapters.redis_locks import open_locks
from somafractalmemory.adapters.vector_file import FileVectors, open_vector_file
from somafractalmemory.errors import Unavailable
from somafractalmemory.ports import Limiter, Locks, Pinged
from somafractalmemory.settings import Settings, postgres_conninfo
from somafractalmemory.settings.clients import password_of, qdrant_trust, redis_tls

log = structlog.get_logger(__name__)

_SCHEMA_SECONDS = 5.0


async def bring_schema_up(settings: Settings) -> None:
    """Give an older or empty database our tables. One that is away is left to say so itself, later.

    Raises ConfigurationError for a database of another release.
    """
    try:
        await migrate(connection_arguments(postgres_conninfo(settings)), wait_seconds=_SCHEMA_SECONDS)
    except Unavailable as error:
        log.warning("schema_unknown", error=str(error), hint="run `soma migrate` once Postgres answers")


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
    vectors = await stack.enter_async_context(
        open_vectors(
            url=settings.qdrant_address or "",
            api_key=password_of(settings, "qdrant"),
            verify=qdrant_trust(settings),
            collection=f"{settings.qdrant_collection}_{embedder.revision}_{LAYOUT}",
            dimensions=embedder.dimensions,
        )
    )
    return records, vectors, embedder


async def open_limiter_of(settings: Settings, stack: AsyncExitStack) -> tuple[Limiter | None, dict[str, Pinged]]:
    """The limiter, and what of it belongs to the health of the whole."""
    local = local_limiter(settings)
    if local is None or settings.redis_address is None:
        return local, {}
    redis = await stack.enter_async_context(
        open_limiter(
            url=settings.redis_address,
            password=password_of(settings, "redis"),
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
    return await stack.enter_async_context(
        open_locks(
            url=settings.redis_address,
            password=password_of(settings, "redis"),
            tls=redis_tls(settings),
        )
    )


def local_limiter(settings: Settings) -> LocalLimiter | None:
    """A limiter for this process, or None when limits are off."""
    if not settings.limits_requests:
        return None
    return LocalLimiter(limit=settings.rate_limit_max, window_seconds=settings.rate_limit_window_seconds)
