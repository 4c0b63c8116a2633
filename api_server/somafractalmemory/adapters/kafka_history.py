"""A topic read from anywhere, in no group; and the way back for dead letters."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, TopicPartition

from somafractalmemory.adapters.kafka_client import (
    RdkafkaLog,
    Topics,
    Watch,
    client_options,
    max_message_bytes,
    message_of,
    reason_of,
)
from somafractalmemory.adapters.kafka_sender import Record, Sender
from somafractalmemory.ports import Message
from somafractalmemory.ports.history import RETRIED_OFFSET, Span
from somafractalmemory.settings import Settings

Result = TypeVar("Result")

_ANSWER_SECONDS = 10.0
_SILENCE_SECONDS = 15.0
_SLICE_SECONDS = 0.5
_OUR_HEADERS = {"reason", "error", "original-topic", "original-partition", "original-offset"}


class KafkaHistory:
    """Implements the port History; all calls of its consumer happen on one thread."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._topic = topic
        self._topics = Topics(settings)
        self._watch = Watch(settings, "history")
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kafka-history")
        self._options = {
            **client_options(settings),
            "group.id": settings.kafka_group,  # only to ask where the group is: nothing here subscribes or commits
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "fetch.message.max.bytes": max_message_bytes(settings),
            "queued.max.messages.kbytes": 32 * 1024,
            "logger": RdkafkaLog(),
        }
        self._made: Any = None

    async def close(self) -> None:
        """Let go of the connections."""
        if self._made is not None:
            await self._call(lambda consumer: consumer.close())
        self._thread.shutdown(wait=False)

    async def spans(self) -> Mapping[int, Span]:
        await self._topics.ensure()
        return await self._call(self._spans)

    async def since(self, moment: float) -> Mapping[int, int]:
        spans = await self.spans()
        return await self._call(lambda consumer: self._since(consumer, spans, moment))

    async def committed(self) -> Mapping[int, int | None]:
        spans = await self.spans()
        return await self._call(lambda consumer: self._committed(consumer, spans))

    async def read(self, spans: Mapping[int, Span], batch: int = 500) -> AsyncIterator[Sequence[Message]]:
        left = {partition: span for partition, span in spans.items() if len(span)}
        if not left:
            return
        await self._call(lambda consumer: self._assign(consumer, left))
        heard = time.monotonic()
        while left:
            raw = await self._call(lambda consumer: consumer.consume(batch, _SLICE_SECONDS))
            heard = time.monotonic() if raw else heard
            if time.monotonic() - heard > _SILENCE_SECONDS:
                raise self._watch.failed(f"no message for {_SILENCE_SECONDS:g} s")
            if found := self._of_interest(raw, left):
                yield found
        await self._call(lambda consumer: consumer.unassign())

    def _of_interest(self, raw: Sequence[Any], left: dict[int, Span]) -> list[Message]:
        """The messages within their stretches; a stretch whose end was reached is done."""
        found = []
        for each in raw:
            error, span = each.error(), left.get(each.partition())
            if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  # so it is named
                raise self._watch.failed(error)
            if span is None:
                continue
            if error is None and each.offset() < span.end:
                found.append(message_of(each))
            if error is not None or each.offset() + 1 >= span.end:  # an offset may have no message behind it
                del left[each.partition()]
        return found

    def _spans(self, consumer: Any) -> dict[int, Span]:
        known = consumer.list_topics(self._topic, timeout=_ANSWER_SECONDS).topics[self._topic].partitions
        found = {}
        for partition in known:
            low, high = consumer.get_watermark_offsets(TopicPartition(self._topic, partition), timeout=_ANSWER_SECONDS)
            found[partition] = Span(low, high)
        return found

    def _since(self, consumer: Any, spans: Mapping[int, Span], moment: float) -> dict[int, int]:
        asked = [TopicPartition(self._topic, partition, round(moment * 1000)) for partition in spans]
        found = consumer.offsets_for_times(asked, timeout=_ANSWER_SECONDS)
        return {part.partition: part.offset if part.offset >= 0 else spans[part.partition].end for part in found}

    def _committed(self, consumer: Any, spans: Mapping[int, Span]) -> dict[int, int | None]:
        asked = [TopicPartition(self._topic, partition) for partition in spans]
        found = consumer.committed(asked, timeout=_ANSWER_SECONDS)
        return {part.partition: None if part.offset == OFFSET_INVALID else part.offset for part in found}

    def _assign(self, consumer: Any, spans: Mapping[int, Span]) -> None:
        consumer.assign([TopicPartition(self._topic, partition, span.first) for partition, span in spans.items()])

    async def _call(self, work: Callable[[Any], Result]) -> Result:
        def on_thread() -> Result:
            if self._made is None:
                self._made = self._watch.open(Consumer, self._options)
            try:
                return work(self._made)
            except KafkaException:
                if self._made.assignment() or not self._watch.tries_another_login():
                    raise
            return work(self._made)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, on_thread)
        except (KafkaException, RuntimeError) as error:
            raise self._watch.failed(reason_of(error)) from error


class KafkaResender:
    """Implements the port Resender."""

    def __init__(self, settings: Settings) -> None:
        self._topic = settings.kafka_topic
        self._dlq_topic = settings.kafka_dlq_topic
        self._topics = Topics(settings)
        self._sender = Sender(settings, "dead letters")

    async def close(self) -> None:
        """Let go of the connections."""
        await self._sender.close()

    async def resend(self, letters: Sequence[Message]) -> None:
        await self._topics.ensure()
        await self._send([self._event(letter) for letter in letters])
        await self._send([self._mark(letter) for letter in letters])

    def _event(self, letter: Message) -> Record:
        kept = [(name, value) for name, value in letter.headers if name not in _OUR_HEADERS]
        origin = f"{letter.topic}/{letter.partition}/{letter.offset}".encode()
        return Record(self._topic, letter.key, letter.value, [*kept, ("retried-from", origin)])

    def _mark(self, letter: Message) -> Record:
        headers = [(RETRIED_OFFSET, str(letter.offset).encode())]
        return Record(self._dlq_topic, letter.key, None, headers, letter.partition)

    async def _send(self, records: Sequence[Record]) -> None:
        failures = [outcome for outcome in await self._sender.send(records) if outcome is not None]
        if failures:
            raise self._sender.watch.failed(failures[0])


@asynccontextmanager
async def open_history(settings: Settings, topic: str) -> AsyncIterator[KafkaHistory]:
    """A reader of this topic; opens even while no broker answers."""
    history = KafkaHistory(settings, topic)
    try:
        yield history
    finally:
        await history.close()


@asynccontextmanager
async def open_resender(settings: Settings) -> AsyncIterator[KafkaResender]:
    """The way back; opens even while no broker answers."""
    resender = KafkaResender(settings)
    try:
        yield resender
    finally:
        await resender.close()
