"""Messages of others on the topic: applied, set aside, never in the way."""

from typing import Any
from uuid import uuid4

import orjson
from confluent_kafka import Consumer, Producer

from tests.integration.api.programs import Stack, eventually


def publish(stack: Stack, *values: bytes) -> None:
    """Put messages on the events' topic as somebody else."""
    producer = Producer({"bootstrap.servers": stack.environment["KAFKA_BOOTSTRAP_SERVERS"], "acks": "all"})
    for value in values:
        producer.produce(stack.environment["KAFKA_MEMORY_EVENTS_TOPIC"], value)
    assert producer.flush(20) == 0


def event(**changes: object) -> dict[str, object]:
    """A foreign event in the original schema."""
    given = {
        "event_id": str(uuid4()),
        "id": str(uuid4()),
        "namespace": "others",
        "type": "created",
        "timestamp": "2025-10-13T10:00:00Z",
        "payload": {"fact": "from elsewhere"},
    }
    return given | changes


def letters(stack: Stack, count: int) -> dict[bytes, str]:
    """What lies in the dead letter topic: value -> reason."""
    found: dict[bytes, str] = {}
    consumer = Consumer(
        {
            "bootstrap.servers": stack.environment["KAFKA_BOOTSTRAP_SERVERS"],
            "group.id": f"reader-{uuid4()}",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([stack.environment["KAFKA_MEMORY_DLQ_TOPIC"]])

    def enough() -> bool:
        for message in consumer.consume(100, 0.5):
            headers: dict[str, Any] = dict(message.headers() or [])
            if message.error() is None and "reason" in headers:  # all others are marks of what was retried
                found[message.value() or b""] = headers["reason"].decode()
        return len(found) >= count

    try:
        eventually(enough)
    finally:
        consumer.close()
    return found


def test_a_foreign_event_is_logged_once_however_often_it_comes(stack: Stack) -> None:
    given = event()
    marker = event()

    publish(stack, *[orjson.dumps(given)] * 3, orjson.dumps(marker))

    statement = "select payload->>'fact' from memory_events where event_id = %s"
    eventually(lambda: stack.rows(statement, marker["event_id"]))
    eventually(lambda: stack.rows(statement, given["event_id"]) == [("from elsewhere",)])


def test_poisoned_messages_are_set_aside_and_their_neighbours_applied(stack: Stack) -> None:
    good = event()
    poison = {
        b"not json at all": "not-json",
        orjson.dumps(event(type="exploded")): "schema",
        orjson.dumps(event(payload={"text": "a\x00b"})): "payload",
        orjson.dumps(event(namespace="a\x00b")): "rejected",
        orjson.dumps(event(version=2**63)): "rejected",
    }

    publish(stack, *poison, orjson.dumps(good))

    eventually(lambda: stack.rows("select 1 from memory_events where event_id = %s", good["event_id"]))
    found = letters(stack, len(poison))
    assert {value: found.get(value) for value in poison} == poison
    assert stack.consumer.process.poll() is None
    assert 'consumer_dead_letters_total{reason="not-json"}' in stack.consumer.client.get("/metrics").text
