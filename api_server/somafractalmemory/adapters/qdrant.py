"""The index in Qdrant 1.16 or newer, over REST.

Every write is conditional (`update_filter`: only over an older version), so writes may come late, twice and in any
order. A tombstone is a point without vectors: no query finds it, and its version keeps older writes out. One marker
point carries the collection's birth and whether a rebuild has finished on it, so a lost collection tells by itself.

`qdrant-client` makes the collection. Points and queries go as JSON over a transport of our own: the client's models
and its transport would cost more than everything else together (measured: an upsert of 50 points of 768 dimensions
takes 7.3 ms of processor time with them, 1.6 ms so).
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
import structlog
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException

from somafractalmemory.adapters.qdrant_http import KeyAuth, NoCollectionError, Rest, error_of
from somafractalmemory.adapters.qdrant_states import QdrantStates
from somafractalmemory.adapters.qdrant_wire import (
    FIND_MARKER,
    MARKER_ID,
    equals,
    hits_of,
    is_complete,
    new_marker,
    searches_of,
    upserts,
)
from somafractalmemory.errors import Rejected, Unavailable
from somafractalmemory.model import Embedding, Hit, Point
from somafractalmemory.ports import Search
from somafractalmemory.settings.passwords import Password

log = structlog.get_logger(__name__)

OLDEST_SERVER = (1, 16)  # older ones ignore `update_filter` silently, and a late write would win
_SETUP_SECONDS = 15
_INDEXES: dict[str, Any] = {
    "namespace": models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
    "facets": models.IntegerIndexParams(type=models.IntegerIndexType.INTEGER, lookup=True, range=False),
    "version": models.PayloadSchemaType.INTEGER,
    "deleted_at": models.PayloadSchemaType.INTEGER,
}


@asynccontextmanager
async def open_vectors(
    *,
    url: str,
    api_key: Password | str | None,
    collection: str,
    dimensions: int,
    timeout_seconds: float = 2.0,
    verify: ssl.SSLContext | bool = True,
) -> AsyncIterator["QdrantVectors"]:
    """The index at `url`; opens even while nobody answers there. `verify` knows whose certificates count."""
    vectors = QdrantVectors(
        url=url,
        api_key=api_key,
        collection=collection,
        dimensions=dimensions,
        timeout_seconds=timeout_seconds,
        verify=verify,
    )
    try:
        yield vectors
    finally:
        await vectors.close()


class QdrantVectors:
    """One collection, made on first use and again whenever it has vanished."""

    def __init__(
        self,
        *,
        url: str,
        api_key: Password | str | None = None,
        collection: str,
        dimensions: int,
        timeout_seconds: float = 2.0,
        verify: ssl.SSLContext | bool = True,
        max_request_bytes: int = 8 << 20,  # Qdrant takes 32 MiB
    ) -> None:
        key = Password("qdrant", api_key) if isinstance(api_key, str) else api_key
        self._client = AsyncQdrantClient(
            url=url,
            auth=KeyAuth(key) if key else None,  # as `api_key` it warns on every http address, and never changes
            timeout=_SETUP_SECONDS,
            verify=verify,
            check_compatibility=False,  # it asks by a thread, once, and only warns; `_check_release` refuses
        )
        self._rest = Rest(url, api_key=key, timeout_seconds=timeout_seconds, verify=verify)
        self._collection = collection
        self._path = f"/collections/{collection}"
        self._dimensions = dimensions
        self._timeout_seconds = timeout_seconds
        self._max_request_bytes = max_request_bytes
        self._prepared = False
        self._preparing: asyncio.Task[None] | None = None
        self._birth: str | None = None
        self.states = QdrantStates(self._ask, self._present_birth)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._preparing is not None:
            self._preparing.cancel()
            await asyncio.gather(self._preparing, return_exceptions=True)
        await self._rest.close()
        await self._client.close()

    async def ping(self) -> None:
        await self._ask("GET", "")

    async def upsert(self, points: Sequence[Point]) -> None:
        for body in upserts(points, self._max_request_bytes):
            await self._ask("POST", "/points/batch?wait=true", body)

    async def query(self, embedding: Embedding, search: Search, *, hybrid: bool) -> Sequence[Hit]:
        searches = searches_of(embedding, search, hybrid=hybrid)
        if not searches:
            return []
        body = orjson.dumps({"searches": [*searches, FIND_MARKER]}, option=orjson.OPT_SERIALIZE_NUMPY)
        try:
            answers = await self._ask("POST", "/points/query/batch", body)
        except Rejected as error:  # a recall has no item to refuse; the other way to recall may still work
            raise Unavailable("qdrant", f"the query was refused: {error}") from error
        if not is_complete(answers[-1]["points"]):
            raise Unavailable("qdrant", "it was lost and is being filled again from Postgres")
        return hits_of({found["using"]: answer["points"] for found, answer in zip(searches, answers[:-1], strict=True)})

    async def is_complete(self) -> bool:
        marker = await self._marker()
        if marker is None:
            await self._ask("POST", "/points/batch?wait=true", new_marker())
            marker = await self._marker()
        self._birth = marker.get("birth") if marker else None
        return bool(marker and marker.get("complete"))

    async def mark_complete(self) -> None:
        """On the collection that `is_complete` last saw: one that replaced it meanwhile stays incomplete."""
        if self._birth is None:
            await self.is_complete()
        seen = {"must": [{"has_id": [str(MARKER_ID)]}, equals("birth", self._birth)]}
        body = orjson.dumps({"payload": {"complete": True}, "filter": seen})
        await self._ask("POST", "/points/payload?wait=true", body)

    async def sweep(self, older_than: float) -> None:
        old = {"must": [{"key": "deleted_at", "range": {"lt": older_than}}]}
        await self._ask("POST", "/points/delete?wait=true", orjson.dumps({"filter": old}))

    async def _present_birth(self) -> str:
        marker = await self._marker()
        return str(marker["birth"]) if marker else ""

    async def _marker(self) -> dict[str, Any] | None:
        body = orjson.dumps({"ids": [str(MARKER_ID)], "with_payload": True})
        found = await self._ask("POST", "/points", body)
        return found[0]["payload"] if found else None

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        """The result of a request on the collection; a missing one is made, once."""
        await self._ready()
        try:
            return await self._rest.send(method, self._path + path, body)
        except NoCollectionError:
            log.warning("index_vanished", collection=self._path, hint="made again; its content comes from Postgres")
            self._prepared = False
        await self._ready()
        try:
            return await self._rest.send(method, self._path + path, body)
        except NoCollectionError:
            raise Unavailable("qdrant", f"it answers 404 to {method} {self._path}{path.partition('?')[0]}") from None

    async def _ready(self) -> None:
        """Return once the collection is there. All callers share one attempt, and none waits for it too long."""
        if self._prepared:
            return
        if self._preparing is None or self._preparing.done():
            self._preparing = asyncio.create_task(self._prepare(), name="qdrant-prepare")
            self._preparing.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await asyncio.shield(self._preparing)
        except TimeoutError:
            raise Unavailable("qdrant", f"no usable collection within {self._timeout_seconds:g} s") from None
        except NoCollectionError:
            raise Unavailable("qdrant", "it answers 404 while the collection is made: check QDRANT_URL") from None

    async def _prepare(self) -> None:
        self._check_release(await self._rest.send("GET", "/"))
        try:
            info = await self._rest.send("GET", self._path)
        except NoCollectionError:
            await self._create()
            info = {}
        missing = [field for field in _INDEXES if field not in (info.get("payload_schema") or {})]
        await asyncio.gather(*(self._create_index(field) for field in missing))
        await self._rest.send("POST", f"{self._path}/points/batch?wait=true", new_marker(), _SETUP_SECONDS)
        self._prepared = True
        log.info("index_ready", collection=self._path)

    async def _create_index(self, field: str) -> None:
        await _ours(self._client.create_payload_index(self._collection, field, field_schema=_INDEXES[field]))

    async def _create(self) -> None:
        making = self._client.create_collection(
            self._collection,
            vectors_config={"dense": models.VectorParams(size=self._dimensions, distance=models.Distance.COSINE)},
            sparse_vectors_config={"bm25": models.SparseVectorParams(modifier=models.Modifier.IDF)},
        )
        try:
            await _ours(making)
        except (Rejected, Unavailable) as error:
            if "already exists" not in str(error):
                raise
            log.debug("index_created_by_another", collection=self._path)

    @staticmethod
    def _check_release(root: Any) -> None:
        found = re.match(r"(\d+)\.(\d+)", str(root.get("version", ""))) if isinstance(root, dict) else None
        if found and (int(found[1]), int(found[2])) < OLDEST_SERVER:
            raise Unavailable("qdrant", f"release {root['version']} has no conditional updates; use 1.16 or newer")


async def _ours(call: Awaitable[Any]) -> None:
    """A call of `qdrant-client` with our errors, within the time that making things may take."""
    try:
        async with asyncio.timeout(_SETUP_SECONDS):
            await call
    except TimeoutError:
        raise Unavailable("qdrant", f"no answer within {_SETUP_SECONDS} s") from None
    except (ApiException, QdrantException) as error:
        raise error_of(error) from error
