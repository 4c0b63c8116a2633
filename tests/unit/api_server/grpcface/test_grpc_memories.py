"""Storing, recalling and forgetting over gRPC, on stores in this process."""

import json
from collections.abc import AsyncIterator

import grpc
import httpx
import pytest
from google.protobuf import empty_pb2

from somafractalmemory import memory_pb2 as pb
from tests.unit.api_server.conftest import TOKEN, World
from tests.unit.api_server.grpcworld import Client, at, grpc_client, refused


@pytest.fixture
async def client(world: World) -> AsyncIterator[Client]:
    """A client with the right token."""
    async with grpc_client(world) as opened:
        yield opened


async def recall(client: Client, **asked: object) -> pb.RecallResult:
    """Recall."""
    answer: pb.RecallResult = await client.call("Recall", pb.RetrieveRequest(**asked))  # type: ignore[arg-type]
    return answer


def places(result: pb.RecallResult | pb.MemoryList) -> list[tuple[float, ...]]:
    """Where the memories of an answer live."""
    return [tuple(memory.coord.values) for memory in result.memories]


async def test_a_stored_memory_is_recalled_by_its_place_and_gone_after_its_deletion(client: Client) -> None:
    """The calls of the seed's client (S-93) (S-94) (S-95)."""
    stored = await client.store(0.1, 0.2, 0.3, payload='{"ok": true}', memory_type="memories")
    found = await recall(client, query=at(0.1, 0.2, 0.3), top_k=3)
    deleted = await client.call("Delete", pb.DeleteRequest(coord=at(0.1, 0.2, 0.3)))
    after = await recall(client, query=at(0.1, 0.2, 0.3), top_k=3)

    assert (stored.ok, stored.version, stored.indexed) == (True, 1, True)
    assert [json.loads(memory.payload_json) for memory in found.memories] == [{"ok": True}]
    assert deleted.ok
    assert list(after.memories) == []


async def test_what_is_recalled_has_its_place_its_score_and_its_version(client: Client) -> None:
    """(gRPC defect 7)"""
    await client.store(1.0, 2.0, payload='{"fact": "kestrels hover", "importance": 3}', memory_type="semantic")
    await client.store(1.0, 2.0, payload='{"fact": "kestrels hover", "importance": 3}', memory_type="semantic")

    by_place = await recall(client, query=at(4.0, 6.0))
    by_text = await recall(client, text="kestrels", explain=True)

    for found in (by_place, by_text):
        (memory,) = found.memories
        assert (list(memory.coord.values), memory.memory_type, memory.version) == ([1.0, 2.0], "semantic", 2)
        assert memory.importance == 3.0
        assert 0.0 <= memory.importance_norm <= 1.0
        assert not memory.HasField("timestamp")
    assert list(by_place.distances) == [5.0]
    assert by_place.scores[0] == pytest.approx(1 / 6)
    assert sum(by_text.explanations[0].parts.values()) == pytest.approx(by_text.scores[0])


async def test_recall_by_place_gives_the_nearest_of_the_same_dimensions_first(client: Client) -> None:
    """(S-94)"""
    for number in range(20):
        await client.store(float(number), 0.0, payload=json.dumps({"even": number % 2 == 0}))
    await client.store(3.0, payload="{}")
    await client.store(7.0, 0.25, memory_type="semantic")

    assert places(await recall(client, query=at(7.1, 0.0), top_k=3)) == [(7.0, 0.0), (7.0, 0.25), (8.0, 0.0)]
    assert places(await recall(client, query=at(7.1, 0.0), memory_type="semantic")) == [(7.0, 0.25)]
    even = await recall(client, query=at(7.1, 0.0), top_k=2, filters_json='{"even": true}')
    assert places(even) == [(8.0, 0.0), (6.0, 0.0)]
    assert len((await recall(client, query=at(7.0, 0.0))).memories) == 5
    assert places(await recall(client, query=at(0.0, 0.0, 0.0))) == []


async def test_places_at_the_ends_of_the_numbers_have_a_distance(client: Client) -> None:
    await client.store(1e308, payload="{}")
    await client.store(5e-324, payload="{}")

    found = await recall(client, query=at(-1e308))

    assert places(found) == [(5e-324,), (1e308,)]
    assert list(found.distances) == [1e308, float("inf")]


async def test_http_and_grpc_are_two_doors_of_one_house(world: World, client: Client) -> None:
    """(gRPC defect 2)"""
    async with world.client() as http:
        await client.store(1.0, payload='{"fact": "stored over gRPC"}')
        await http.post("/store", json={"coord": "2", "payload": {"fact": "stored over HTTP"}})
        seen: httpx.Response = await http.get("/memories/1")

        assert seen.json()["payload"] == {"fact": "stored over gRPC"}
        assert json.loads((await client.get(2.0)).payload_json) == {"fact": "stored over HTTP"}
        await client.call("Delete", pb.DeleteRequest(coord=at(2.0)))
        assert (await http.get("/memories/2")).status_code == 404


async def test_a_type_never_picks_where_data_goes(client: Client) -> None:
    """(gRPC defect 3)"""
    for legacy in ("", "memories", "default"):
        await client.store(1.0, memory_type=legacy)
        assert (await client.get(1.0)).memory_type == "episodic"

    error = await refused(client.store(1.0, memory_type="another_tenants_collection"))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "memory_type" in str(error.details())


async def test_a_deleted_memory_is_out_of_the_index_too(world: World, client: Client) -> None:
    """(gRPC defect 6)"""
    await client.store(1.0, payload='{"fact": "an otter"}')
    await client.call("Delete", pb.DeleteRequest(coord=at(1.0)))

    assert places(await recall(client, text="otter")) == []
    error = await refused(client.call("Delete", pb.DeleteRequest(coord=at(1.0))))
    assert error.code() is grpc.StatusCode.NOT_FOUND


async def test_namespaces_do_not_see_each_other(client: Client) -> None:
    metadata = (("authorization", f"Bearer {TOKEN}"), ("x-soma-namespace", "elsewhere"))
    await client.store(1.0, payload='{"fact": "hidden"}', metadata=metadata)

    assert (await refused(client.get(1.0))).code() is grpc.StatusCode.NOT_FOUND
    assert places(await recall(client, query=at(1.0))) == []
    assert (await client.get(1.0, metadata=metadata)).version == 1


async def test_a_write_can_ask_for_the_version_that_it_read(client: Client) -> None:
    await client.store(1.0, payload='{"n": 1}')
    memory = pb.Memory(coord=at(1.0), payload_json='{"n": 2}')

    second = await client.call("Store", pb.StoreRequest(memory=memory, expected_version=1))
    late = await refused(client.call("Store", pb.StoreRequest(memory=memory, expected_version=1)))
    amended = await client.call("Amend", pb.AmendRequest(coord=at(1.0), patch_json='{"m": 3}', expected_version=2))
    gone = await refused(client.call("Delete", pb.DeleteRequest(coord=at(1.0), expected_version=1)))

    assert (second.version, amended.version) == (2, 3)
    assert {late.code(), gone.code()} == {grpc.StatusCode.ABORTED}
    assert json.loads((await client.get(1.0)).payload_json) == {"n": 2, "m": 3}


async def test_everything_else_that_http_can_do_with_memories(client: Client) -> None:
    items = [pb.Memory(coord=at(float(n)), payload_json=json.dumps({"fact": f"kiwi {n}"})) for n in range(5)]
    summary = await client.call("StoreBulk", pb.StoreBulkRequest(memories=items))
    await client.call("SetImportance", pb.ImportanceRequest(coord=at(0.0), importance=4.0))

    assert (summary.stored, summary.indexed) == (5, True)
    versions = await client.call("Versions", pb.GetRequest(coord=at(0.0)))
    assert [memory.importance for memory in versions.memories] == [4.0, 1.0]
    found = await client.call("KeywordSearch", pb.KeywordRequest(term="iwi", exact=False, top_k=2))
    assert len(found.memories) == 2
    assert (await client.call("KeywordSearch", pb.KeywordRequest(term="iwi"))).memories == []
    box = await client.call("Range", pb.RangeRequest(min=at(1.0), max=at(3.0), limit=2))
    assert ([list(coord.values) for coord in box.coords], list(box.next.values)) == ([[1.0], [2.0]], [2.0])
    page = await client.call("List", pb.ListRequest(limit=3, after=at(1.0)))
    assert (places(page), page.HasField("next")) == ([(2.0,), (3.0,), (4.0,)], True)
    deleted = await client.call("DeleteMany", pb.DeleteManyRequest(coords=[at(0.0), at(1.0), at(99.0)]))
    stats = await client.call("Stats", empty_pb2.Empty())
    assert (deleted.deleted, stats.total_memories, stats.episodic, stats.semantic) == (2, 3, 3, 0)


async def test_links_are_followed(client: Client) -> None:
    for number in range(4):
        await client.store(float(number))
    for source, target, weight in ((0, 1, 1.0), (1, 2, 1.0), (0, 2, 5.0)):
        await client.call("Link", pb.LinkRequest(source=at(source), target=at(target), weight=weight))

    near = await client.call("Neighbors", pb.NeighborsRequest(coord=at(0.0)))
    path = await client.call("ShortestPath", pb.PathRequest(source=at(0.0), target=at(2.0)))
    none = await client.call("ShortestPath", pb.PathRequest(source=at(0.0), target=at(3.0)))
    await client.call("Unlink", pb.LinkRequest(source=at(1.0), target=at(2.0)))
    after = await client.call("ShortestPath", pb.PathRequest(source=at(0.0), target=at(2.0)))

    assert [(list(one.coord.values), one.type, one.weight) for one in near.neighbors] == [
        ([1.0], "related", 1.0),
        ([2.0], "related", 5.0),
    ]
    assert [list(coord.values) for coord in path.path] == [[0.0], [1.0], [2.0]]
    assert list(none.path) == []
    assert [list(coord.values) for coord in after.path] == [[0.0], [2.0]]


async def test_a_stream_is_stored_in_batches_and_its_wrong_items_are_told(client: Client) -> None:
    async def items() -> AsyncIterator[pb.StoreRequest]:
        for number in range(1203):
            payload = "not json" if number in {7, 900} else json.dumps({"fact": f"plover {number}"})
            yield pb.StoreRequest(memory=pb.Memory(coord=at(float(number)), payload_json=payload))
        yield pb.StoreRequest(memory=pb.Memory(payload_json="{}"))
        yield pb.StoreRequest(memory=pb.Memory(coord=at(1.0), payload_json='{"timestamp": "tomorrow"}'))

    summary = await client.call("StoreStream", items())

    assert (summary.stored, summary.failed, summary.indexed) == (1201, 4, True)
    assert [error.number for error in summary.errors] == [8, 901, 1204, 1205]
    assert "payload_json" in summary.errors[0].message
    assert (await client.call("Stats", empty_pb2.Empty())).total_memories == 1201
    assert places(await recall(client, text="plover 1100", top_k=1)) == [(1100.0,)]


async def test_a_write_with_a_key_is_done_once(client: Client) -> None:
    metadata = (("authorization", f"Bearer {TOKEN}"), ("idempotency-key", "one"))
    first = await client.store(1.0, payload='{"n": 1}', metadata=metadata)
    again = await client.store(1.0, payload='{"n": 1}', metadata=metadata)
    other = await refused(client.store(1.0, payload='{"n": 2}', metadata=metadata))
    stream = await refused(client.call("StoreStream", iter([pb.StoreRequest()]), metadata=metadata))

    assert (first.version, again) == (1, first)
    assert (await client.get(1.0)).version == 1
    assert {other.code(), stream.code()} == {grpc.StatusCode.INVALID_ARGUMENT}


async def test_memories_are_recollected_without_a_question(client: Client) -> None:
    for number in range(4):
        await client.store(float(number), payload=json.dumps({"importance": number, "timestamp": 1000 - number}))

    recent = await client.call("Recent", pb.RecollectRequest(n=2))
    important = await client.call("Important", pb.RecollectRequest(n=2, memory_type="episodic"))
    sample = await client.call("Replay", pb.RecollectRequest())
    none = await client.call("Reflect", pb.RecollectRequest(memory_type="semantic"))

    assert places(recent) == [(0.0,), (1.0,)]
    assert places(important) == [(3.0,), (2.0,)]
    assert sorted(places(sample)) == [(0.0,), (1.0,), (2.0,), (3.0,)]
    assert places(none) == []


async def test_outcomes_and_consolidation_leave_the_originals(client: Client) -> None:
    await client.store(1.0, payload='{"fact": "dark clouds", "predicted_outcome": "rain"}')
    noted = await client.call("Outcome", pb.OutcomeRequest(coord=at(1.0), outcome_json='"sun"'))
    done = await client.call("Consolidate", pb.ConsolidateRequest(window_seconds=3600))
    wrong = await refused(client.call("Outcome", pb.OutcomeRequest(coord=at(1.0), outcome_json="sun")))

    assert (noted.error, noted.HasField("correction")) == (True, True)
    assert (done.stored, done.complete) == (1, True)
    assert json.loads((await client.get(1.0)).payload_json)["fact"] == "dark clouds"
    assert "outcome_json" in str(wrong.details())


async def test_links_are_put_together_and_listed(client: Client) -> None:
    for number in range(4):
        await client.store(float(number))
    links = [pb.LinkRequest(source=at(0.0), target=at(float(n)), type="next", weight=n) for n in (1, 2, 3)]
    linked = await client.call("LinkMany", pb.LinkManyRequest(links=links))
    first = await client.call("Links", pb.LinksRequest(limit=2))
    rest = await client.call("Links", pb.LinksRequest(limit=2, after=first.links[-1]))

    assert linked.linked == 3
    assert (first.more, rest.more) == (True, False)
    assert sorted(link.weight for link in (*first.links, *rest.links)) == [1.0, 2.0, 3.0]


async def test_what_was_exported_is_imported_as_it_was(client: Client) -> None:
    metadata = (("authorization", f"Bearer {TOKEN}"), ("x-soma-namespace", "copy"))
    for number in range(3):
        await client.store(float(number), payload=json.dumps({"n": number}))
    await client.call("Link", pb.LinkRequest(source=at(0.0), target=at(1.0)))
    exported = client.stub.Export(pb.ExportRequest(), metadata=metadata[:1], timeout=20)
    portions = [portion.lines async for portion in exported]

    report = await client.call("Import", iter(pb.ImportLines(lines=lines) for lines in portions), metadata=metadata)

    assert (report.imported, report.links, report.failed, report.complete) == (3, 1, 0, True)
    assert (await client.get(2.0, metadata=metadata)).payload_json == (await client.get(2.0)).payload_json
    near = await client.call("Neighbors", pb.NeighborsRequest(coord=at(0.0)), metadata=metadata)
    assert len(near.neighbors) == 1


async def test_what_is_erased_leaves_no_trace(client: Client) -> None:
    for number in range(3):
        await client.store(float(number))
    one = await client.call("Erase", pb.EraseRequest(coord=at(1.0)))
    left = await client.call("Stats", empty_pb2.Empty())
    other = await refused(client.call("Erase", pb.EraseRequest(namespace="elsewhere")))
    everything = await client.call("Erase", pb.EraseRequest(namespace="api_ns"))

    assert (one.complete, one.index_reached, left.total_memories) == (True, True, 2)
    assert other.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert everything.complete
    assert (await client.call("Stats", empty_pb2.Empty())).total_memories == 0


async def test_a_batch_of_questions_is_answered_in_order(client: Client) -> None:
    for number, fact in enumerate(("a heron fishes", "an otter swims")):
        await client.store(float(number), payload=json.dumps({"fact": fact}))
    asked = [pb.RetrieveRequest(text="otter", top_k=1), pb.RetrieveRequest(query=at(0.0), top_k=1)]

    call = client.stub.RecallBatch(
        pb.RecallBatchRequest(requests=asked), metadata=(("authorization", f"Bearer {TOKEN}"),), timeout=20
    )
    answers = [places(result) async for result in call]

    assert answers == [[(1.0,)], [(0.0,)]]
