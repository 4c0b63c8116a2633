"""The index in a folder, by Qdrant's engine in this process: for one process, without a server.

Writes are conditional, tombstones are points without vectors, and one marker point says whether a rebuild has
finished, all as in `qdrant`. A write returns once the engine has it in its log on disk. The folder can be deleted
while nobody uses it: the next start fills a new one from Postgres.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import qdrant_edge as engine

from somafractalmemory.adapters.qdrant_wire import MARKER_ID, kind
from somafractalmemory.errors import ConfigurationError, Unavailable
from somafractalmemory.model import Embedding, Hit, Point, facets
from somafractalmemory.ports import Search
from somafractalmemory.ports.states import State

Answer = TypeVar("Answer")
_DENSE, _SPARSE = "dense", "bm25"
_VERSION = engine.PayloadSelector.Include(["version"])
_MARKER = str(MARKER_ID)


@asynccontextmanager
async def open_vector_file(folder: Path, *, dimensions: int) -> AsyncIterator["FileVectors"]:
    """The index in `folder`, made when it is missing. Raises ConfigurationError when it cannot be used."""
    lock = await asyncio.to_thread(_only_user_of, folder)
    try:
        shard = await asyncio.to_thread(_opened, folder / "shard", dimensions)
        try:
            yield await asyncio.to_thread(FileVectors, shard)
        finally:
            await asyncio.to_thread(_closed, shard)
    finally:
        os.close(lock)


class FileVectors:
    """Implements the port Vectors. The engine works in threads, one write at a time."""

    def __init__(self, shard: Any) -> None:
        self._shard = shard
        self._writing = asyncio.Lock()
        self._marker = _marker(shard)
        self._complete = bool(self._marker.get("complete"))
        self.states = FileStates(self)

    async def ping(self) -> None:
        await self.read(lambda shard: shard.info())

    async def upsert(self, points: Sequence[Point]) -> None:
        ordered = sorted(points, key=lambda point: point.version)
        await self.write(
            [
                engine.UpdateOperation.upsert_points([_encoded(point) for point in group], condition=_older(version))
                for version, group in groupby(ordered, key=lambda point: point.version)
            ]
        )

    async def query(self, embedding: Embedding, search: Search, *, hybrid: bool) -> Sequence[Hit]:
        if not self._complete:
            raise Unavailable("qdrant", "it is being filled again")
        dense = await self._list(embedding.dense, _DENSE, search)
        sparse = await self._list(_terms(embedding), _SPARSE, search) if hybrid else {}
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
        asked = vector.tolist() if using == _DENSE else vector
        request = engine.QueryRequest(
            limit=search.limit,
            query=engine.Query.Nearest(asked, using=using),
            with_payload=_VERSION,
            filter=_filter(search),
        )
        found = await self.read(lambda shard: shard.query(request))
        return {str(point.id): point for point in found if point.score > 0.0}

    async def is_complete(self) -> bool:
        return self._complete

    async def mark_complete(self) -> None:
        await self.write([engine.UpdateOperation.set_payload([_MARKER], {"complete": True})])
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
                must=None if namespace is None else [_equals("namespace", namespace)],
                must_not=[engine.HasIdCondition({_MARKER})],
            ),
            with_payload=True,
            with_vector=False,
        )
        found, _ = await self._vectors.read(lambda shard: shard.scroll(request))
        return [state for state in map(_state, found) if state.id != after][:limit]

    async def look(self, ids: Sequence[UUID]) -> Sequence[State]:
        wanted = [str(place) for place in ids]
        found = await self._vectors.read(lambda shard: shard.retrieve(wanted, with_payload=True, with_vector=False))
        return [_state(record) for record in found]

    async def drop(self, seen: Sequence[State]) -> None:
        conditions: list[Any] = [
            engine.Filter(must=[engine.HasIdCondition({str(state.id)}), _equals("version", state.version)])
            for state in seen
        ]
        if conditions:
            gone = engine.Filter(should=conditions)
            await self._vectors.write([engine.UpdateOperation.delete_points_by_filter(gone)])


def _only_user_of(folder: Path) -> int:
    """An open file that is locked as long as it is open."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigurationError(f"QDRANT_PATH: {folder} cannot be written ({error.strerror}); correct it") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise ConfigurationError(
            f"QDRANT_PATH: another process uses {folder}; end it, name another folder, or use a Qdrant server"
        ) from None
    return lock


def _opened(folder: Path, dimensions: int) -> Any:
    if folder.exists():
        try:
            return engine.EdgeShard.load(str(folder))
        except Exception as error:
            raise ConfigurationError(
                f"QDRANT_PATH: {folder} holds no index that can be read ({error}); delete it, it is filled again"
            ) from None
    folder.mkdir()
    config = engine.EdgeConfig(
        vectors={_DENSE: engine.EdgeVectorParams(size=dimensions, distance=engine.Distance.Cosine)},
        sparse_vectors={_SPARSE: engine.EdgeSparseVectorParams(modifier=engine.Modifier.Idf)},
    )
    shard = engine.EdgeShard.create(str(folder), config)
    shard.update(engine.UpdateOperation.create_field_index("namespace", engine.PayloadSchemaType.Keyword))
    for field in ("facets", "version", "deleted_at"):
        shard.update(engine.UpdateOperation.create_field_index(field, engine.PayloadSchemaType.Integer))
    marker = engine.Point(_MARKER, {}, {"version": 1, "birth": str(uuid4())})
    shard.update(engine.UpdateOperation.upsert_points([marker]))
    return shard


def _marker(shard: Any) -> dict[str, Any]:
    return dict(shard.retrieve([_MARKER], with_payload=True, with_vector=False)[0].payload)


def _closed(shard: Any) -> None:
    shard.flush()
    shard.close()


def _encoded(point: Point) -> Any:
    payload: dict[str, Any] = {"namespace": point.namespace, "version": point.version}
    if point.deleted_at is not None:
        return engine.Point(str(point.id), {}, payload | {"deleted_at": point.deleted_at})
    vector: dict[str, Any] = {}
    if point.embedding is not None:
        if point.embedding.dense is not None:
            vector[_DENSE] = point.embedding.dense.tolist()
        if terms := _terms(point.embedding):
            vector[_SPARSE] = terms
    return engine.Point(str(point.id), vector, payload | {"facets": [kind(point.memory_type), *point.facets]})


def _terms(embedding: Embedding) -> Any | None:
    sparse = embedding.sparse
    return engine.SparseVector(sparse.indices, sparse.values) if sparse.indices else None


def _older(version: int) -> Any:
    return engine.Filter(must=[engine.FieldCondition("version", range=engine.RangeFloat(lt=version))])


def _equals(field: str, value: Any) -> Any:
    return engine.FieldCondition(field, match=engine.MatchValue(value))


def _filter(search: Search) -> Any:
    must = [_equals("namespace", search.namespace)]
    if search.memory_type is not None:
        must.append(_equals("facets", kind(search.memory_type.value)))
    return engine.Filter(must=must + [_equals("facets", each) for each in facets(search.filters)])


def _state(record: Any) -> State:
    payload = record.payload
    return State(UUID(str(record.id)), payload["namespace"], payload["version"], deleted="deleted_at" in payload)
