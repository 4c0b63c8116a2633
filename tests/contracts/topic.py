"""What every publisher and stream promise. A subclass brings the fixture `topic`: an empty topic with both its ends."""

import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID, uuid4

from somafractalmemory.model.events import MemoryEvent, decode_event
from somafractalmemory.ports import Message, Publisher, Stream


class Topic(Protocol):
    """A topic of its own for each test."""

    @property
    def publisher(self) -> Publisher: ...

    def open_stream(self) -> AbstractAsyncContextManager[Stream]:
        """A new member of the one group."""


def an_event(place: UUID | None = None, version: int = 1, payload_json: str = '{"fact":"rain"}') -> MemoryEvent:
    """An event of ours."""
    return MemoryEvent(uuid4(), place or uuid4(), "here", "created", 1_700_000_000.0, payload_json, version)


async def taken(stream: Stream, count: int, *, seconds: float = 60.0) -> list[Message]:
    """Exactly the next `count` messages, uncommitted."""
    deadline, messages = time.monotonic() + seconds, list[Message]()
    while len(messages) < count and time.monotonic() < deadline:
        messages += await stream.take(count - len(messages), 0.2)
    assert len(messages) == count
    return messages


def versions(messages: Sequence[Message]) -> dict[UUID, list[int | None]]:
    """The versions of each memory as they came."""
    seen: dict[UUID, list[int | None]] = defaultdict(list)
    for message in messages:
        event = decode_event(message.value)
        seen[event.id].append(event.version)
    return dict(seen)


class TopicContract:
    """Behaviour, not implementation."""

    async def test_events_arrive_whole_and_in_order_for_each_memory(self, topic: Topic) -> None:
        """(events defect 8)"""
        places = [uuid4() for _ in range(5)]
        events = [an_event(place, version) for version in range(1, 11) for place in places]
        async with topic.open_stream() as stream:
            assert list(await topic.publisher.publish(events)) == [True] * 50

            messages = await taken(stream, 50)

        assert versions(messages) == {place: list(range(1, 11)) for place in places}
        first = decode_event(messages[0].value)
        assert first in events
        assert messages[0].key == str(first.id).encode()

    async def test_no_more_are_taken_than_asked_for(self, topic: Topic) -> None:
        await topic.publisher.publish([an_event() for _ in range(10)])
        async with topic.open_stream() as stream:
            first = await taken(stream, 1)
            few = await stream.take(3, 5.0)
            rest = await taken(stream, 10 - len(first) - len(few))

        assert 1 <= len(few) <= 3
        assert len({(message.partition, message.offset) for message in [*first, *few, *rest]}) == 10

    async def test_an_empty_topic_gives_nothing(self, topic: Topic) -> None:
        async with topic.open_stream() as stream:
            assert list(await stream.take(10, 0.1)) == []
            await stream.commit([])

        assert list(await topic.publisher.publish([])) == []

    async def test_what_was_committed_never_comes_again_and_the_rest_does(self, topic: Topic) -> None:
        """(events defect 1)"""
        place = uuid4()
        await topic.publisher.publish([an_event(place, version) for version in range(1, 7)])
        async with topic.open_stream() as stream:
            done = await taken(stream, 4)
            await taken(stream, 2)
            await stream.commit(done)

        async with topic.open_stream() as successor:
            again = await taken(successor, 2)

        assert versions(done)[place] == [1, 2, 3, 4]
        assert versions(again)[place] == [5, 6]

    async def test_a_batch_that_waits_stays_ours_and_loses_nothing(self, topic: Topic) -> None:
        """(events defect 5)"""
        await topic.publisher.publish([an_event() for _ in range(3)])
        async with topic.open_stream() as stream:
            waiting = await taken(stream, 3)
            await topic.publisher.publish([an_event() for _ in range(3)])
            kept = await stream.hold(0.6)
            await stream.commit(waiting)
            following = await taken(stream, 3)
            await stream.commit(following)

        assert kept
        assert not {message.value for message in waiting} & {message.value for message in following}

    async def test_a_message_is_set_aside_and_the_next_one_comes(self, topic: Topic) -> None:
        place = uuid4()
        await topic.publisher.publish([an_event(place, 1), an_event(place, 2)])
        async with topic.open_stream() as stream:
            (poison,) = await taken(stream, 1)
            await stream.set_aside(poison, "schema", "it breaks the schema")
            await stream.commit([poison])
            (good,) = await taken(stream, 1)

        assert versions([good])[place] == [2]

    async def test_both_ends_answer_when_asked_how_they_are(self, topic: Topic) -> None:
        async with topic.open_stream() as stream:
            await stream.take(1, 0.1)
            await stream.ping()
            await topic.publisher.ping()
