"""Decides when a collection's graphs are built, and has it done beside the running server."""

import asyncio
import logging
import sys
from pathlib import Path

from .catalogue import Catalogue
from .collection import Collection
from .metrics import Metrics

_LOG = logging.getLogger(__name__)
_GROWTH = 1.5
"""A collection is done again when it has grown by this factor: the total work stays in proportion to its size."""
_BUILD_SECONDS = 3600.0


def is_due(points: int, points_at_last_build: int, index_from_points: int) -> bool:
    """Whether a graph would pay: below some size a scan is as quick, and `index_from_points` 0 means never."""
    if index_from_points == 0 or points < index_from_points:
        return False
    return points >= points_at_last_build * _GROWTH


async def keep_indexing(catalogue: Catalogue, metrics: Metrics, *, index_from_points: int, seconds: float) -> None:
    """Look at every collection now and then; one build at a time."""
    while True:
        await asyncio.sleep(seconds)
        for name, collection in catalogue.items():
            if is_due(collection.points, collection.points_at_last_build, index_from_points):
                await _index(name, collection, metrics)


async def _index(name: str, collection: Collection, metrics: Metrics) -> None:
    try:
        done = await collection.reindex(_optimised)
    except Exception:
        _LOG.exception("building the graphs of %s failed; searches go on without, and it is tried again", name)
        metrics.index_build("failed")
        return
    metrics.index_build("done" if done else "abandoned")


async def _optimised(folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "qdrant_edge_server.rebuild", str(folder))
    try:
        async with asyncio.timeout(_BUILD_SECONDS):
            code = await process.wait()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if code:
        raise RuntimeError(f"qdrant_edge_server.rebuild ended with {code}")
