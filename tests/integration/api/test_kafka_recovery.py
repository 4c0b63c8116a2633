"""A broker away, killed, emptied, members coming and going: nothing acknowledged is lost, and it heals by itself."""

import asyncio
import shutil
import time
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from somafractalmemory.adapters.kafka import KafkaPublisher, KafkaStream, ensure_topics, open_publisher, open_stream
from somafractalmemory.errors import Unavailable
from somafractalmemory.model.events import MemoryEvent, decode_event
from somafractalmemory.ports import Message
from somafractalmemory.settings import Settings, load_settings
from tests.contracts.topic import an_event, taken
from tests.services.kafka import KafkaServer
from tests.services.server import free_port

pytestmark = pytest.mark.timeout(300)


def settings_of(bootstrap: str, **changes: str) -> Settings:
    unique = uuid4().hex[:8]
    return load_settings(
        {
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "KAFKA_MEMORY_EVENTS_TOPIC": f"recovery.events.{unique}",
            "KAFKA_MEMORY_DLQ_TOPIC": f"recovery.dlq.{unique}",
            "KAFKA_CONSUMER_GROUP": f"recovery-{unique}",
            **changes,
        }
    )


async def publish_until_safe(
    publisher: KafkaPublisher, events: Sequence[MemoryEvent], *, seconds: float = 60.0
) -> None:
    """As the relay does: again and again what is not there yet."""
    deadline, left = time.monotonic() + seconds, list(events)
    while left:
        assert time.monotonic() < deadline, f"{len(left)} events are still not there"
        try:
            safe = await publisher.publish(left)
        except Unavailable:
            await asyncio.sleep(0.2)
            continue
        left = [event for event, arrived in zip(left, safe, strict=True) if not arrived]


async def consumed(stream: KafkaStream, wanted: set[UUID], *, seconds: float = 60.0) -> list[Message]:
    """Takes and commits until all these events came."""
    deadline, messages, missing = time.monotonic() + seconds, list[Message](), set(wanted)
    while missing:
        assert time.monotonic() < deadline, f"{len(missing)} events never came"
        try:
            batch = await stream.take(500, 0.2)
            await stream.commit(batch)
        except Unavailable:
            await asyncio.sleep(0.2)
            continue
        messages += batch
        missing -= {decode_event(message.value).event_id for message in batch}
    return messages


def ids(events: Sequence[MemoryEvent]) -> set[UUID]:
    return {event.event_id for event in events}


async def test_nobody_there_is_said_in_time_with_the_address() -> None:
    settings = settings_of(f"127.0.0.1:{free_port()}")
    async with open_publisher(settings) as publisher, open_stream(settings) as stream:
        started = time.monotonic()
        for call in (
            publisher.ping(),
            publisher.publish([an_event()]),
            stream.take(1, 0.1),
            stream.ping(),
            ensure_topics(settings),
        ):
            with pytest.raises(Unavailable, match=settings.kafka_bootstrap_servers or ""):
                await call
        assert time.monotonic() - started < 30.0


async def test_topics_are_made_once_with_the_settings(kafka_server: KafkaServer) -> None:
    settings = settings_of(kafka_server.bootstrap, KAFKA_TOPIC_PARTITIONS="2")

    await asyncio.gather(ensure_topics(settings), ensure_topics(settings))
    await ensure_topics(settings)

    topics = AdminClient({"bootstrap.servers": kafka_server.bootstrap}).list_topics(timeout=10).topics
    assert len(topics[settings.kafka_topic].partitions) == 2
    assert len(topics[settings.kafka_dlq_topic].partitions) == 2


async def test_more_replicas_than_brokers_are_named(kafka_server: KafkaServer) -> None:
    settings = settings_of(kafka_server.bootstrap, KAFKA_TOPIC_REPLICATION="3")

    with pytest.raises(Unavailable, match=r"(?i)replication"):
        await ensure_topics(settings)


async def test_acknowledged_events_outlive_a_kill_and_both_ends_go_on(kafka_server: KafkaServer) -> None:
    settings = settings_of(kafka_server.bootstrap)
    async with open_publisher(settings) as publisher, open_stream(settings) as stream:
        before, after = [an_event() for _ in range(200)], [an_event() for _ in range(200)]
        assert all(await publisher.publish(before))
        await taken(stream, 50)

        kafka_server.kill9()
        publishing = asyncio.create_task(publish_until_safe(publisher, after, seconds=90))
        with pytest.raises(Unavailable):
            await stream.ping()
        await asyncio.to_thread(kafka_server.start)
        await publishing

        await consumed(stream, ids(after), seconds=90)
    async with open_stream(settings.model_copy(update={"kafka_group": "another"})) as another:
        await consumed(another, ids([*before, *after]))


async def test_while_the_broker_is_away_every_call_ends_and_each_event_is_reported(kafka_server: KafkaServer) -> None:
    settings = settings_of(kafka_server.bootstrap)
    async with open_publisher(settings) as publisher, open_stream(settings) as stream:
        await publish_until_safe(publisher, [an_event() for _ in range(5)])
        batch = await taken(stream, 5)
        kafka_server.kill9()
        try:
            started = time.monotonic()
            assert list(await publisher.publish([an_event() for _ in range(3)])) == [False] * 3
            with pytest.raises(Unavailable):
                await publisher.ping()
            with pytest.raises(Unavailable):
                await stream.commit(batch)
            with pytest.raises(Unavailable):
                await stream.set_aside(batch[0], "schema", "broken")
            assert time.monotonic() - started < 60.0
        finally:
            await asyncio.to_thread(kafka_server.start)


async def test_a_broker_that_lost_its_volume_gets_its_topics_again() -> None:
    with KafkaServer() as server:
        settings = settings_of(server.bootstrap)
        async with open_publisher(settings) as publisher, open_stream(settings) as stream:
            await publish_until_safe(publisher, old := [an_event() for _ in range(20)])
            await consumed(stream, ids(old))

            server.kill9()
            shutil.rmtree(server.folder / "data")
            server._prepared = False
            await asyncio.to_thread(server.start)

            await publish_until_safe(publisher, new := [an_event() for _ in range(20)], seconds=90)
            await consumed(stream, ids(new), seconds=90)
            await stream.set_aside(Message(b"x", None, "t", 0, 1), "schema", "after the loss")


async def test_partitions_move_to_a_new_member_and_a_batch_in_hand_is_given_up(kafka_server: KafkaServer) -> None:
    settings = settings_of(kafka_server.bootstrap)
    async with open_publisher(settings) as publisher, open_stream(settings) as first:
        events = [an_event() for _ in range(300)]
        await publish_until_safe(publisher, events)
        in_hand = await taken(first, 100)
        async with open_stream(settings) as second:
            reading = asyncio.create_task(second.take(500, 10.0))
            kept = True
            deadline = time.monotonic() + 30
            while kept and time.monotonic() < deadline:
                kept = await first.hold(0.5)
            others = list(await reading)
            await first.commit(in_hand)  # stale: must not count

            seen = {decode_event(message.value).event_id for message in others}
            while len(seen) < 300 and time.monotonic() < deadline:
                both = await asyncio.gather(first.take(500, 0.2), second.take(500, 0.2))
                seen |= {decode_event(message.value).event_id for batch in both for message in batch}

    assert not kept
    assert seen == ids(events)


async def test_a_message_set_aside_says_why_and_where_it_came_from(kafka_server: KafkaServer) -> None:
    """(events defect 3)"""
    settings = settings_of(kafka_server.bootstrap, KAFKA_TOPIC_PARTITIONS="1")
    async with open_stream(settings) as stream:
        await stream.set_aside(Message(b"{", b"k", "memory.events", 2, 77), "not-json", "it ends too early: ü")

    reader = Consumer({"bootstrap.servers": kafka_server.bootstrap, "group.id": uuid4().hex})
    try:
        reader.assign([TopicPartition(settings.kafka_dlq_topic, 0, 0)])
        message = await asyncio.to_thread(reader.poll, 20)
        assert message is not None
        assert message.error() is None
        headers: list[tuple[str, bytes]] = message.headers()  # type: ignore[assignment]
        assert (message.key(), message.value()) == (b"k", b"{")
        assert {name: value.decode() for name, value in headers} == {
            "reason": "not-json",
            "error": "it ends too early: ü",
            "original-topic": "memory.events",
            "original-partition": "2",
            "original-offset": "77",
        }
    finally:
        reader.close()


async def test_an_event_too_large_for_the_brokers_goes_without_its_payload(kafka_server: KafkaServer) -> None:
    settings = settings_of(kafka_server.bootstrap, SOMA_MAX_REQUEST_BODY_MB="0.5", KAFKA_TOPIC_PARTITIONS="1")
    large, small = an_event(payload_json='{"fact":"' + "x" * 2_000_000 + '"}'), an_event()
    async with open_publisher(settings) as publisher, open_stream(settings) as stream:
        assert list(await publisher.publish([large, small])) == [True, True]

        arrived = {(event := decode_event(message.value)).id: event for message in await taken(stream, 2)}

    assert arrived[large.id].payload_json == "{}"
    assert arrived[large.id].event_id == large.event_id
    assert arrived[small.id] == small
