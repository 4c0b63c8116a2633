"""The index in a folder, by Qdrant's engine in this process: for one process, without a server.

Writes are conditional, tombstones are points without vectors, and one marker point says whether a rebuild has
finished, all as in `qdrant`. A write returns once the engine has it in its log on disk. The folder can be deleted
while nobody uses it: the next start fills a new one from Postgres.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import qdrant_edge as engine

from somafractalmemory.adapters.vector_file_shard import MARKER, closed, marker_of, only_user_of, opened
from somafractalmemory.adapters.vector_file_wire import (
    DENSE,
    SPARSE,
    encoded,
    equals,
    filter_of,
    older,
    state_of,
    terms_of,
)
from somafractalmemory.errors import Unavailable
from somafractalmemory.model import Embedding, Hit, Point
from somafractalmemory.ports import Search
from somafractalmemory.ports.states import State

Answer = TypeVar("Answer")
_VERSION = engine.PayloadSelector.Include(["version"])


@asynccontextmanager
async def open_vector_file(folder: Path, *, dimensions: int) -> AsyncIterator["FileVectors"]:
    """The index in `folder`, made when it is missing. Raises ConfigurationError when it cannot be used."""
    lock = await asyncio.to_thread(only_user_of, folder)
    try:
        shard = await asyncio.to_thread(opened, folder / "shard", dimensions)
        try:
            yield await asyncio.to_thread(FileVectors, shard)
        finally:
            await asyncio.to_thread(closed, shard)
    finally:
        os.close(lock)


class FileVectors:
    """Implements the port Vectors. The engine works in threads, one write at a time."""

    def __init__(self, shard: Any) -> None:
        self._shard = shard
        self._writing = asyncio.Lock()
        self._marker = marker_of(shard)
        self._complete = bool(self._marker.get("complete"))
        self.states = FileStates(self)

    async def ping(self) -> None:
        await self.read(lambda shard: shard.info())

    async def upsert(self, points: Sequence[Point]) -> None:
        ordered = sorted(points, key=lambda point: point.version)
        await self.write(
            [
                engine.UpdateOperation.upsert_points([encoded(point) for point in group], condition=older(version))
                for version, group in groupby(ordered, key=lambda point: point.version)
            ]
        )

    async def query(self, embedding: Embedding, search: Search, *, hybrid: bool) -> Sequence[Hit]:
        if not self._complete:
            raise Unavailable("qdrant", "it is being filled again")
        dense = await self._list(embedding.dense, DENSE, search)
        sparse = await self._list(terms_of(embedding), SPARSE, search) if hybrid else {}
        return [
            Hit(
                UUID(place),
                point.payload["version"],
                dense[place].score if place in dense else 0.0,
                sparse[place].score if place in sparse else 0.0,
            )
            for place, point in (dense | sparse).items()
        ]

    async def _list(self, vector: Any, using: str, search: Search) -> dict[str, Any]:
        """The best of one list by their identifiers."""
        if vector is None:
            return {}
        asked = vector.tolist() if using == DENSE else vector
        request = engine.QueryRequest(
            limit=search.limit,
            query=engine.Query.Nearest(asked, using=using),
            with_payload=_VERSION,
            filter=filter_of(search),
        )
        found = await self.read(lambda shard: shard.query(request))
        return {str(point.id): point for point in found if point.score > 0.0}

    async def is_complete(self) -> bool:
        return self._complete

    async def mark_complete(self) -> None:
        await self.write([engine.UpdateOperation.set_payload([MARKER], {"complete": True})])
        self._complete = True

    async def sweep(self, older_than: float) -> None:
        old = engine.FieldCondition("deleted_at", range=engine.RangeFloat(lt=older_than))
        await self.write([engine.UpdateOperation.delete_points_by_filter(engine.Filter(must=[old]))])

    async def birth(self) -> str:
        """Names this very index."""
        return str(self._marker["birth"])

    async def read(self, ask: Callable[[Any], Answer]) -> Answer:
        """What the engine answers, asked in a thread. Raises Unavailable."""
        try:
            return await asyncio.to_thread(ask, self._shard)
        except Exception as error:
            raise Unavailable("qdrant", f"the index in a file: {error}") from error

    async def write(self, operations: Sequence[Any]) -> None:
        """Carry out operations in order. Raises Unavailable."""

        def work(shard: Any) -> None:
            for operation in operations:
                shard.update(operation)

        async with self._writing:
            await self.read(work)


class FileStates:
    """Implements the port IndexStates."""

    def __init__(self, vectors: FileVectors) -> None:
        self._vectors = vectors

    async def birth(self) -> str:
        return await self._vectors.birth()

    async def scan(self, after: UUID | None, limit: int, *, namespace: str | None = None) -> Sequence[State]:
        request = engine.ScrollRequest(
            offset=str(after) if after else None,
            limit=limit + 1,  # the offset itself is among the answers
            filter=engine.Filter(
                must=None if namespace is None else [equals("namespace", namespace)],
                must_not=[engine.HasIdCondition({MARKER})],
            ),
            with_payload=True,
            with_vector=False,
        )
        found, _ = await self._vectors.read(lambda shard: shard.scroll(request))
        return [state for state in map(state_of, found) if state.id != after][:limit]

    async def look(self, ids: Sequence[UUID]) -> Sequence[State]:
        wanted = [str(place) for place in ids]
        found = await self._vectors.read(lambda shard: shard.retrieve(wanted, with_payload=True, with_vector=False))
        return [state_of(record) for record in found]

    async def drop(self, seen: Sequence[State]) -> None:
        conditions: list[Any] = [
            engine.Filter(must=[engine.HasIdCondition({str(state.id)}), equals("version", state.version)])
            for state in seen
        ]
        if conditions:
            gone = engine.Filter(should=conditions)
            await self._vectors.write([engine.UpdateOperation.delete_points_by_filter(gone)])
