"""Applying events again from anywhere, and sending dead letters on their way again."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import orjson
import pytest

from somafractalmemory.adapters.local_events import LocalHistory, LocalPublisher, LocalResender, LocalTopic
from somafractalmemory.errors import InvalidRequest, Unavailable
from somafractalmemory.events.deadletters import DeadLetters, Letter
from somafractalmemory.events.relay import Relay
from somafractalmemory.events.replaying import Replay, Replayed, ReplayInterrupted, stretch
from somafractalmemory.model import MemoryType, new_memory
from somafractalmemory.ports import Message
from somafractalmemory.ports.history import Span
from tests.unit.api_server.conftest import World


async def written(world: World) -> LocalTopic:
    """Three memories, one of them deleted again, as four events on a topic."""
    memories = [
        new_memory(
            namespace="ns",
            coordinate=(float(number),),
            payload={"fact": f"fact {number}"},
            memory_type=MemoryType.SEMANTIC,
            now=1.0,
        )
        for number in range(3)
    ]
    await world.records.save(memories)
    await world.records.delete([memories[0].id])
    topic = LocalTopic()
    await Relay(outbox=world.records, publisher=LocalPublisher(topic)).step()
    return topic


async def replayed(world: World, topic: LocalTopic, offset: int = 0) -> Replayed:
    history = LocalHistory(topic)
    spans = await stretch(history, partition=None, offset=offset)
    return await Replay(history=history).run(spans, events=world.records, indexer=world.indexer)


def alive(world: World) -> set[UUID]:
    return {place for place, point in world.vectors._points.items() if point.deleted_at is None}


async def test_a_replay_from_the_beginning_brings_no_deleted_memory_back(world: World) -> None:
    """(events defect 8)"""
    topic = await written(world)

    done = await replayed(world, topic)

    assert (done.total, done.applied, done.refused, done.next_offsets) == (4, 4, 0, {0: 4})
    assert len(alive(world)) == 2
    assert len(world.records.log) == 4


async def test_replaying_twice_and_from_any_offset_changes_nothing(world: World) -> None:
    """(events defect 6)"""
    topic = await written(world)
    await replayed(world, topic)
    points, log = dict(world.vectors._points), dict(world.records.log)

    for offset in (0, 2, 3, 4, 99):
        done = await replayed(world, topic, offset)
        assert done.total == max(4 - offset, 0)

    assert {place: point.version for place, point in world.vectors._points.items()} == {
        place: point.version for place, point in points.items()
    }
    assert world.records.log == log
    assert topic.committed == 0


async def test_what_cannot_be_applied_is_counted_and_not_set_aside_again(world: World) -> None:
    topic = await written(world)
    topic.add(b"not JSON")
    topic.add(b'{"half": "an event"}')

    done = await replayed(world, topic)

    assert (done.applied, done.refused, done.reasons) == (4, 2, {"not-json": 1, "schema": 1})
    assert topic.dead == []


async def test_a_replay_waits_for_a_store_and_says_how_far_it_came_when_that_stays_away(world: World) -> None:
    topic = await written(world)
    world.vectors.away = True
    history = LocalHistory(topic)
    replay = Replay(history=history, patience_seconds=0.2)

    with pytest.raises(ReplayInterrupted, match="stays away"):
        await replay.run({0: Span(1, 4)}, events=world.records, indexer=world.indexer)

    assert replay.done.next_offsets == {0: 1}
    world.vectors.away = False
    assert (await replayed(world, topic, 1)).applied == 3


async def test_a_topic_that_is_away_ends_a_replay(world: World) -> None:
    topic = await written(world)
    spans = await stretch(LocalHistory(topic), partition=None)
    topic.away = True

    with pytest.raises(ReplayInterrupted, match="kafka"):
        await Replay(history=LocalHistory(topic)).run(spans, events=world.records, indexer=world.indexer)


async def test_a_stretch_begins_at_an_offset_a_time_or_the_beginning() -> None:
    topic = LocalTopic()
    for moment in (10.0, 20.0, 30.0):
        topic.add(b"x", timestamp=moment)
    history = LocalHistory(topic)

    assert await stretch(history, partition=None) == {0: Span(0, 3)}
    assert await stretch(history, partition=0, offset=2) == {0: Span(2, 3)}
    assert await stretch(history, partition=None, moment=15.0) == {0: Span(1, 3)}
    assert len((await stretch(history, partition=None, moment=31.0))[0]) == 0
    with pytest.raises(InvalidRequest, match="no partition 7"):
        await stretch(history, partition=7)


def letter(topic: LocalTopic, number: int, value: bytes | None = b"{}") -> None:
    headers = {"reason": "schema", "error": f"wrong {number}", "original-offset": str(number)}
    topic.add(value, b"key", headers=[(name, text.encode()) for name, text in headers.items()], timestamp=float(number))


async def test_dead_letters_are_listed_with_their_reasons_the_newest_so_many() -> None:
    """(events defect 3)"""
    letters = LocalTopic("memory.dlq")
    for number in range(10):
        letter(letters, number)
    dead = DeadLetters(history=LocalHistory(letters), resender=LocalResender(events=LocalTopic(), letters=letters))

    found = [each.as_json() for each in await dead.list(limit=3)]

    assert [each["offset"] for each in found] == [7, 8, 9]
    assert found[0]["reason"] == "schema"
    assert found[0]["error"] == "wrong 7"
    assert found[0]["original_offset"] == "7"
    assert found[0]["set_aside_at"] == "1970-01-01T00:00:07+00:00"
    assert found[0]["retried"] is False
    assert orjson.dumps(found)


async def test_retried_letters_are_events_again_and_marked_and_not_retried_twice() -> None:
    letters, events = LocalTopic("memory.dlq"), LocalTopic()
    for number in range(250):
        letter(letters, number, b"value %d" % number)
    letter(letters, 250, None)
    dead = DeadLetters(history=LocalHistory(letters), resender=LocalResender(events=events, letters=letters))

    first, second = await dead.retry(), await dead.retry()

    assert (first.found, first.retried, first.without_value) == (251, 250, 1)
    assert (second.found, second.retried, second.without_value) == (1, 0, 1)
    assert [message.value for message in events.messages] == [b"value %d" % number for number in range(250)]
    assert [each.message.offset for each in await dead.list(limit=1000, pending=True)] == [250]
    assert sum(each.retried for each in await dead.list(limit=1000)) == 250


async def test_one_letter_can_be_retried_again() -> None:
    letters, events = LocalTopic("memory.dlq"), LocalTopic()
    for number in range(3):
        letter(letters, number)
    dead = DeadLetters(history=LocalHistory(letters), resender=LocalResender(events=events, letters=letters))

    await dead.retry(partition=0, offset=1)
    again = await dead.retry(partition=0, offset=1)
    nowhere = await dead.retry(partition=0, offset=99)

    assert (again.retried, nowhere.found) == (1, 0)
    assert len(events.messages) == 2


async def test_no_letter_is_lost_when_the_way_back_breaks() -> None:
    letters, events = LocalTopic("memory.dlq"), LocalTopic()
    for number in range(5):
        letter(letters, number)

    class Broken(LocalResender):
        async def resend(self, letters: Sequence[Message]) -> None:
            raise Unavailable("kafka", f"away, with {len(letters)} letters")

    history = LocalHistory(letters)
    with pytest.raises(Unavailable):
        await DeadLetters(history=history, resender=Broken(events=events, letters=letters)).retry()

    done = await DeadLetters(history=history, resender=LocalResender(events=events, letters=letters)).retry()
    assert done.retried == 5


def test_a_foreign_key_is_shown_as_text() -> None:
    topic = LocalTopic()
    topic.add(b"{}", uuid4().bytes)
    assert orjson.dumps(Letter(topic.messages[0], retried=False).as_json())
