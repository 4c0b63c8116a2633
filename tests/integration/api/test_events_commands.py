"""`soma events` as an operator uses it, beside the running programs."""

import json
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.integration.api.programs import Stack, eventually, run_once


def events(stack: Stack, *arguments: str) -> Any:
    done = run_once(stack.environment, "events", *arguments, "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def produce(stack: Stack, value: bytes, **headers: str) -> None:
    producer = Producer({"bootstrap.servers": stack.environment["KAFKA_BOOTSTRAP_SERVERS"]})
    topic = stack.environment["KAFKA_MEMORY_EVENTS_TOPIC"]
    producer.produce(topic, key=b"k", value=value, headers=[(name, text.encode()) for name, text in headers.items()])
    assert producer.flush(20) == 0


@pytest.mark.timeout(400)  # the topic holds what all other tests of this process published
def test_a_lost_event_log_is_filled_by_a_replay_and_no_offset_is_moved(stack: Stack) -> None:
    """(events defect 1)"""
    coords = [stack.place() for _ in range(5)]
    for coord in coords:
        stack.store(coord, fact=f"replayed {coord}")
    stack.http.delete(f"/memories/{coords[0]}")
    eventually(lambda: events(stack, "lag")["lag"] == 0, seconds=60)
    logged = stack.rows("select count(*) from memory_events")
    before = events(stack, "lag")
    stack.rows("with gone as (delete from memory_events returning 1) select count(*) from gone")

    done = events(stack, "replay", "--beginning")

    assert done["refused"] >= 0
    assert done["applied"] >= 6
    assert stack.rows("select count(*) from memory_events") == logged
    assert stack.http.get(f"/memories/{coords[0]}").status_code == 404
    assert events(stack, "lag") == before
    assert events(stack, "replay", "--beginning")["applied"] == done["applied"]
    assert stack.rows("select count(*) from memory_events") == logged
    (partition, end) = max((part["end"], part["partition"]) for part in before["partitions"])[::-1]
    one = events(stack, "replay", "--from-offset", str(end - 1), "--partition", str(partition))
    assert (one["total"], one["next_offsets"]) == (1, {str(partition): end})
    assert events(stack, "replay", "--from-time", "2100-01-01T00:00:00Z")["total"] == 0
    assert events(stack, "replay", "--from-time", "2020-01-01")["total"] == done["total"]


def test_a_dead_letter_is_listed_retried_once_and_marked(stack: Stack) -> None:
    """(events defect 2)"""
    size = 777  # which no other letter has
    produce(stack, b"!" * size, traceparent="kept")

    def mine() -> list[dict[str, Any]]:
        return [letter for letter in events(stack, "dlq", "list") if letter["bytes"] == size]

    (letter,) = eventually(mine, seconds=60)
    assert letter["reason"] == "not-json"
    assert letter["original_topic"] == stack.environment["KAFKA_MEMORY_EVENTS_TOPIC"]
    assert letter["retried"] is False

    answer = events(stack, "dlq", "retry", "--partition", str(letter["partition"]), "--offset", str(letter["offset"]))

    assert answer == {"found": 1, "retried": 1, "without_value": 0}
    assert [each["retried"] for each in mine() if each["offset"] == letter["offset"]] == [True]
    eventually(lambda: len(mine()) == 2, seconds=60)  # still no JSON, so it came back
    pending = [each for each in events(stack, "dlq", "list", "--pending") if each["bytes"] == size]
    assert [each["offset"] for each in pending] == [max(each["offset"] for each in mine())]
    assert events(stack, "dlq", "retry", "--all")["retried"] >= 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay",),
        ("replay", "--beginning", "--from-offset", "3"),
        ("replay", "--from-time", "soon"),
        ("dlq", "retry"),
        ("dlq", "retry", "--all", "--partition", "0", "--offset", "1"),
        ("dlq", "retry", "--offset", "1"),
    ],
)
def test_wrong_usage_ends_with_exit_code_2(arguments: tuple[str, ...]) -> None:
    environment = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "POSTGRES_URL": "postgresql://a@127.0.0.1:1/b"}
    done = run_once({**environment, "QDRANT_URL": "http://127.0.0.1:1"}, "events", *arguments)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("dlq", "retry", "--partition", "0", "--offset", "123456"), 3),
        (("replay", "--beginning", "--partition", "99"), 2),
    ],
)
def test_what_is_not_there_is_told_apart(stack: Stack, arguments: tuple[str, ...], code: int) -> None:
    done = run_once(stack.environment, "events", *arguments)

    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_brokers_that_are_away_are_named(stack: Stack) -> None:
    """(S-23)"""
    done = run_once({**stack.environment, "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}, "events", "lag")

    assert done.returncode == 5
    assert "127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr
