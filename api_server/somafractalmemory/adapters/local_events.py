"""A topic in this process, with a publisher and a group's member on it: for tests of what talks over Kafka."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from somafractalmemory.errors import Unavailable
from somafractalmemory.model.events import MemoryEvent
from somafractalmemory.ports import Message
from somafractalmemory.ports.history import RETRIED_OFFSET, Span

_NOTHING_SECONDS = 0.005  # a test need not wait as long as a consumer may


class LocalTopic:
    """One partition, one group, and what was set aside with reason and error."""

    def __init__(self, name: str = "memory.events") -> None:
        self.name = name
        self.messages: list[Message] = []
        self.committed = 0
        self.dead: list[tuple[Message, str, str]] = []
        self.away = False

    def add(
        self,
        value: bytes | None,
        key: bytes | None = None,
        *,
        headers: Sequence[tuple[str, bytes]] = (),
        timestamp: float | None = None,
    ) -> None:
        """Put a message there, whatever it is."""
        self.messages.append(Message(value, key, self.name, 0, len(self.messages), tuple(headers), timestamp))

    def check(self) -> None:
        """Raises Unavailable while a test has taken the topic away."""
        if self.away:
            raise Unavailable("kafka", "switched off")


class LocalPublisher:
    """Puts events on a topic."""

    def __init__(self, topic: LocalTopic, *, model_revision: str | None = None) -> None:
        self._topic = topic
        self._model_revision = model_revision

    async def ping(self) -> None:
        self._topic.check()

    async def publish(self, events: Sequence[MemoryEvent]) -> Sequence[bool]:
        self._topic.check()
        for event in events:
            self._topic.add(event.encoded(self._model_revision), str(event.id).encode())
        return [True] * len(events)


class LocalStream:
    """Reads a topic from where its group is."""

    def __init__(self, topic: LocalTopic) -> None:
        self._topic = topic
        self._position = topic.committed

    async def ping(self) -> None:
        self._topic.check()

    async def take(self, limit: int, timeout_seconds: float) -> Sequence[Message]:
        self._topic.check()
        taken = [replace(message) for message in self._topic.messages[self._position : self._position + limit]]
        self._position += len(taken)
        if not taken:
            await asyncio.sleep(min(timeout_seconds, _NOTHING_SECONDS))
        return taken

    async def hold(self, seconds: float) -> bool:
        await asyncio.sleep(seconds)
        return True  # nobody here could take a partition away

    async def commit(self, messages: Sequence[Message]) -> None:
        self._topic.check()
        self._topic.committed = max([self._topic.committed, *(message.offset + 1 for message in messages)])

    async def set_aside(self, message: Message, reason: str, error: str) -> None:
        self._topic.check()
        self._topic.dead.append((message, reason, error))


class LocalHistory:
    """Implements the port History on a topic in this process."""

    def __init__(self, topic: LocalTopic) -> None:
        self._topic = topic

    async def spans(self) -> Mapping[int, Span]:
        self._topic.check()
        return {0: Span(0, len(self._topic.messages))}

    async def since(self, moment: float) -> Mapping[int, int]:
        self._topic.check()
        younger = (message.offset for message in self._topic.messages if (message.timestamp or 0.0) >= moment)
        return {0: next(younger, len(self._topic.messages))}

    async def committed(self) -> Mapping[int, int | None]:
        self._topic.check()
        return {0: self._topic.committed or None}

    async def read(self, spans: Mapping[int, Span], batch: int = 500) -> AsyncIterator[Sequence[Message]]:
        for span in spans.values():
            for at in range(span.first, span.end, batch):
                self._topic.check()
                yield self._topic.messages[at : min(at + batch, span.end)]


class LocalResender:
    """Implements the port Resender on two topics in this process."""

    def __init__(self, *, events: LocalTopic, letters: LocalTopic) -> None:
        self._events = events
        self._letters = letters

    async def resend(self, letters: Sequence[Message]) -> None:
        self._events.check()
        for letter in letters:
            origin = f"{letter.topic}/{letter.partition}/{letter.offset}".encode()
            self._events.add(letter.value, letter.key, headers=[("retried-from", origin)])
        self._letters.check()
        for letter in letters:
            self._letters.add(None, letter.key, headers=[(RETRIED_OFFSET, str(letter.offset).encode())])
