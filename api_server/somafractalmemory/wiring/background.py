"""What runs beside a service, and what is said when it dies."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

log = structlog.get_logger(__name__)


@asynccontextmanager
async def background(*coroutines: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
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
