"""The real index keeps the same contract, and ranks as the one in process does."""

import random
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from somafractalmemory.adapters.local import LocalVectors
from somafractalmemory.adapters.qdrant import QdrantVectors, open_vectors
from somafractalmemory.model import Hit
from somafractalmemory.ports import Vectors
from tests.contracts.vectors import DIMENSIONS, VectorsContract, a_point, found

NOT_FOUND = Hit(uuid4(), 0)
WORDS = ["heron", "owl", "kite", "river", "stone", "cloud", "ember", "moss", "tide", "lantern", "harbour", "signal"]


class TestQdrantVectors(VectorsContract):
    """QdrantVectors."""

    @pytest.fixture
    async def new_vectors(self, qdrant_url: str, qdrant_api_key: str) -> AsyncIterator[QdrantVectors]:
        async with open_vectors(
            url=qdrant_url,
            api_key=qdrant_api_key,
            collection=f"contract_{uuid4().hex}",
            dimensions=DIMENSIONS,
            timeout_seconds=10.0,  # a busy disk may take its time to make a collection
        ) as opened:
            yield opened

    async def test_it_finds_what_the_index_in_process_finds(self, vectors: Vectors) -> None:
        local, chance = LocalVectors(), random.Random(11)
        points = [await a_point(" ".join(chance.choices(WORDS, k=6))) for _ in range(200)]
        for index in (local, vectors):
            await index.upsert(points)

        for _ in range(20):
            query = " ".join(chance.choices(WORDS, k=3))
            expected, real = await found(local, query, limit=200), await found(vectors, query, limit=200)
            for place in real.keys() | expected.keys():  # a cosine of nothing may round to a trace of something
                one, other = real.get(place, NOT_FOUND), expected.get(place, NOT_FOUND)
                assert one.dense == pytest.approx(other.dense, abs=1e-4)
                assert one.sparse == pytest.approx(other.sparse, rel=0.02)
