"""Events that could not be applied: listing them, and sending them on their way again."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from somafractalmemory.ports import Message
from somafractalmemory.ports.history import RETRIED_OFFSET, History, Resender

_BATCH = 100


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that was set aside."""

    message: Message
    retried: bool

    @property
    def retriable(self) -> bool:
        """One that was too large was set aside without its value."""
        return self.message.value is not None

    def header(self, name: str) -> str | None:
        """A header as text; the last one of this name."""
        values = [value for key, value in self.message.headers if key == name]
        return values[-1].decode(errors="replace") if values else None

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        message = self.message
        moment = message.timestamp
        return {
            "partition": message.partition,
            "offset": message.offset,
            "set_aside_at": None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(),
            "reason": self.header("reason"),
            "error": self.header("error"),
            "original_topic": self.header("original-topic"),
            "original_partition": self.header("original-partition"),
            "original_offset": self.header("original-offset"),
            "key": None if message.key is None else message.key.decode(errors="replace"),
            "bytes": len(message.value or b""),
            "retried": self.retried,
        }


@dataclass(slots=True)
class Retried:
    """What became of letters: those without a value stay as they are."""

    found: int = 0
    retried: int = 0
    without_value: int = 0


class DeadLetters:
    """The dead letter topic. Letters stay there until Kafka's own retention ends them."""

    def __init__(self, *, history: History, resender: Resender) -> None:
        self._history = history
        self._resender = resender

    async def list(self, *, limit: int, pending: bool = False) -> Sequence[Letter]:
        """The newest letters, oldest first; with `pending` only those that were not retried. Raises Unavailable."""
        newest: list[Letter] = []
        async for letter in self._letters(None, None, pending=pending):
            newest.append(letter)
            if len(newest) >= 2 * limit:
                newest = sorted(newest, key=_age)[-limit:]
        return sorted(newest, key=_age)[-limit:]

    async def retry(
        self,
        *,
        partition: int | None = None,
        offset: int | None = None,
        progress: Callable[[Retried], None] = lambda _: None,
    ) -> Retried:
        """Publish letters as events again: all that were not retried yet, or the one at this place in any case.

        Raises Unavailable: a letter is marked only after its event is safely published, so what was not marked is
        still pending; one that was published without a mark is published again, which changes nothing.
        """
        done, going = Retried(), list[Message]()
        async for letter in self._letters(partition, offset, pending=offset is None):
            done.found += 1
            if letter.retriable:
                going.append(letter.message)
            else:
                done.without_value += 1
            if len(going) == _BATCH:
                await self._send(going, done)
                going = []
                progress(done)
        await self._send(going, done)
        progress(done)
        return done

    async def _send(self, going: Sequence[Message], done: Retried) -> None:
        if going:
            await self._resender.resend(going)
            done.retried += len(going)

    async def _letters(self, partition: int | None, offset: int | None, *, pending: bool) -> AsyncIterator[Letter]:
        """Reads the topic twice, because a letter's mark lies behind it and the whole may not fit into memory."""
        spans = await self._history.spans()
        marked = set()
        async for batch in self._history.read(spans):
            marked |= {(message.partition, mark) for message in batch if (mark := _marked(message)) is not None}
        async for batch in self._history.read(spans):
            for message in batch:
                letter = Letter(message, (message.partition, message.offset) in marked)
                asked_for = partition in {None, message.partition} and offset in {None, message.offset}
                if asked_for and _marked(message) is None and not (pending and letter.retried):
                    yield letter


def _age(letter: Letter) -> tuple[float, int, int]:
    return letter.message.timestamp or 0.0, letter.message.partition, letter.message.offset


def _marked(message: Message) -> int | None:
    for name, value in message.headers:
        if name == RETRIED_OFFSET:
            return int(value)
    return None
