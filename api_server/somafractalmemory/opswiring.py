"""What commands of operation work with: the stores, opened for as long as the command runs."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from somafractalmemory.indexing import Indexer
from somafractalmemory.reconciling import Reconciler
from somafractalmemory.settings import Settings
from somafractalmemory.wiring import open_truth_and_index


@asynccontextmanager
async def open_reconciler(settings: Settings) -> AsyncIterator[Reconciler]:
    """The truth beside the index."""
    async with AsyncExitStack() as stack:
        records, vectors, embedder = await open_truth_and_index(settings, stack)
        indexer = Indexer(records=records, vectors=vectors, embedder=embedder, clock=time.time)
        yield Reconciler(records=records, vectors=vectors, indexer=indexer)
