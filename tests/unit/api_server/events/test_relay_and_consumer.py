"""From the outbox to the topic, and from the topic to the log and the index."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import orjson
import pytest

from somafractalmemory import telemetry
from somafractalmemory.adapters.local import LocalVectors
from somafractalmemory.adapters.local_events import LocalPublisher, LocalStream, LocalTopic
from somafractalmemory.errors import PoisonEvent, Rejected, Unavailable
from somafractalmemory.events.consumer import Consumer, Rebuilder
from somafractalmemory.events.relay import DirectPublisher, Relay
from somafractalmemory.indexing.points import point_of
from somafractalmemory.model import MemoryType, NewMemory, Point, memory_id, new_memory
from somafractalmemory.model.events import MemoryEvent, decode_event
from somafractalmemory.model.ranking import Weights
from somafractalmemory.ports import Search
from somafractalmemory.service import MemoryService
from somafractalmemory.usecases.recalling import Question
from tests.unit.api_server.conftest import World, eventually

FOREIGN = {
    "event_id": str(uuid4()),
    "id": str(uuid4()),
    "namespace": "elsewhere",
    "type": "created",
    "timestamp": "2025-10-13T10:00:00Z",
    "payload": {"fact": "from another producer"},
}


def memory(number: int, text: str = "a fact") -> NewMemory:
    return new_memory(
        namespace="ns",
        coordinate=(float(number),),
        payload={"fact": f"{text} {number}"},
        memory_type=MemoryType.SEMANTIC,
        now=1.0,
    )


async def found(world: World, text: str) -> list[float]:
    """The first axis of every point the index finds."""
    hits = await world.vectors.query(await world.embedder.query(text), Search("ns", None, {}, 50), hybrid=True)
    rows = await world.records.get([hit.id for hit in hits])
    return sorted(row.coordinate[0] for row in rows.values())


def consumer(world: World, topic: LocalTopic, events: Any = None) -> tuple[Consumer, LocalStream]:
    stream = LocalStream(topic)
    return Consumer(
        stream=stream, events=events or world.records, indexer=world.indexer, max_backoff_seconds=0.01
    ), stream


async def drain(reader: Consumer, topic: LocalTopic) -> None:
    """Run until everything is committed."""
    task = asyncio.create_task(reader.run())
    await eventually(lambda: topic.committed >= len(topic.messages))
    reader.stop()
    async with asyncio.timeout(10):
        await task


async def test_the_relay_publishes_everything_once_and_in_order(world: World) -> None:
    await world.records.save([memory(number) for number in range(5)])
    await world.records.delete([memory(0).id])
    topic = LocalTopic()
    relay = Relay(outbox=world.records, publisher=LocalPublisher(topic), batch=4)

    counts = [await relay.step() for _ in range(3)]

    assert counts == [4, 2, 0]
    events = [decode_event(message.value) for message in topic.messages]
    assert [event.type for event in events] == ["created"] * 5 + ["deleted"]
    assert [message.key for message in topic.messages] == [str(event.id).encode() for event in events]
    assert (await world.records.depth()).rows == 0


async def test_what_is_not_acknowledged_stays_in_the_outbox(world: World) -> None:
    class Lossy(LocalPublisher):
        async def publish(self, events: Sequence[MemoryEvent]) -> Sequence[bool]:
            await super().publish(events[:2])
            return [True, True, *[False] * (len(events) - 2)]

    await world.records.save([memory(number) for number in range(5)])
    relay = Relay(outbox=world.records, publisher=Lossy(LocalTopic()))

    with pytest.raises(Unavailable):
        await relay.step()

    assert (await world.records.depth()).rows == 3


async def test_the_relay_outlives_a_broker_that_is_away(world: World) -> None:
    """(events defect 10)"""
    topic = LocalTopic()
    topic.away = True
    relay = Relay(outbox=world.records, publisher=LocalPublisher(topic), idle_seconds=0.01, max_backoff_seconds=0.01)
    failures = telemetry.RELAY_FAILURES.labels("kafka")._value.get
    before = failures()
    running = asyncio.create_task(relay.run())
    await world.records.save([memory(1)])
    await eventually(lambda: failures() >= before + 2)
    topic.away = False
    await eventually(lambda: topic.messages)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_without_kafka_events_take_effect_in_this_process(world: World) -> None:
    await world.records.save([memory(1)])
    publisher = DirectPublisher(events=world.records, indexer=world.indexer)

    await Relay(outbox=world.records, publisher=publisher).step()

    assert await found(world, "a fact") == [1.0]
    assert len(world.records.log) == 1


async def test_the_consumer_logs_and_indexes_what_the_api_could_not(world: World) -> None:
    topic = LocalTopic()
    await world.records.save([memory(number) for number in range(5)])
    await world.records.delete([memory(3).id])
    await Relay(outbox=world.records, publisher=LocalPublisher(topic)).step()

    await drain(consumer(world, topic)[0], topic)

    assert await found(world, "a fact") == [0.0, 1.0, 2.0, 4.0]
    assert len(world.records.log) == 6


async def test_what_the_writer_indexed_already_is_not_written_again(world: World) -> None:
    class Counting(LocalVectors):
        written: tuple[Point, ...] = ()

        async def upsert(self, points: Sequence[Point]) -> None:
            self.written += tuple(points)
            await super().upsert(points)

    world.vectors = vectors = Counting()
    topic = LocalTopic()
    await world.records.save([memory(1), memory(2), memory(3)])
    await world.records.save([memory(3, "a later fact")])
    await world.indexer.refresh([memory(1).id])
    await vectors.upsert([point_of(memory(3), 1, (await world.embedder.documents(["late"]))[0])])
    already = len(vectors.written)
    await Relay(outbox=world.records, publisher=LocalPublisher(topic)).step()

    await drain(consumer(world, topic)[0], topic)

    assert sorted((point.id, point.version) for point in vectors.written[already:]) == sorted(
        [(memory(2).id, 1), (memory(3).id, 2)]
    )


async def test_replaying_everything_changes_nothing_and_brings_nothing_back(world: World) -> None:
    topic = LocalTopic()
    await world.records.save([memory(1, "old words")])
    await world.records.save([memory(1, "new words"), memory(2)])
    await world.records.delete([memory(2).id])
    await Relay(outbox=world.records, publisher=LocalPublisher(topic)).step()
    await drain(consumer(world, topic)[0], topic)
    before = (await found(world, "words fact"), dict(world.records.log))

    topic.committed = 0
    topic.messages.reverse()
    topic.messages[:] = [
        type(message)(message.value, message.key, message.topic, 0, offset)
        for offset, message in enumerate(topic.messages)
    ]
    await drain(consumer(world, topic)[0], topic)

    assert (await found(world, "words fact"), dict(world.records.log)) == before
    assert before[0] == [1.0]


async def test_poison_is_set_aside_with_its_reason_and_the_rest_is_done(world: World) -> None:
    """(events defect 2)"""
    topic = LocalTopic()
    topic.add(b"\xff not json")
    topic.add(None)
    topic.add(orjson.dumps({"event_id": "x"}))
    topic.add(orjson.dumps({**FOREIGN, "payload": "a\x00b"}))
    topic.add(orjson.dumps({**FOREIGN, "event_id": str(uuid4())}))

    await drain(consumer(world, topic)[0], topic)

    assert sorted(reason for _, reason, _ in topic.dead) == ["not-json", "not-json", "payload", "schema"]
    assert len(world.records.log) == 1


async def test_a_store_that_is_away_is_waited_for_and_nothing_is_committed_meanwhile(world: World) -> None:
    """(events defect 3)"""
    topic = LocalTopic()
    await world.records.save([memory(1)])
    await Relay(outbox=world.records, publisher=LocalPublisher(topic)).step()
    world.vectors.away = True
    reader, _ = consumer(world, topic)
    retries = telemetry.CONSUMER_RETRIES._value.get
    before = retries()
    running = asyncio.create_task(reader.run())
    await eventually(lambda: retries() >= before + 2)
    assert topic.committed == 0

    world.vectors.away = False
    await eventually(lambda: topic.committed)
    reader.stop()
    await running
    assert await found(world, "a fact") == [1.0]
    assert topic.dead == []


async def test_a_batch_that_was_taken_away_is_not_committed(world: World) -> None:
    class Revoked(LocalStream):
        async def hold(self, seconds: float) -> bool:  # noqa: ARG002  # nothing is ours any more
            return False

    topic = LocalTopic()
    topic.add(orjson.dumps(FOREIGN))
    world.records.away = True
    reader = Consumer(stream=Revoked(topic), events=world.records, indexer=world.indexer)
    retries = telemetry.CONSUMER_RETRIES._value.get
    before = retries()
    running = asyncio.create_task(reader.run())
    await eventually(lambda: retries() > before)
    reader.stop()
    await running

    assert topic.committed == 0


async def test_a_refused_batch_is_halved_down_to_the_culprit(world: World) -> None:
    class Picky:
        async def append(self, events: Sequence[MemoryEvent]) -> None:
            if any(event.namespace == "bad" for event in events):
                raise Rejected("bad namespace")
            await world.records.append(events)

    topic = LocalTopic()
    for number in range(9):
        event = {**FOREIGN, "event_id": str(uuid4()), "namespace": "bad" if number == 4 else "good"}
        topic.add(orjson.dumps(event))

    await drain(consumer(world, topic, Picky())[0], topic)

    assert [message.offset for message, _, _ in topic.dead] == [4]
    assert len(world.records.log) == 8


async def test_a_foreign_memory_is_recalled_by_its_latest_event_until_it_is_deleted(world: World) -> None:
    def event(second: int, kind: str, payload: Any) -> bytes:
        changes = {"event_id": str(uuid4()), "type": kind, "timestamp": 1760349600 + second, "payload": payload}
        return orjson.dumps({**FOREIGN, **changes})

    async def facts(query: str) -> list[Any]:
        recalled = await service.recall(Question("elsewhere", query, 5))
        return [match.memory.flattened() for match in recalled.matches]

    topic = LocalTopic()
    service = MemoryService(records=world.records, vectors=world.vectors, embedder=world.embedder, weights=Weights())
    topic.add(event(2, "updated", {"fact": "new words", "coordinate": [1, 2], "memory_type": "semantic"}))
    topic.add(event(1, "created", {"fact": "old words"}))
    await drain(consumer(world, topic)[0], topic)

    (fact,) = await facts("words")
    assert (fact["fact"], fact["coordinate"], fact["memory_type"]) == ("new words", (1.0, 2.0), "semantic")
    world.vectors.lose()
    await world.indexer.rebuild_if_lost(lambda _: None)
    assert len(await facts("words")) == 1

    topic.add(event(3, "deleted", {}))
    await drain(consumer(world, topic)[0], topic)
    assert await facts("words") == []


async def test_what_the_index_refuses_is_set_aside_too(world: World) -> None:
    class Picky(LocalVectors):
        async def upsert(self, points: Sequence[Point]) -> None:
            if any(point.namespace == "bad" for point in points):
                raise Rejected("bad namespace")
            await super().upsert(points)

    world.vectors = Picky()
    topic = LocalTopic()
    for number in range(9):
        changes = {"event_id": str(uuid4()), "id": str(uuid4()), "namespace": "bad" if number == 4 else "good"}
        topic.add(orjson.dumps({**FOREIGN, **changes}))

    await drain(consumer(world, topic)[0], topic)
    assert [(message.offset, reason) for message, reason, _ in topic.dead] == [(4, "not-indexable")]

    world.vectors.lose()
    assert await world.indexer.rebuild_if_lost(lambda _: None)
    assert len(world.vectors._points) == 8


async def test_a_lost_index_is_rebuilt_once_from_the_truth(world: World) -> None:
    await world.records.save([memory(number) for number in range(30)])
    await world.records.delete([memory(7).id])
    rebuilder = Rebuilder(indexer=world.indexer, vectors=world.vectors)
    world.vectors.lose()
    with pytest.raises(Unavailable, match="filled again"):
        await found(world, "a fact")

    await rebuilder.step()

    assert len(await found(world, "a fact")) == 29
    assert await world.indexer.rebuild_if_lost(lambda _: None) is False


async def test_old_tombstones_are_swept_out_of_the_index(world: World) -> None:
    now = [10_000.0]
    await world.records.save([memory(1)])
    await world.records.delete([memory(1).id])
    await world.indexer.refresh([memory(1).id])
    rebuilder = Rebuilder(
        indexer=world.indexer, vectors=world.vectors, tombstones_last_seconds=60, clock=lambda: now[0]
    )

    await rebuilder.step()
    assert len(world.vectors._points) == 1
    now[0] += 4000
    await rebuilder.step()

    assert world.vectors._points == {}


@pytest.mark.parametrize("moment", ["2025-10-13T10:00:00Z", "2025-10-13T12:00:00+02:00", 1760349600, 1760349600.0])
def test_a_foreign_event_may_write_its_time_either_way(moment: Any) -> None:
    """(X-06)"""
    event = decode_event(orjson.dumps({**FOREIGN, "timestamp": moment}))

    assert event.timestamp == 1760349600.0
    assert event.foreign


@pytest.mark.parametrize(
    "change",
    [
        {"type": "exploded"},
        {"timestamp": "soon"},
        {"unknown": 1},
        {"namespace": ""},
        {"schema_version": 99},
        {"version": 0},
        {"event_id": 7},
    ],
)
def test_an_event_against_the_schema_is_poison(change: dict[str, Any]) -> None:
    with pytest.raises(PoisonEvent) as raised:
        decode_event(orjson.dumps({**FOREIGN, **change}))

    assert raised.value.reason == "schema"


def test_our_own_events_survive_the_wire() -> None:
    event = MemoryEvent(uuid4(), memory_id("ns", (1.0,)), "ns", "updated", 1760349600.25, '{"fact":"x"}', 7)

    assert decode_event(event.encoded()) == event
