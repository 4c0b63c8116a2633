"""Where messages go that cannot be applied: with headers that say why, and where they came from."""

from dataclasses import replace

from somafractalmemory.adapters.kafka_client import Topics, Watch
from somafractalmemory.adapters.kafka_sender import Record, Sender, is_too_large
from somafractalmemory.ports import Message
from somafractalmemory.settings import Settings

_MAX_HEADER = 1000


class DeadLetterBox:
    """The dead letter topic; its producer is made for the first letter, as there may never be one."""

    def __init__(self, settings: Settings, topics: Topics, watch: Watch) -> None:
        self._settings = settings
        self._topics = topics
        self._watch = watch
        self._sender: Sender | None = None

    async def close(self) -> None:
        """Let go of the producer."""
        if self._sender is not None:
            await self._sender.close()

    async def send(self, message: Message, reason: str, error: str) -> None:
        """Publish a message there, without its value if that is too large for the topic. Raises Unavailable."""
        await self._topics.ensure()
        if self._sender is None:
            self._sender = Sender(self._settings, "dead letters")
        headers = {
            "reason": reason,
            "error": error[:_MAX_HEADER],
            "original-topic": message.topic,
            "original-partition": str(message.partition),
            "original-offset": str(message.offset),
        }
        kept = [(name, value) for name, value in message.headers if name not in headers]
        encoded = [*kept, *((name, value.encode()) for name, value in headers.items())]
        record = Record(self._settings.kafka_dlq_topic, message.key, message.value, encoded)
        outcome = (await self._sender.send([record]))[0]
        if is_too_large(outcome):
            outcome = (await self._sender.send([replace(record, value=None)]))[0]
        if outcome is not None:
            self._topics.known = False
            raise self._watch.failed(outcome)
