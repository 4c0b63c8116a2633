"""Events over Kafka: at least once, in order for each memory, by librdkafka. Nothing here blocks the loop."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import structlog

from somafractalmemory.adapters.kafka_client import Topics, ensure_topics
from somafractalmemory.adapters.kafka_sender import Record, Sender, is_too_large
from somafractalmemory.adapters.kafka_stream import KafkaStream
from somafractalmemory.model.events import SCHEMA_VERSION, MemoryEvent
from somafractalmemory.settings import Settings

__all__ = ["KafkaPublisher", "KafkaStream", "ensure_topics", "open_publisher", "open_stream"]

log = structlog.get_logger(__name__)

_PING_SECONDS = 1.2
_ENCODED_AT_ONCE = 50


@asynccontextmanager
async def open_publisher(settings: Settings, *, model_revision: str | None = None) -> AsyncIterator["KafkaPublisher"]:
    """A publisher; opens even while no broker answers."""
    publisher = KafkaPublisher(settings, model_revision=model_revision)
    try:
        yield publisher
    finally:
        await publisher.close()


@asynccontextmanager
async def open_stream(settings: Settings) -> AsyncIterator["KafkaStream"]:
    """A member of the consumers' group; opens even while no broker answers."""
    stream = KafkaStream(settings)
    try:
        yield stream
    finally:
        await stream.close()


class KafkaPublisher:
    """Sends events and waits until all replicas have them."""

    def __init__(self, settings: Settings, *, model_revision: str | None = None) -> None:
        self._topic = settings.kafka_topic
        self._model_revision = model_revision
        self._topics = Topics(settings)
        self._sender = Sender(settings, "publisher")

    async def close(self) -> None:
        """Let go of the connections."""
        await self._sender.close()

    async def ping(self) -> None:
        await asyncio.to_thread(self._sender.ask, self._topic, _PING_SECONDS)

    async def publish(self, events: Sequence[MemoryEvent]) -> Sequence[bool]:
        await self._topics.ensure()
        outcomes = await self._sender.send(await self._records(events))
        for at, outcome in enumerate(outcomes):
            if is_too_large(outcome):
                outcomes[at] = await self._send_without_payload(events[at])
        failures = [outcome for outcome in outcomes if outcome is not None]
        if failures:
            self._topics.known = False  # they may have been lost with the broker's volume
            self._sender.watch.failed(failures[0])
        return _in_order(events, outcomes)

    async def _send_without_payload(self, event: MemoryEvent) -> Any:
        """Without this, one event that the brokers refuse for its size would hold up the outbox for ever."""
        log.warning("event_too_large", memory_id=str(event.id), hint="sent without its payload; Postgres has it")
        record = self._record(replace(event, payload_json="{}"))
        return (await self._sender.send([replace(record, headers=[*record.headers, ("payload-omitted", b"true")])]))[0]

    async def _records(self, events: Sequence[MemoryEvent]) -> list[Record]:
        records = []
        for at, event in enumerate(events, 1):
            records.append(self._record(event))
            if at % _ENCODED_AT_ONCE == 0:
                await asyncio.sleep(0)  # who waits for an answer goes first
        return records

    def _record(self, event: MemoryEvent) -> Record:
        headers = [("schema-version", b"%d" % SCHEMA_VERSION), ("event-type", event.type.encode())]
        if event.traceparent is not None:
            headers.append(("traceparent", event.traceparent.encode()))
        return Record(self._topic, str(event.id).encode(), event.encoded(self._model_revision), headers)


def _in_order(events: Sequence[MemoryEvent], outcomes: Sequence[Any]) -> list[bool]:
    """What arrived; after a failure nothing of the same memory counts, so that it is sent again behind it."""
    held_up = set()
    safe = []
    for event, outcome in zip(events, outcomes, strict=True):
        if outcome is not None:
            held_up.add(event.id)
        safe.append(event.id not in held_up)
    return safe
