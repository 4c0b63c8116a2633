"""Many memories reach the index in bodies of bounded size."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from somafractalmemory.adapters.embedding import HashEmbedder
from somafractalmemory.adapters.local import LocalVectors
from somafractalmemory.errors import Unavailable
from somafractalmemory.indexing.points import Indexer
from somafractalmemory.model import MemoryType, Point, new_memory
from tests.unit.api_server.conftest import World


class Watched(LocalVectors):
    """Notes how many points come at once; may fail the first time."""

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self._fails = fails

    async def upsert(self, points: Sequence[Point]) -> None:
        self.sizes.append(len(points))
        if self._fails and len(self.sizes) == 1:
            raise Unavailable("qdrant", "it went away")
        await super().upsert(points)


async def refresh(world: World, vectors: Watched, count: int) -> None:
    """Save so many memories, then bring the index up to date."""
    ids: list[UUID] = []
    for number in range(count):
        memory = new_memory(
            namespace="ns",
            coordinate=(float(number),),
            payload={"fact": f"fact {number}"},
            memory_type=MemoryType.EPISODIC,
            now=1.0,
        )
        await world.records.save([memory])
        ids.append(memory.id)
    indexer = Indexer(records=world.records, vectors=vectors, embedder=HashEmbedder(32), clock=lambda: 1.0)
    await indexer.refresh(ids)


async def test_a_large_refresh_is_written_in_slices(world: World) -> None:
    vectors = Watched()

    await refresh(world, vectors, 250)

    assert sorted(vectors.sizes) == [50, 100, 100]
    assert len(vectors._points) == 250


async def test_a_slice_that_fails_is_told_and_the_others_are_written(world: World) -> None:
    vectors = Watched(fails=True)

    with pytest.raises(Unavailable):
        await refresh(world, vectors, 250)

    assert len(vectors._points) == 150
