"""The consumer's small face: metrics and health over HTTP, while it consumes in the background."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog
from fastapi import FastAPI

from somafractalmemory.httpface.routes import health
from somafractalmemory.settings import Settings
from somafractalmemory.wiring import ConsumerRuntime

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 15.0
Opener = Callable[[Settings], AbstractAsyncContextManager[ConsumerRuntime]]


def create_consumer_app(settings: Settings, open_runtime: Opener) -> FastAPI:
    """An application whose lifespan is the consumer's: it drains the batch in hand before it ends."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_runtime(settings) as runtime:
            app.state.runtime = runtime
            consuming = _essential(asyncio.create_task(runtime.consumer.run(), name="consumer"))
            rebuilding = _essential(asyncio.create_task(runtime.rebuilder.run(), name="rebuilder"))
            try:
                yield
            finally:
                runtime.consumer.stop()
                await asyncio.wait([consuming], timeout=DRAIN_SECONDS)
                for task in (consuming, rebuilding):
                    task.cancel()
                await asyncio.gather(consuming, rebuilding, return_exceptions=True)

    app = FastAPI(title="SomaFractalMemory consumer", lifespan=lifespan, openapi_url=None)
    app.include_router(health.router)
    return app


def _essential(task: asyncio.Task[None]) -> asyncio.Task[None]:
    """End the process when this task fails: a consumer that consumes nothing must not look alive."""

    def on_end(ended: asyncio.Task[None]) -> None:
        if not ended.cancelled() and (error := ended.exception()):
            log.error("task_died", task=ended.get_name(), exc_info=error)
            os.kill(os.getpid(), signal.SIGTERM)

    task.add_done_callback(on_end)
    return task
