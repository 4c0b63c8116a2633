"""Queries: the same questions to qdrant-edge and to qdrant-client's own in-memory implementation must rank alike."""

import random
import warnings

import pytest
from qdrant_client import AsyncQdrantClient, models

from tests.integration.qdrant_edge.conftest import SIZE, create, number_of, point

NEAR = [1.0, 0.2, 0.0, 0.0]
WORDS = models.SparseVector(indices=[3, 5], values=[1.0, 1.0])
IN_A = models.Filter(must=[models.FieldCondition(key="namespace", match=models.MatchValue(value="a"))])


def condition(key: str, **parts: object) -> models.Filter:
    return models.Filter(must=[models.FieldCondition.model_validate({"key": key, **parts})])


FILTERS = {
    "value": IN_A,
    "any": condition("namespace", match={"any": ["a", "c"]}),
    "except": condition("namespace", match={"except": ["a"]}),
    "range": condition("version", range={"gte": 3, "lt": 8}),
    "must not": models.Filter(must_not=IN_A.must),
    "should": models.Filter(should=[IN_A, condition("version", range={"gt": 8})]),
    "min should": models.Filter(
        min_should=models.MinShould(conditions=[IN_A, condition("version", range={"gt": 5})], min_count=2)
    ),
    "ids": models.Filter(must=[models.HasIdCondition(has_id=[point(number).id for number in range(20)])]),
    "datetime": condition("created", range={"gte": "2026-01-10T00:00:00Z"}),
    "nested key": condition("meta.kind", match={"value": "odd"}),
    "is empty": models.Filter(must=[models.IsEmptyCondition(is_empty=models.PayloadField(key="importance"))]),
    "values count": condition("tags", values_count={"gte": 2}),
    "nested": models.Filter(
        must=[
            models.NestedCondition(nested=models.Nested(key="links", filter=condition("strength", range={"gt": 0.5})))
        ]
    ),
    "has vector": models.Filter(must=[models.HasVectorCondition(has_vector="dense")]),
}


def random_point(number: int, chance: random.Random) -> models.PointStruct:
    payload: dict[str, object] = {
        "namespace": chance.choice("abc"),
        "version": chance.randrange(10),
        "created": f"2026-01-{number % 28 + 1:02}T12:00:00Z",
        "meta": {"kind": "odd" if number % 2 else "even"},
        "tags": ["x"] * chance.randrange(4),
        "links": [{"strength": chance.random()} for _ in range(2)],
    }
    if number % 3:
        payload["importance"] = chance.random()
    dense = [chance.uniform(-1, 1) for _ in range(SIZE)]
    sparse = {token: chance.uniform(0.5, 3) for token in chance.sample(range(12), 4)}
    return point(number, dense, sparse, **payload)


@pytest.fixture
async def both(client: AsyncQdrantClient, collection: str) -> list[AsyncQdrantClient]:
    """qdrant-edge and the in-memory implementation, filled with the same points."""
    chance = random.Random(7)
    points = [random_point(number, chance) for number in range(1, 121)]
    memory = AsyncQdrantClient(":memory:")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says, once, that payload indexes do nothing there
        await create(memory, collection)
    for each in (client, memory):
        await each.upsert(collection, points)
    return [client, memory]


Hits = dict[int, float]


async def asked(clients: list[AsyncQdrantClient], collection: str, **question: object) -> tuple[Hits, Hits]:
    """What each answers, in the order of the answer."""
    edge, memory = [
        {number_of(hit): hit.score for hit in (await each.query_points(collection, **question)).points}  # type: ignore[arg-type]
        for each in clients
    ]
    return edge, memory


def assert_alike(edge: Hits, memory: Hits) -> None:
    """Same points, same scores, same order; equal scores may come in any order."""
    assert edge == pytest.approx(memory, abs=1e-4)
    assert list(edge.values()) == pytest.approx(list(memory.values()), abs=1e-4)


@pytest.mark.parametrize("name", FILTERS)
async def test_filters_select_the_same_points(both: list[AsyncQdrantClient], collection: str, name: str) -> None:
    edge, memory = await asked(both, collection, query=NEAR, using="dense", query_filter=FILTERS[name], limit=200)

    assert_alike(edge, memory)
    assert len(edge) > 0


@pytest.mark.parametrize(("query", "using"), [(NEAR, "dense"), (WORDS, "text")])
async def test_dense_and_sparse_vectors_score_alike(
    both: list[AsyncQdrantClient], collection: str, query: object, using: str
) -> None:
    edge, memory = await asked(both, collection, query=query, using=using, limit=20)

    assert_alike(edge, memory)


async def test_a_page_and_a_threshold_cut_the_same_hits(both: list[AsyncQdrantClient], collection: str) -> None:
    edge, memory = await asked(
        both, collection, query=NEAR, using="dense", limit=5, offset=3, score_threshold=0.1, query_filter=IN_A
    )

    assert_alike(edge, memory)


async def test_a_point_can_stand_for_its_vector(both: list[AsyncQdrantClient], collection: str) -> None:
    edge, memory = await asked(both, collection, query=str(point(7).id), using="dense", limit=10)

    assert_alike(edge, memory)
    assert 7 not in edge


PREFETCH = [
    models.Prefetch(query=NEAR, using="dense", limit=30, filter=IN_A),
    models.Prefetch(query=WORDS, using="text", limit=30, filter=IN_A),
]


@pytest.mark.parametrize(
    "fusion",
    [
        models.FusionQuery(fusion=models.Fusion.RRF),
        models.FusionQuery(fusion=models.Fusion.DBSF),
        models.RrfQuery(rrf=models.Rrf(k=60)),
        models.RrfQuery(rrf=models.Rrf(k=60, weights=[1.0, 3.0])),
    ],
)
async def test_fusion_ranks_alike(both: list[AsyncQdrantClient], collection: str, fusion: object) -> None:
    edge, memory = await asked(both, collection, prefetch=PREFETCH, query=fusion, limit=15)

    assert_alike(edge, memory)


async def test_weights_of_a_fusion_matter(client: AsyncQdrantClient, collection: str) -> None:
    await client.upsert(
        collection, [point(1, [1.0, 0.0, 0.0, 0.0], {9: 1.0}), point(2, [0.0, 1.0, 0.0, 0.0], {3: 1.0})]
    )
    prefetch = [
        models.Prefetch(query=[1.0, 0.0, 0.0, 0.0], using="dense", limit=1),
        models.Prefetch(query=WORDS, using="text", limit=1),
    ]

    async def first(weights: list[float]) -> int:
        query = models.RrfQuery(rrf=models.Rrf(k=2, weights=weights))
        return number_of((await client.query_points(collection, prefetch=prefetch, query=query)).points[0])

    assert [await first([9.0, 1.0]), await first([1.0, 9.0])] == [1, 2]


async def test_a_formula_changes_the_score(client: AsyncQdrantClient, collection: str) -> None:
    await client.upsert(collection, [point(1, NEAR, importance=0.0), point(2, [1.0, 0.9, 0.0, 0.0], importance=9.0)])
    formula = models.SumExpression(sum=["$score", models.MultExpression(mult=[0.5, "importance"])])
    found = await client.query_points(
        collection,
        prefetch=[models.Prefetch(query=NEAR, using="dense")],
        query=models.FormulaQuery(formula=formula, defaults={"importance": 0.0}),
    )

    assert [number_of(hit) for hit in found.points] == [2, 1]
    assert found.points[0].score > 4


async def test_several_queries_are_answered_in_order(client: AsyncQdrantClient, collection: str) -> None:
    await client.upsert(collection, [point(1, [1.0, 0.0, 0.0, 0.0]), point(2, [0.0, 1.0, 0.0, 0.0])])
    requests = [
        models.QueryRequest(query=[1.0, 0.0, 0.0, 0.0], using="dense", limit=1),
        models.QueryRequest(query=[0.0, 1.0, 0.0, 0.0], using="dense", limit=1, with_payload=True),
    ]

    first, second = await client.query_batch_points(collection, requests)

    assert [number_of(first.points[0]), number_of(second.points[0])] == [1, 2]
    assert (first.points[0].payload, second.points[0].payload) == (None, {"namespace": "a", "version": 1})
