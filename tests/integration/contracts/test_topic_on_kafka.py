"""Publisher and stream over a real broker keep the same contract."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from uuid import uuid4

import pytest

from somafractalmemory.adapters.kafka import KafkaPublisher, KafkaStream, open_publisher, open_stream
from somafractalmemory.settings import Settings, load_settings
from tests.contracts.topic import TopicContract


class OverKafka:
    """Both ends of a topic of its own."""

    def __init__(self, settings: Settings, publisher: KafkaPublisher) -> None:
        self.publisher = publisher
        self._settings = settings

    def open_stream(self) -> AbstractAsyncContextManager[KafkaStream]:
        return open_stream(self._settings)


class TestKafkaTopic(TopicContract):
    """KafkaPublisher and KafkaStream."""

    @pytest.fixture
    async def topic(self, kafka_bootstrap: str) -> AsyncIterator[OverKafka]:
        unique = uuid4().hex[:8]
        settings = load_settings(
            {
                "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
                "KAFKA_MEMORY_EVENTS_TOPIC": f"contract.events.{unique}",
                "KAFKA_MEMORY_DLQ_TOPIC": f"contract.dlq.{unique}",
                "KAFKA_CONSUMER_GROUP": f"contract-{unique}",
                "KAFKA_TOPIC_PARTITIONS": "1",
            }
        )
        async with open_publisher(settings) as publisher:
            yield OverKafka(settings, publisher)
