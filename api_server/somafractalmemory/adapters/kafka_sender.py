"""Records that are acknowledged by all replicas, each with its own outcome."""

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from somafractalmemory.adapters.kafka_client import RdkafkaLog, Watch, client_options, max_message_bytes, reason_of
from somafractalmemory.settings import Settings

_DELIVERY_SECONDS = 10.0
_PRODUCE_CHUNK = 25  # so that the loop breathes: 25 us each
_LOOK_SECONDS = 0.004
_IDLE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Record:
    """One message to be sent."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    partition: int = -1  # as the key says


class Sender:
    """A producer, whose callbacks are served by whoever waits for them, and in between by a thread of its own.

    Reports come one by one, each with the interpreter's lock taken anew: a thread that waits for them fights the event
    loop for it (measured: an eighth of what a busy service does).
    """

    def __init__(self, settings: Settings, who: str) -> None:
        self.watch = Watch(settings, who)
        self._options = {
            **client_options(settings),
            "acks": "all",
            "enable.idempotence": True,
            "delivery.timeout.ms": round(_DELIVERY_SECONDS * 1000),
            "topic.metadata.propagation.max.ms": 5_000,
            "linger.ms": 5,
            "compression.type": "lz4",
            "partitioner": "murmur2_random",  # Java's, so that other producers agree on a key's partition
            "message.max.bytes": max_message_bytes(settings),
            "queue.buffering.max.kbytes": 128 * 1024,
            "logger": RdkafkaLog(),
        }
        self._stopping = threading.Event()
        self._producer: Any = self.watch.open(Producer, self._options)
        self._thread = threading.Thread(target=self._serve, name=f"kafka-{who}", daemon=True)
        self._thread.start()

    async def send(self, records: Sequence[Record]) -> list[Any]:
        """Hand over in order and wait: None for each record that all replicas have, else its KafkaError.

        Ends within the delivery timeout, whatever the brokers do.
        """
        if self.watch.fatal:
            await self._replace()
        waiting = _Waiting(len(records))
        for at, record in enumerate(records):
            if at % _PRODUCE_CHUNK == _PRODUCE_CHUNK - 1:
                await asyncio.sleep(0)
            try:
                self._producer.produce(
                    record.topic,
                    key=record.key,
                    value=record.value,
                    headers=record.headers,
                    partition=record.partition,
                    on_delivery=waiting.reporter(at),
                )
            except (KafkaException, BufferError) as error:
                waiting.report(at, reason_of(error))
        outcomes = await self._outcomes(waiting)
        failures = [outcome for outcome in outcomes if outcome is not None]
        if not failures:
            self.watch.answered()
        return outcomes

    async def _outcomes(self, waiting: "_Waiting") -> list[Any]:
        deadline = time.monotonic() + _DELIVERY_SECONDS + 5.0
        while waiting.left and time.monotonic() < deadline:
            await asyncio.sleep(_LOOK_SECONDS)
            self._look()
        return list(waiting.all)

    def ask(self, topic: str, seconds: float) -> None:
        """Blocks until a broker has answered. Raises Unavailable."""
        try:
            self._producer.list_topics(topic, timeout=seconds)
        except KafkaException as error:
            raise self.watch.failed(reason_of(error)) from error
        self.watch.answered()

    async def _replace(self) -> None:
        """After a fatal error librdkafka refuses everything; only a new producer helps."""
        broken, self._producer = self._producer, self.watch.open(Producer, self._options)
        await asyncio.to_thread(_discard, broken)

    def _serve(self) -> None:
        while not self._stopping.wait(_IDLE_SECONDS):
            self._look()

    def _look(self) -> None:
        self._producer.poll(0)
        self.watch.turn()

    async def close(self) -> None:
        """Give what is on its way two seconds more."""
        self._stopping.set()
        await asyncio.to_thread(self._thread.join, 5)
        await asyncio.to_thread(self._producer.flush, 2)


class _Waiting:
    """Outcomes of one `send`; two threads may report."""

    def __init__(self, count: int) -> None:
        self.all: list[Any] = ["no answer"] * count
        self.left = count
        self._lock = threading.Lock()

    def reporter(self, at: int) -> Any:
        return lambda error, _message: self.report(at, error)

    def report(self, at: int, error: Any) -> None:
        with self._lock:
            self.all[at] = error
            self.left -= 1


def _discard(producer: Any) -> None:
    producer.purge()
    deadline = time.monotonic() + 2
    while len(producer) and time.monotonic() < deadline:
        producer.poll(0.1)


def is_too_large(outcome: Any) -> bool:
    """Whether a record failed for its size: no repetition helps."""
    return isinstance(outcome, KafkaError) and outcome.code() == KafkaError.MSG_SIZE_TOO_LARGE
