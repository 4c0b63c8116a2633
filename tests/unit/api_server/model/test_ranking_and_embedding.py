"""Scores are bounded sums of shown parts, and similar texts are near."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from somafractalmemory.adapters.embedding import HashEmbedder
from somafractalmemory.model import Hit, Memory, MemoryType, memory_id
from somafractalmemory.model.ranking import Weights, freshness, fuse, rank

EMBEDDER = HashEmbedder(256)
MEMORY = Memory(
    id=memory_id("ns", (1.0,)),
    namespace="ns",
    coordinate=(1.0,),
    memory_type=MemoryType.SEMANTIC,
    payload={},
    importance=1.0,
    timestamp=None,
    version=1,
    created_at=0.0,
    updated_at=0.0,
)
shares = st.floats(0, 1)


def near(one: str, other: str) -> float:
    first, second = EMBEDDER.dense(one), EMBEDDER.dense(other)
    assert first is not None
    assert second is not None
    return float(np.dot(first, second))


@given(st.lists(st.tuples(shares, st.floats(0, 100)), min_size=1, max_size=20), shares, st.floats(0, 1e10))
def test_every_score_is_the_sum_of_its_parts_and_bounded(
    raw: list[tuple[float, float]], importance: float, now: float
) -> None:
    hits = [Hit(MEMORY.id, 1, dense, sparse) for dense, sparse in raw]
    found = [
        (replace(MEMORY, importance_norm=importance), parts)
        for _, parts in fuse(hits, Weights(), hybrid=True, limit=len(hits))
    ]

    for match in rank(found, now):
        assert match.score == sum(match.parts.values())
        assert 0.0 <= match.score <= 1.08 + 1e-9


def test_importance_orders_equals_but_never_beats_relevance() -> None:
    plain, precious = replace(MEMORY, importance_norm=0.0), replace(MEMORY, importance_norm=1.0, coordinate=(2.0,))

    equal = rank([(plain, {"dense": 0.5}), (precious, {"dense": 0.5})], now=0.0)
    better = rank([(plain, {"dense": 0.6}), (precious, {"dense": 0.5})], now=0.0)

    assert equal[0].memory is precious
    assert better[0].memory is plain


def test_without_a_word_in_common_the_vectors_decide_alone() -> None:
    assert fuse([Hit(MEMORY.id, 1, 0.4, 0.0)], Weights(), hybrid=True, limit=9)[0][1] == {"dense": 0.4}


def test_keywords_add_a_bounded_part_whatever_their_number() -> None:
    """No count of words beats everything else by adding up. (core defect 11)"""
    hits = [Hit(MEMORY.id, 1, 0.9, 1.0), Hit(MEMORY.id, 1, 0.1, 1e6)]

    parts = [parts for _, parts in fuse(hits, Weights(), hybrid=True, limit=9)]

    assert parts[1]["sparse"] <= Weights().sparse
    assert sum(parts[0].values()) > sum(parts[1].values())


def test_what_a_full_list_does_not_have_is_taken_for_its_last() -> None:
    hits = [Hit(MEMORY.id, 1, 0.9, 5.0), Hit(MEMORY.id, 1, 0.5, 0.0), Hit(MEMORY.id, 1, 0.0, 5.0)]

    full = [parts for _, parts in fuse(hits, Weights(0.5, 0.5), hybrid=True, limit=2)]
    short = [parts for _, parts in fuse(hits, Weights(0.5, 0.5), hybrid=True, limit=3)]

    assert full == [{"dense": 0.45, "sparse": 0.25}, {"dense": 0.25, "sparse": 0.25}, {"dense": 0.25, "sparse": 0.25}]
    assert [parts["dense"] for parts in short] == [0.45, 0.25, 0.0]
    assert [parts["sparse"] for parts in short] == [0.25, 0.0, 0.25]


@given(shares, st.integers(0, 10**6), st.floats(0, 1e9), st.floats(0, 1e9))
def test_freshness_fades_with_age_and_never_rises(norm: float, count: int, age: float, more: float) -> None:
    memory = replace(MEMORY, importance_norm=norm, access_count=count)

    assert 0.0 <= freshness(memory, age + more) <= freshness(memory, age) <= 1.0
    assert freshness(replace(memory, importance_norm=1.0), age) >= freshness(memory, age)
    assert freshness(memory, -5.0) == 1.0


def test_similar_texts_are_nearer_than_unrelated_ones() -> None:
    assert near("the cat sat", "the cat sat") == pytest.approx(1.0)
    assert near("the cat sat on the mat", "a cat on a mat") > near("the cat sat on the mat", "quarterly tax report")
    assert near("recieve the parcel", "receive the parcel") > near("recieve the parcel", "deliver some letters")


def test_unrelated_texts_are_almost_orthogonal() -> None:
    rng = np.random.default_rng(1)
    texts = [" ".join(f"w{n}" for n in rng.integers(0, 10**6, 12)) for _ in range(50)]
    scores = [near(texts[i], texts[i + 1]) for i in range(49)]

    assert abs(float(np.mean(scores))) < 0.2


@given(st.text())
def test_any_text_has_a_unit_vector_or_none(text: str) -> None:
    dense = EMBEDDER.dense(text)

    assert dense is None or float(np.linalg.norm(dense)) == pytest.approx(1.0, abs=1e-5)


async def test_the_same_text_has_the_same_vectors_in_every_process() -> None:
    embedding = await HashEmbedder(256).query("stable")
    again = await HashEmbedder(256).query("stable")

    assert embedding.sparse == again.sparse
    assert np.array_equal(np.asarray(embedding.dense), np.asarray(again.dense))
    assert int(np.argmax(np.abs(np.asarray(embedding.dense)))) == 6
