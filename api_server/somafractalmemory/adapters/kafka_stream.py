"""One member of the consumers' group.

All calls of the consumer happen on one thread. It rebalances eagerly: whoever loses one partition loses all and starts
again from what is committed, so a batch is either wholly ours or stale.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from somafractalmemory import telemetry
from somafractalmemory.adapters.kafka_client import (
    NO_TOPIC,
    RdkafkaLog,
    Topics,
    Watch,
    client_options,
    max_message_bytes,
    message_of,
    reason_of,
)
from somafractalmemory.adapters.kafka_deadletters import DeadLetterBox
from somafractalmemory.errors import Unavailable
from somafractalmemory.ports import Message
from somafractalmemory.settings import Settings

log = structlog.get_logger(__name__)
Result = TypeVar("Result")

_PING_SECONDS = 1.2
_LAG_EVERY_SECONDS = 5.0
_HOLD_SLICE_SECONDS = 0.25
_CLOSE_SECONDS = 10.0


class KafkaStream:
    """One member of the group; all calls of the consumer happen on one thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._watch, self._pings = Watch(settings, "stream"), Watch(settings, "ping")
        self._topics = Topics(settings)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kafka-stream")
        self._dead = DeadLetterBox(settings, self._topics, self._watch)
        self._consumer: Any = None
        self._asker: Any = None  # on the consumer's own connection a question waits behind its long fetches
        self._generation = 0  # rises when partitions are taken from us
        self._taken_in = 0
        self._holding = False
        self._spilled: list[Any] = []  # came while a batch was waiting
        self._lag_due = 0.0

    async def close(self) -> None:
        """Leave the group, so that others need not wait for our session to end."""
        await self._dead.close()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._call(self._leave)
        except TimeoutError:
            log.warning("group_not_left", hint="the brokers notice within the session's 10 s")
        self._thread.shutdown(wait=False)

    async def ping(self) -> None:
        if self._consumer is None:
            await self._topics.ensure()
            return
        if self._asker is None:
            options: dict[str, Any] = {**client_options(self._settings), "log_level": 0}  # nobody polls it for its log
            self._asker = self._pings.open(AdminClient, options)
        try:
            await asyncio.to_thread(self._asker.list_topics, self._settings.kafka_topic, _PING_SECONDS)
        except (KafkaException, RuntimeError) as error:
            self._pings.tries_another_login()
            raise self._watch.failed(reason_of(error)) from error

    async def take(self, limit: int, timeout_seconds: float) -> Sequence[Message]:
        try:
            await self._topics.ensure()
        except Unavailable as error:
            self._watch.failed(error)
            raise
        return await self._call(lambda: self._take(limit, timeout_seconds))

    async def hold(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        await self._call(lambda: self._pause(on=True))
        try:
            while (left := deadline - time.monotonic()) > 0 and self._is_ours():
                await self._call(partial(self._wait, min(left, _HOLD_SLICE_SECONDS)))
        finally:
            await self._call(lambda: self._pause(on=False))
        return self._is_ours()

    async def commit(self, messages: Sequence[Message]) -> None:
        await self._call(lambda: self._commit(messages))

    async def set_aside(self, message: Message, reason: str, error: str) -> None:
        await self._dead.send(message, reason, error)

    async def _call(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _is_ours(self) -> bool:
        return self._taken_in == self._generation

    # Below: on the consumer's thread.

    def _take(self, limit: int, timeout_seconds: float) -> Sequence[Message]:
        try:
            found = self._read(limit, timeout_seconds)
        except (KafkaException, RuntimeError) as error:
            self._leave()
            raise self._watch.failed(reason_of(error)) from error
        self._watch.turn()
        self._taken_in = self._generation
        if found:
            self._watch.answered()
        elif self._watch.away:
            self._ask()
        self._show_lag()
        return found

    def _read(self, limit: int, timeout_seconds: float) -> Sequence[Message]:
        consumer = self._joined()
        spilled, self._spilled = self._spilled, []
        raw = spilled or consumer.consume(1, timeout_seconds)
        if raw and len(raw) < limit:
            raw += consumer.consume(limit - len(raw), 0)
        ours = {(part.topic, part.partition) for part in consumer.assignment()}
        good = [message for message in raw if self._is_good(message)]
        return [message_of(message) for message in good if (message.topic(), message.partition()) in ours]

    def _joined(self) -> Any:
        if self._consumer is not None and self._watch.fatal:
            self._leave()
        if self._consumer is None:
            self._consumer = self._watch.open(Consumer, self._options())
            self._consumer.subscribe(
                [self._settings.kafka_topic],
                on_assign=self._on_assign,
                on_revoke=self._on_revoke,
                on_lost=self._on_revoke,
            )
        return self._consumer

    def _options(self) -> dict[str, Any]:
        return {
            **client_options(self._settings),
            "group.id": self._settings.kafka_group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "partition.assignment.strategy": "roundrobin",
            "session.timeout.ms": 10_000,
            "fetch.min.bytes": 8192,  # many small answers would cost the brokers and us more than the short wait
            "fetch.wait.max.ms": 100,
            "fetch.message.max.bytes": max_message_bytes(self._settings),
            "queued.max.messages.kbytes": 32 * 1024,
            "logger": RdkafkaLog(),
        }

    def _is_good(self, message: Any) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.code() in NO_TOPIC:
            self._topics.known = False  # lost with the broker's volume: made again before the next look
        elif error.fatal():
            self._watch.fatal = str(error)
        log.warning("stream_error", error=str(error), bootstrap=self._watch.address)
        return False

    def _ask(self) -> None:
        """After the brokers went away: are they back? Raises Unavailable."""
        try:
            self._consumer.list_topics(self._settings.kafka_topic, timeout=_PING_SECONDS)
        except KafkaException as error:
            raise self._watch.failed(reason_of(error)) from error
        self._topics.known = False
        self._watch.answered()

    def _wait(self, seconds: float) -> None:
        try:
            self._spilled += [message for message in self._joined().consume(1, seconds) if self._is_good(message)]
            self._watch.turn()
        except (KafkaException, RuntimeError) as error:
            log.warning("stream_error", error=str(error), bootstrap=self._watch.address)

    def _pause(self, *, on: bool) -> None:
        self._holding = on
        if self._consumer is not None and (assigned := self._consumer.assignment()):
            (self._consumer.pause if on else self._consumer.resume)(assigned)

    def _commit(self, messages: Sequence[Message]) -> None:
        if not messages or not self._is_ours():
            return  # whoever owns the partitions now sees these again, which changes nothing
        ends: dict[tuple[str, int], int] = {}
        for message in messages:
            place = (message.topic, message.partition)
            ends[place] = max(ends.get(place, 0), message.offset + 1)
        offsets = [TopicPartition(topic, partition, end) for (topic, partition), end in ends.items()]
        if self._watch.away:
            self._ask()  # a commit without brokers takes the whole session's time to fail
        try:
            done = self._joined().commit(offsets=offsets, asynchronous=False)
        except (KafkaException, RuntimeError) as error:
            raise self._watch.failed(reason_of(error)) from error
        if refused := [part.error for part in done or () if part.error is not None]:
            raise self._watch.failed(refused[0])

    def _on_assign(self, consumer: Any, parts: Sequence[Any]) -> None:
        log.info("partitions_assigned", partitions=[part.partition for part in parts])
        consumer.assign(parts)
        if self._holding and parts:
            consumer.pause(parts)

    def _on_revoke(self, _consumer: Any, parts: Sequence[Any]) -> None:
        self._generation += 1
        self._spilled = []
        log.info("partitions_revoked", partitions=[part.partition for part in parts])
        for part in parts:
            _forget_lag(part)

    def _show_lag(self) -> None:
        if self._consumer is None or time.monotonic() < self._lag_due:
            return
        self._lag_due = time.monotonic() + _LAG_EVERY_SECONDS
        for part in self._consumer.position(self._consumer.assignment()):
            _low, high = self._consumer.get_watermark_offsets(part, cached=True)
            if high >= 0:
                telemetry.CONSUMER_LAG.labels(part.topic, part.partition).set(max(high - max(part.offset, 0), 0))

    def _leave(self) -> None:
        consumer, self._consumer = self._consumer, None
        self._generation += 1
        self._spilled = []
        if consumer is not None:
            consumer.close()


def _forget_lag(part: Any) -> None:
    try:
        telemetry.CONSUMER_LAG.remove(part.topic, part.partition)
    except KeyError:
        return  # it was never shown
