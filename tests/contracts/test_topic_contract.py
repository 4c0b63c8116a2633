"""The topic in this process keeps the contract of publisher and stream."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from somafractalmemory.adapters.local_events import LocalPublisher, LocalStream, LocalTopic
from tests.contracts.topic import TopicContract


class InProcess:
    """Both ends of a LocalTopic."""

    def __init__(self) -> None:
        self._topic = LocalTopic()
        self.publisher = LocalPublisher(self._topic)

    @asynccontextmanager
    async def open_stream(self) -> AsyncIterator[LocalStream]:
        yield LocalStream(self._topic)


class TestLocalTopic(TopicContract):
    """LocalPublisher and LocalStream."""

    @pytest.fixture
    def topic(self) -> InProcess:
        return InProcess()
