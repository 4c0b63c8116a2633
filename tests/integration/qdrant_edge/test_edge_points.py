"""Writing and reading points with the real client."""

import pytest
from qdrant_client import AsyncQdrantClient, models

from tests.integration.qdrant_edge.conftest import number_of, point

IN_A = models.Filter(must=[models.FieldCondition(key="namespace", match=models.MatchValue(value="a"))])


def older_than(version: int) -> models.Filter:
    """The condition under which a write of `version` may replace what is there."""
    return models.Filter(must=[models.FieldCondition(key="version", range=models.Range(lt=version))])


async def versions(client: AsyncQdrantClient, collection: str) -> dict[int, object]:
    found, _ = await client.scroll(collection, limit=100)
    return {number_of(record): (record.payload or {})["version"] for record in found}


async def test_a_late_version_never_overwrites_a_newer_one(client: AsyncQdrantClient, collection: str) -> None:
    await client.upsert(collection, [point(1, version=3)], update_filter=older_than(3))
    await client.upsert(collection, [point(1, version=2)], update_filter=older_than(2))
    late = await versions(client, collection)
    await client.upsert(collection, [point(1, version=4)], update_filter=older_than(4))

    assert late == {1: 3}
    assert await versions(client, collection) == {1: 4}


async def test_a_conditional_upsert_inserts_what_is_new(client: AsyncQdrantClient, collection: str) -> None:
    await client.upsert(collection, [point(1, version=9)])
    await client.upsert(collection, [point(1, version=5), point(2, version=5)], update_filter=older_than(5))

    assert await versions(client, collection) == {1: 9, 2: 5}


@pytest.mark.parametrize(
    ("mode", "expected"), [(models.UpdateMode.INSERT_ONLY, {1: 1, 2: 2}), (models.UpdateMode.UPDATE_ONLY, {1: 2})]
)
async def test_upsert_can_be_told_to_insert_or_update_only(
    client: AsyncQdrantClient, collection: str, mode: models.UpdateMode, expected: dict[int, int]
) -> None:
    await client.upsert(collection, [point(1)])
    await client.upsert(collection, [point(1, version=2), point(2, version=2)], update_mode=mode)

    assert await versions(client, collection) == expected


async def test_columns_are_points_too(client: AsyncQdrantClient, collection: str) -> None:
    batch = models.Batch(
        ids=[1, 2],
        vectors={
            "dense": [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]],
            "text": [models.SparseVector(indices=[1], values=[1.0]), models.SparseVector(indices=[2], values=[2.0])],
        },
        payloads=[{"version": 1}, {"version": 2}],
    )
    await client.upsert(collection, batch)

    found = await client.retrieve(collection, [2], with_vectors=True)

    assert found[0].payload == {"version": 2}
    assert found[0].vector == {
        "dense": [0.0, 1.0, 0.0, 0.0],
        "text": models.SparseVector(indices=[2], values=[2.0]),
    }


async def test_retrieve_gives_what_is_asked_for(client: AsyncQdrantClient, collection: str) -> None:
    written = point(1, coordinate=[0.5, -1.25], nested={"a": [1, "zwei", None, True]})
    await client.upsert(collection, [written])

    whole = await client.retrieve(collection, [written.id], with_vectors=["dense"])
    part = await client.retrieve(collection, [written.id], with_payload=["version"])
    rest = await client.retrieve(
        collection, [written.id], with_payload=models.PayloadSelectorExclude(exclude=["nested", "coordinate"])
    )
    none = await client.retrieve(collection, [written.id, 77], with_payload=False)

    assert whole[0].payload == written.payload
    assert set(whole[0].vector or ()) == {"dense"}
    assert part[0].payload == {"version": 1}
    assert rest[0].payload == {"namespace": "a", "version": 1}
    assert [record.payload for record in none] == [None]


async def test_scroll_walks_through_everything_once(client: AsyncQdrantClient, collection: str) -> None:
    await client.upsert(collection, [point(number) for number in range(1, 26)])
    seen: list[int] = []
    offset = None
    while True:
        page, offset = await client.scroll(collection, limit=10, offset=offset)
        seen += [number_of(record) for record in page]
        if offset is None:
            break

    assert seen == list(range(1, 26))


async def test_scroll_orders_by_an_indexed_field(client: AsyncQdrantClient, collection: str) -> None:
    await client.upsert(collection, [point(number, version=-number) for number in (1, 2, 3)])

    found, _ = await client.scroll(collection, order_by=models.OrderBy(key="version"))

    assert [number_of(record) for record in found] == [3, 2, 1]


async def test_points_are_deleted_by_id_and_by_filter(client: AsyncQdrantClient, collection: str) -> None:
    await client.upsert(collection, [point(1), point(2), point(3, namespace="b")])
    await client.delete(collection, [point(1).id])
    await client.delete(collection, models.FilterSelector(filter=IN_A))

    assert await versions(client, collection) == {3: 1}


async def test_count_takes_a_filter(client: AsyncQdrantClient, collection: str) -> None:
    await client.upsert(collection, [point(1), point(2, namespace="b")])

    counted = await client.count(collection, count_filter=IN_A)

    assert counted.count == 1


async def test_payload_is_merged_replaced_and_removed(client: AsyncQdrantClient, collection: str) -> None:
    await client.upsert(collection, [point(1)])

    async def payload() -> object:
        return (await client.retrieve(collection, [point(1).id]))[0].payload

    await client.set_payload(collection, {"importance": 5}, points=[point(1).id])
    merged = await payload()
    await client.delete_payload(collection, ["namespace"], points=models.Filter(must=[]))
    removed = await payload()
    await client.overwrite_payload(collection, {"only": 1}, points=[point(1).id])
    replaced = await payload()
    await client.clear_payload(collection, models.PointIdsList(points=[point(1).id]))

    assert merged == {"namespace": "a", "version": 1, "importance": 5}
    assert removed == {"version": 1, "importance": 5}
    assert replaced == {"only": 1}
    assert await payload() == {}


async def test_a_batch_is_applied_in_order(client: AsyncQdrantClient, collection: str) -> None:
    results = await client.batch_update_points(
        collection,
        [
            models.UpsertOperation(upsert=models.PointsList(points=[point(1), point(2)])),
            models.SetPayloadOperation(set_payload=models.SetPayload(payload={"version": 7}, points=[point(2).id])),
            models.DeleteOperation(delete=models.PointIdsList(points=[point(1).id])),
        ],
    )

    assert [result.status for result in results] == [models.UpdateStatus.COMPLETED] * 3
    assert await versions(client, collection) == {2: 7}


@pytest.mark.parametrize(
    ("wait", "status"), [(True, models.UpdateStatus.COMPLETED), (False, models.UpdateStatus.ACKNOWLEDGED)]
)
async def test_the_answer_says_whether_it_waited(
    client: AsyncQdrantClient, collection: str, wait: bool, status: models.UpdateStatus
) -> None:
    result = await client.upsert(collection, [point(1)], wait=wait)

    assert result.status == status


async def test_values_are_counted_by_facet(client: AsyncQdrantClient, collection: str) -> None:
    await client.upsert(collection, [point(1), point(2), point(3, namespace="b")])

    found = await client.facet(collection, "namespace")

    assert {hit.value: hit.count for hit in found.hits} == {"a": 2, "b": 1}
