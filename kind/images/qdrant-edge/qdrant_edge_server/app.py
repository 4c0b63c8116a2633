"""Settings -> the running server: the only place that knows all parts."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from .catalogue import Catalogue
from .indexing import keep_indexing
from .metrics import Metrics
from .routes import API_VERSION, OPEN_PATHS, Routes
from .settings import Settings
from .snapshots import Snapshots
from .web import Keys, WebApp

_LOG = logging.getLogger(__name__)


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[WebApp]:
    """Open the storage, keep flushing it, and close it at the end."""
    catalogue = Catalogue(settings.storage_path / "collections")
    metrics = Metrics(
        lambda: len(catalogue.items()),
        lambda: sum(found.reader.info().points_count for _, found in catalogue.items()),
        API_VERSION,
    )
    snapshots = Snapshots(settings.snapshots_folder, catalogue)
    keys = Keys(settings.api_key.get_secret_value(), settings.read_only_api_key.get_secret_value())
    routes = Routes(catalogue, snapshots, metrics).table()
    tasks = [
        asyncio.create_task(_keep_flushing(catalogue, settings.flush_seconds)),
        asyncio.create_task(
            keep_indexing(
                catalogue,
                metrics,
                index_from_points=settings.index_from_points,
                seconds=settings.index_check_seconds,
            )
        ),
    ]
    try:
        yield WebApp(routes, OPEN_PATHS, keys, metrics, settings.max_request_megabytes << 20)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        catalogue.close()


async def _keep_flushing(catalogue: Catalogue, seconds: float) -> None:
    """Bound what a power cut can take to the last few seconds, as Qdrant does."""
    while True:
        await asyncio.sleep(seconds)
        for name, collection in catalogue.items():
            try:
                collection.flush()
            except Exception:
                _LOG.exception("flushing %s failed; it is tried again in %s s", name, seconds)


def create_app(settings: Settings) -> Callable[[dict[str, Any], Any, Any], Awaitable[None]]:
    """The ASGI application; the storage is opened by the lifespan, before the port is."""
    opened: list[WebApp] = []

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await opened[0](scope, receive, send)
        elif scope["type"] == "lifespan":
            await _lifespan(settings, opened, receive, send)

    return app


async def _lifespan(settings: Settings, opened: list[WebApp], receive: Any, send: Any) -> None:
    await receive()
    try:
        async with serving(settings) as web:
            opened.append(web)
            _spare_the_collector()
            await send({"type": "lifespan.startup.complete"})
            await receive()
    except Exception as error:
        _LOG.exception("qdrant-edge cannot start")
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        return
    await send({"type": "lifespan.shutdown.complete"})


def _spare_the_collector() -> None:
    """Requests leave no cycles: looking for some among thousands of parsed numbers only costs time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
