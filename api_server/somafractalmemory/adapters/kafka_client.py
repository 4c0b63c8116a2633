"""What publisher and stream share: librdkafka's settings, its log and the topics."""

import asyncio
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from somafractalmemory.adapters.kafka_login import Login
from somafractalmemory.errors import Unavailable
from somafractalmemory.ports import Message
from somafractalmemory.settings import Settings
from somafractalmemory.settings.clients import kafka_security

log = structlog.get_logger(__name__)
_LIBRARY_LOG = structlog.get_logger("librdkafka")

_ANSWER_SECONDS = 3.0
_CREATION_SECONDS = 15.0
_TURN_SECONDS = 1.0
"""For how long refusals may still be about the login before: attempts that were under way when it changed."""
_MIB = 1 << 20
_AWAY = {KafkaError._ALL_BROKERS_DOWN, KafkaError._AUTHENTICATION, KafkaError._SSL}  # noqa: SLF001  # so they are named
NO_TOPIC = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC}  # noqa: SLF001


class RdkafkaLog:
    """librdkafka's own log among ours. A broker that is away makes it repeat itself many times a second."""

    def __init__(self, every_seconds: float = 60.0) -> None:
        self._every_seconds = every_seconds
        self._due: dict[str, float] = {}

    def log(self, level: int, _format: str, *words: str) -> None:
        """Called by confluent_kafka as a standard logger is, on whichever thread polls."""
        said = " ".join(words)
        kind, now = re.sub(r"\d+", "", said), time.monotonic()
        if now < self._due.get(kind, 0.0):
            return
        if len(self._due) > 1000:
            self._due.clear()
        self._due[kind] = now + self._every_seconds
        _LIBRARY_LOG.log(level, "librdkafka", said=said)


class Watch:
    """Says once that the brokers are away, with their address, and once that they are back."""

    def __init__(self, settings: Settings, who: str) -> None:
        self.address = settings.kafka_bootstrap_servers or "(no KAFKA_BOOTSTRAP_SERVERS)"
        self.fatal: str | None = None
        self.away = False
        self._who = who
        self._login = Login(settings)
        self._client: Any = None
        self._refused = self._turned = 0  # since a login was taken
        self._turn_due = 0.0
        self._turning = threading.Lock()  # a sender is looked at by two threads

    def open(self, kind: Callable[[dict[str, Any]], Any], options: dict[str, Any]) -> Any:
        """A client of confluent_kafka, and from now on the one that this is about."""
        self.fatal = None
        self._client = kind({**options, **self._login.options(), "error_cb": self.on_error})
        return self._client

    def turn(self) -> bool:
        """After each look at a client: show another login if one was refused; whether that is so.

        It is told by a callback, in which the client itself may not be used.
        """
        with self._turning:
            is_refused, self._turned = self._refused > self._turned, self._refused
            now = time.monotonic()
            if not is_refused or now < self._turn_due:
                return False
            self._turn_due = now + _TURN_SECONDS
            return self._login.refused(self._client)

    def tries_another_login(self) -> bool:
        """After a question that failed, when nothing but `poll` serves callbacks: whether it was for the login."""
        while self._client.poll(0):
            pass
        return self.turn()

    def on_error(self, error: Any) -> None:
        """librdkafka's callback for errors that belong to no message."""
        if error.fatal():
            self.fatal = str(error)
            log.error("kafka_client_broken", client=self._who, error=str(error), hint="a new one takes its place")
        elif error.code() in _AWAY:
            is_refused = error.code() == KafkaError._AUTHENTICATION  # noqa: SLF001
            self._refused += is_refused
            if not is_refused or self._refused >= self._login.choices:
                self.failed(error)

    def failed(self, error: object) -> Unavailable:
        """Note that the brokers did not do it; the error to raise."""
        if not self.away:
            log.warning("kafka_away", client=self._who, bootstrap=self.address, error=str(error))
        self.away = True
        return Unavailable("kafka", f"{self.address}: {error}")

    def answered(self) -> None:
        """Note that the brokers are there."""
        if self.away:
            log.info("kafka_back", client=self._who, bootstrap=self.address)
        self.away, self._refused, self._turned = False, 0, 0
        self._login.accepted()


def client_options(settings: Settings) -> dict[str, Any]:
    """Options of every client; secrets go to librdkafka only."""
    return {
        "bootstrap.servers": settings.kafka_bootstrap_servers or "",
        "client.id": "somamemory",
        "socket.timeout.ms": 10_000,
        "socket.keepalive.enable": True,
        "socket.connection.setup.timeout.ms": 5_000,
        "reconnect.backoff.ms": 100,
        "reconnect.backoff.max.ms": 2_000,
        "topic.metadata.refresh.interval.ms": 10_000,
        "enable.metrics.push": False,
        **kafka_security(settings),
    }


async def ensure_topics(settings: Settings) -> None:
    """Create the topics that are missing; doing it again changes nothing. Raises Unavailable."""
    await asyncio.to_thread(_ensure_topics, settings)


def _ensure_topics(settings: Settings) -> None:
    watch = Watch(settings, "topics")
    admin = watch.open(AdminClient, {**client_options(settings), "log_level": 0})  # its errors come as exceptions
    try:
        known = _known_topics(admin, watch)
        missing = [topic for topic in _topics(settings) if topic.topic not in known]
        if missing:
            for name, made in admin.create_topics(missing, request_timeout=_CREATION_SECONDS).items():
                _created(name, made)
    except (KafkaException, TimeoutError) as error:
        raise Unavailable("kafka", f"{watch.address}: {reason_of(error)}") from error


def _known_topics(admin: Any, watch: Watch) -> Any:
    try:
        return admin.list_topics(timeout=_ANSWER_SECONDS).topics
    except KafkaException:
        if not watch.tries_another_login():
            raise
    return admin.list_topics(timeout=_ANSWER_SECONDS).topics


def _created(name: str, made: Any) -> None:
    try:
        made.result(timeout=_CREATION_SECONDS)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
    else:
        log.info("topic_created", topic=name)


def _topics(settings: Settings) -> list[Any]:
    common = {"max.message.bytes": str(max_message_bytes(settings))}
    if settings.kafka_replication >= 3:
        common["min.insync.replicas"] = str(settings.kafka_replication - 1)
    return [
        NewTopic(
            name,
            num_partitions=settings.kafka_partitions,
            replication_factor=settings.kafka_replication,
            config=common,
        )
        for name in (settings.kafka_topic, settings.kafka_dlq_topic)
    ]


def max_message_bytes(settings: Settings) -> int:
    """Room for the largest payload that the API takes, serialised again, within what brokers take per request."""
    body = settings.max_body_bytes
    return min(max(2 * body, _MIB) + 64 * 1024, 64 * _MIB) if body else 64 * _MIB


class Topics:
    """Remembers that the topics are there, until somebody has reason to doubt it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = asyncio.Lock()
        self.known = False

    async def ensure(self) -> None:
        """Raises Unavailable."""
        if self.known:
            return
        async with self._lock:
            if not self.known:
                await ensure_topics(self._settings)
                self.known = True


def reason_of(error: BaseException) -> Any:
    """The KafkaError inside an exception, or the exception."""
    return error.args[0] if isinstance(error, KafkaException) and error.args else error


def message_of(message: Any) -> Message:
    """librdkafka's message as ours."""
    kind, milliseconds = message.timestamp()
    return Message(
        message.value(),
        message.key(),
        message.topic(),
        message.partition(),
        message.offset(),
        tuple((name, value or b"") for name, value in message.headers() or ()),
        milliseconds / 1000 if kind else None,
    )
