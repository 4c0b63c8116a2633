"""What every index promises. A subclass brings the fixture `new_vectors`: a new, empty index of 64 dimensions."""

import asyncio
import random
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest

from somafractalmemory.adapters.embedding import HashEmbedder
from somafractalmemory.errors import Unavailable
from somafractalmemory.model import Embedding, Hit, MemoryType, Point, SparseVector, facets
from somafractalmemory.ports import Search, Vectors
from somafractalmemory.ports.states import State

DIMENSIONS = 64
EMBEDDER = HashEmbedder(DIMENSIONS)


async def a_point(text: str, **changes: Any) -> Point:
    """A living point of version 1 in the namespace `here`."""
    (embedding,) = await EMBEDDER.documents([text])
    fields: dict[str, Any] = {"id": uuid4(), "namespace": "here", "memory_type": "episodic", "version": 1, "facets": []}
    return Point(embedding=embedding, **(fields | changes))


def a_tombstone(place: UUID, version: int, deleted_at: int = 1000) -> Point:
    """What is left of a deleted memory."""
    return Point(place, "here", "", version, None, [], deleted_at=deleted_at)


async def found(vectors: Vectors, text: str, *, hybrid: bool = True, **search: Any) -> dict[UUID, Hit]:
    """The hits of a query by their identifiers."""
    conditions: dict[str, Any] = {"namespace": "here", "memory_type": None, "filters": {}, "limit": 50}
    hits = await vectors.query(await EMBEDDER.query(text), Search(**(conditions | search)), hybrid=hybrid)
    by_id = {hit.id: hit for hit in hits}
    assert len(by_id) == len(hits)
    return by_id


class VectorsContract:
    """Behaviour, not implementation."""

    @pytest.fixture
    async def vectors(self, new_vectors: Vectors) -> Vectors:
        """Empty, and known to hold everything."""
        await new_vectors.mark_complete()
        return new_vectors

    async def test_a_point_is_found_at_once_with_both_scores_and_its_version(self, vectors: Vectors) -> None:
        point = await a_point("grey herons wade slowly", version=7)
        await vectors.upsert([point, await a_point("a train leaves at noon")])

        hit = (await found(vectors, "herons wade"))[point.id]

        assert hit.version == 7
        assert 0.2 < hit.dense <= 1.0
        assert hit.sparse > 0.0

    async def test_the_nearer_text_scores_higher_in_both_lists(self, vectors: Vectors) -> None:
        near, far = await a_point("red kites circle over fields"), await a_point("red bricks and blue tiles")
        await vectors.upsert([far, near])

        hits = await found(vectors, "red kites circle")

        assert hits[near.id].dense > hits[far.id].dense
        assert hits[near.id].sparse > hits[far.id].sparse

    async def test_without_hybrid_only_the_dense_list_counts(self, vectors: Vectors) -> None:
        point = await a_point("owls hunt by ear")
        await vectors.upsert([point])

        hits = await found(vectors, "owls hunt", hybrid=False)

        assert hits[point.id].dense > 0.0
        assert hits[point.id].sparse == 0.0

    async def test_a_namespace_sees_only_its_own_points(self, vectors: Vectors) -> None:
        mine, similar = await a_point("a secret", namespace="here"), await a_point("a secret", namespace="here2")
        await vectors.upsert([mine, similar])

        assert set(await found(vectors, "a secret")) == {mine.id}
        assert set(await found(vectors, "a secret", namespace="here2")) == {similar.id}
        assert not await found(vectors, "a secret", namespace="her")

    async def test_type_and_filters_are_applied_before_the_cut(self, vectors: Vectors) -> None:
        others = [await a_point("the tide table", facets=facets({"sea": "north", "n": n})) for n in range(20)]
        wanted = await a_point("table", memory_type="semantic", facets=facets({"sea": "baltic", "n": 1}))
        await vectors.upsert([*others, wanted])

        for conditions in (
            {"filters": {"sea": "baltic"}},
            {"filters": {"sea": "baltic", "n": 1}},
            {"memory_type": MemoryType.SEMANTIC},
        ):
            assert set(await found(vectors, "the tide table", limit=1, **conditions)) == {wanted.id}
        assert not await found(vectors, "the tide table", filters={"sea": "baltic", "n": 2})
        assert not await found(vectors, "table", memory_type=MemoryType.EPISODIC, filters={"sea": "baltic"})

    async def test_the_limit_holds_for_each_list(self, vectors: Vectors) -> None:
        await vectors.upsert([await a_point(f"stone {n}") for n in range(20)])

        assert len(await found(vectors, "stone", limit=5, hybrid=False)) == 5
        assert 5 <= len(await found(vectors, "stone", limit=5)) <= 10

    async def test_a_newer_version_replaces_everything_of_the_older(self, vectors: Vectors) -> None:
        old = await a_point("badgers dig", facets=facets({"at": "night"}))
        new = await a_point("swifts scream", id=old.id, version=2)
        await vectors.upsert([old])
        await vectors.upsert([new])

        assert (await found(vectors, "swifts scream"))[old.id].version == 2
        stale = (await found(vectors, "badgers dig")).get(old.id)
        assert stale is None or stale.sparse == 0.0
        assert not await found(vectors, "swifts scream", filters={"at": "night"})

    async def test_an_older_or_equal_version_changes_nothing(self, vectors: Vectors) -> None:
        current = await a_point("otters swim", version=5)
        await vectors.upsert([current])

        for version in (4, 5):
            await vectors.upsert([await a_point("lynx prowl", id=current.id, version=version)])

        hits = await found(vectors, "otters swim")
        assert hits[current.id].version == 5
        assert hits[current.id].sparse > 0.0
        assert all(hit.sparse == 0.0 for hit in (await found(vectors, "lynx prowl")).values())

    async def test_one_batch_may_hold_many_versions_some_of_them_late(self, vectors: Vectors) -> None:
        late = await a_point("late", version=9)
        await vectors.upsert([late])
        batch = [await a_point(f"pebble {n}", version=n % 4 + 1) for n in range(40)]
        await vectors.upsert([*batch, await a_point("late pebble", id=late.id, version=3)])

        hits = await found(vectors, "pebble late", limit=100)

        assert {place: hit.version for place, hit in hits.items()} == {
            late.id: 9,
            **{point.id: point.version for point in batch},
        }

    async def test_the_newest_of_concurrent_writes_stays(self, vectors: Vectors) -> None:
        place = uuid4()
        writes = [await a_point(f"draft {n}", id=place, version=n) for n in range(1, 31)]
        random.Random(7).shuffle(writes)

        await asyncio.gather(*(vectors.upsert([write]) for write in writes))

        assert (await found(vectors, "draft 30"))[place].version == 30

    async def test_a_tombstone_is_never_found_and_keeps_older_writes_out(self, vectors: Vectors) -> None:
        point = await a_point("a lie", version=1)
        await vectors.upsert([point])
        await vectors.upsert([a_tombstone(point.id, 3)])
        await vectors.upsert([await a_point("a lie", id=point.id, version=2)])

        assert not await found(vectors, "a lie")

    async def test_a_tombstone_may_come_before_what_it_buries(self, vectors: Vectors) -> None:
        point = await a_point("too late", version=1)
        await vectors.upsert([a_tombstone(point.id, 2)])
        await vectors.upsert([point])

        assert not await found(vectors, "too late")

    async def test_a_place_can_be_lived_in_again(self, vectors: Vectors) -> None:
        place = uuid4()
        await vectors.upsert([a_tombstone(place, 2)])
        await vectors.upsert([await a_point("a phoenix", id=place, version=3)])

        assert (await found(vectors, "a phoenix"))[place].version == 3

    async def test_a_sweep_drops_old_tombstones_only(self, vectors: Vectors) -> None:
        old, young = await a_point("swept once"), await a_point("swept twice")
        living = await a_point("swept never", version=4)
        tombs = [a_tombstone(old.id, 2, deleted_at=100), a_tombstone(young.id, 2, deleted_at=200)]
        await vectors.upsert([*tombs, living])

        await vectors.sweep(150.5)
        await vectors.upsert([old, young])

        assert set(await found(vectors, "swept")) == {old.id, living.id}

    async def test_texts_without_words_are_kept_but_never_found(self, vectors: Vectors) -> None:
        silent = await a_point("...", version=2)
        assert silent.embedding is not None
        assert silent.embedding.dense is None
        await vectors.upsert([silent, await a_point("words")])

        assert silent.id not in await found(vectors, "words")
        assert not await found(vectors, "...")
        assert not await found(vectors, "")

    async def test_a_query_by_words_alone_needs_no_dense_vector(self, vectors: Vectors) -> None:
        point = await a_point("cormorants dry their wings")
        await vectors.upsert([point])
        words = (await EMBEDDER.query("cormorants")).sparse

        hits = await vectors.query(Embedding(None, words), Search("here", None, {}, 10), hybrid=True)
        nothing = await vectors.query(Embedding(None, SparseVector([], [])), Search("here", None, {}, 10), hybrid=True)

        assert [(hit.id, hit.dense) for hit in hits] == [(point.id, 0.0)]
        assert not nothing

    async def test_an_index_is_complete_once_it_was_marked(self, new_vectors: Vectors) -> None:
        assert not await new_vectors.is_complete()
        await new_vectors.upsert([await a_point("not yet")])
        assert not await new_vectors.is_complete()

        await new_vectors.mark_complete()

        assert await new_vectors.is_complete()
        assert len(await found(new_vectors, "not yet")) == 1

    async def test_an_index_that_is_not_complete_does_not_answer_as_if_it_were(self, new_vectors: Vectors) -> None:
        await new_vectors.upsert([await a_point("only the first half")])

        with pytest.raises(Unavailable, match="filled again"):
            await found(new_vectors, "only the first half")

    async def test_entries_are_read_in_the_order_of_their_identifiers(self, vectors: Vectors) -> None:
        points = [await a_point(f"grain {n}", version=n + 1, namespace="here" if n % 3 else "there") for n in range(25)]
        await vectors.upsert([*points, a_tombstone(points[4].id, 99)])
        expected = [State(point.id, point.namespace, point.version) for point in sorted(points, key=lambda p: p.id)]
        expected = [State(s.id, "here", 99, deleted=True) if s.id == points[4].id else s for s in expected]

        pages = [await vectors.states.scan(None, 10)]
        while len(pages[-1]) == 10:
            pages.append(await vectors.states.scan(pages[-1][-1].id, 10))

        assert [state for page in pages for state in page] == expected
        assert all(one[-1].id < other[0].id for one, other in pairwise(pages) if other)
        there = await vectors.states.scan(None, 100, namespace="there")
        assert list(there) == [state for state in expected if state.namespace == "there"]
        looked = await vectors.states.look([points[3].id, points[4].id, uuid4()])
        assert {state.id: state for state in looked} == {
            s.id: s for s in expected if s.id in {points[3].id, points[4].id}
        }
        assert list(await vectors.states.look([])) == []

    async def test_an_entry_is_dropped_at_the_version_that_was_seen_only(self, vectors: Vectors) -> None:
        points = [await a_point(f"husk {n}", version=n % 3 + 1) for n in range(9)]
        await vectors.upsert(points)
        seen = await vectors.states.scan(None, 100)
        await vectors.upsert([await a_point("husk renewed", id=points[0].id, version=7)])

        await vectors.states.drop(seen)
        await vectors.states.drop([])

        assert list(await vectors.states.scan(None, 100)) == [State(points[0].id, "here", 7)]

    async def test_an_index_has_one_birth(self, vectors: Vectors) -> None:
        assert await vectors.states.birth()
        assert await vectors.states.birth() == await vectors.states.birth()

    async def test_nothing_to_do_is_done(self, vectors: Vectors) -> None:
        await vectors.upsert([])
        await vectors.sweep(0)
        await vectors.ping()

        assert not await found(vectors, "anything")
