"""The schema of an event: committed, versioned, checked, and kept by what we publish."""

import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema_rs
import orjson
import pytest

from somafractalmemory.adapters.local_events import LocalPublisher, LocalTopic
from somafractalmemory.errors import PoisonEvent
from somafractalmemory.events.relay import Relay
from somafractalmemory.model import MemoryType, memory_id, new_memory
from somafractalmemory.model.events import decode_event, event_schema
from tests.unit.api_server.conftest import World

ROOT = Path(__file__).parents[4]
ORIGINAL = {
    "event_id": str(uuid4()),
    "id": str(uuid4()),
    "namespace": "elsewhere",
    "type": "created",
    "timestamp": "2025-10-13T10:00:00Z",
    "payload": {"fact": "from another producer"},
}


def fits(value: Any) -> bool:

    return jsonschema_rs.Draft202012Validator(event_schema(), validate_formats=True).is_valid(value)


async def published(world: World) -> list[dict[str, Any]]:
    """One event of each kind, as it goes over the wire."""
    memory = new_memory(
        namespace="ns", coordinate=(1.0, 2.5), payload={"fact": "x"}, memory_type=MemoryType.SEMANTIC, now=1.0
    )
    await world.records.save([memory])
    await world.records.save([memory])
    await world.records.delete([memory.id])
    topic = LocalTopic()
    await Relay(outbox=world.records, publisher=LocalPublisher(topic, model_revision="hash-1")).step()
    return [orjson.loads(message.value or b"") for message in topic.messages]


def test_the_committed_document_is_the_one_that_is_printed() -> None:
    """(X-06)"""
    printed = subprocess.run(
        [sys.executable, "-m", "somafractalmemory", "events", "schema"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT / "api_server",
    ).stdout

    assert printed == (ROOT / "docs/memory.event.schema.json").read_text()
    assert set(orjson.loads(printed)["required"]) == set(ORIGINAL)


async def test_what_is_published_keeps_the_schema_and_names_its_version(world: World) -> None:
    """(events defect 13)"""
    events = await published(world)

    assert [event["type"] for event in events] == ["created", "updated", "deleted"]
    assert all(fits(event) for event in events)
    assert {event["schema_version"] for event in events} == {2}


async def test_an_event_says_where_the_memory_lives_and_whose_vectors_it_has(world: World) -> None:
    """(events defect 7)"""
    events = await published(world)

    assert [event["coordinate"] for event in events] == [[1.0, 2.5]] * 3
    assert [event["memory_type"] for event in events] == ["semantic"] * 3
    assert [event["model_revision"] for event in events] == ["hash-1"] * 3


async def test_every_event_of_a_place_has_its_one_identifier_and_a_rising_version(world: World) -> None:
    """(events defect 6)"""
    events = await published(world)

    assert {event["id"] for event in events} == {str(memory_id("ns", (1.0, 2.5)))}
    assert [event["version"] for event in events] == [1, 2, 3]
    assert len({event["event_id"] for event in events}) == 3


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({}, True),
        ({"timestamp": 1760349600.5}, True),
        ({"importance": 0.5, "embedding": [0.1, 0.2], "model_revision": "their-model"}, True),
        ({"payload": ["any", "JSON"]}, True),
        ({"timestamp": "yesterday"}, False),
        ({"timestamp": "2025-10-13T25:00:00Z"}, False),
        ({"type": "exploded"}, False),
        ({"unknown": 1}, False),
        ({"event_id": ""}, False),
        ({"schema_version": 3}, False),
        ({"version": 0}, False),
        ({"embedding": "none"}, False),
    ],
)
def test_the_document_and_the_consumer_agree(change: dict[str, Any], good: bool) -> None:
    """(events defect 13)"""
    value = {**ORIGINAL, **change}

    assert fits(value) is good
    if good:
        assert decode_event(orjson.dumps(value)).namespace == "elsewhere"
    else:
        with pytest.raises(PoisonEvent, match="schema"):
            decode_event(orjson.dumps(value))


@pytest.mark.parametrize("missing", sorted(ORIGINAL))
def test_each_of_the_six_fields_is_needed(missing: str) -> None:
    value = {name: content for name, content in ORIGINAL.items() if name != missing}

    assert not fits(value)
    with pytest.raises(PoisonEvent, match=missing):
        decode_event(orjson.dumps(value))
