"""A stream of memories, committed in batches; what is wrong is left out and told, what is right is kept."""

import asyncio
from collections.abc import AsyncIterator

from somafractalmemory import memory_pb2 as pb
from somafractalmemory.errors import InvalidRequest, Rejected, Unavailable
from somafractalmemory.grpcface import reading
from somafractalmemory.model import new_memory
from somafractalmemory.service import MemoryService

BATCH_ITEMS = 500
BATCH_BYTES = 4 * 1024 * 1024
IDLE_SECONDS = 60.0
"""The longest pause between two memories."""
_TOLD = 100


class Intake:
    """One stream. Nothing more is read while a batch is committed, so a fast sender waits."""

    def __init__(self, service: MemoryService, namespace: str) -> None:
        self._service = service
        self._namespace = namespace
        self._batch: list[tuple[int, reading.Item]] = []
        self._bytes = 0
        self._summary = pb.StoreSummary(indexed=True)

    async def take(self, requests: AsyncIterator[pb.StoreRequest]) -> pb.StoreSummary:
        """Read to the end. Raises Unavailable (which tells how many were taken before), TimeoutError."""
        stream = aiter(requests)
        try:
            while (request := await _next(stream)) is not None:
                self._add(request)
                if len(self._batch) >= BATCH_ITEMS or self._bytes >= BATCH_BYTES:
                    await self._commit()
            await self._commit()
        except Unavailable as error:
            taken = self._summary.received - len(self._batch)
            again = error.retry_after_seconds or 2.0
            raise Unavailable(
                error.component, f"{error}; the first {taken} items were taken", retry_after_seconds=again
            ) from error
        return self._summary

    def _add(self, request: pb.StoreRequest) -> None:
        number = self._summary.received
        self._summary.received += 1
        try:
            self._batch.append((number, self._checked(request)))
            self._bytes += len(request.memory.payload_json)
        except InvalidRequest as error:
            self._fail(number, error)

    def _checked(self, request: pb.StoreRequest) -> reading.Item:
        """One by one, because a batch is refused as a whole. Raises InvalidRequest."""
        if request.HasField("expected_version"):
            raise InvalidRequest("expected_version: a stream does not compare versions; use Store")
        coordinate, payload, memory_type = item = reading.item(request.memory)
        new_memory(namespace=self._namespace, coordinate=coordinate, payload=payload, memory_type=memory_type, now=0.0)
        return item

    async def _commit(self) -> None:
        try:
            await self._store(self._batch)
        except Rejected:
            for one in self._batch:
                await self._store_alone(one)
        self._batch, self._bytes = [], 0

    async def _store_alone(self, one: tuple[int, reading.Item]) -> None:
        try:
            await self._store([one])
        except Rejected as error:
            self._fail(one[0], error)

    async def _store(self, batch: list[tuple[int, reading.Item]]) -> None:
        stored, indexed = await self._service.remember_many(
            namespace=self._namespace, items=[item for _, item in batch]
        )
        self._summary.stored += stored
        self._summary.indexed &= indexed

    def _fail(self, number: int, error: Exception) -> None:
        self._summary.failed += 1
        if len(self._summary.errors) < _TOLD:
            self._summary.errors.append(pb.ItemError(number=number, message=str(error)))


async def _next(stream: AsyncIterator[pb.StoreRequest]) -> pb.StoreRequest | None:
    async with asyncio.timeout(IDLE_SECONDS):
        return await anext(stream, None)
