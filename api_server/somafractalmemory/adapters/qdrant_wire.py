"""Our points and queries as the JSON of Qdrant's REST API, and its answers back. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4, uuid5

import orjson

from somafractalmemory.model import ROOT_ID, Embedding, Hit, Point, facet, facets
from somafractalmemory.ports import Search

LAYOUT = "p2"
"""Which fields a point has: part of the index's name, so that one of another layout is left and a new one filled."""
_THOROUGH = {"hnsw_ef": 256}
"""How many neighbours a graph's search keeps: of 60,000 memories it finds the one that was meant for 99.5% of questions
in 1.5 ms, and with the index's own 100 for 93.5% in 1.1 ms."""
MARKER_ID = uuid5(ROOT_ID, "marker of the index")
FIND_MARKER = {
    "filter": {"must": [{"has_id": [str(MARKER_ID)]}]},
    "limit": 1,
    "with_payload": {"include": ["complete"]},
}
"""Goes with every query, so that no answer of an index that is being filled again looks like a whole one."""


def equals(field: str, value: Any) -> dict[str, Any]:
    """One condition of a filter."""
    return {"key": field, "match": {"value": value}}


@lru_cache
def kind(memory_type: str) -> int:
    """The facet of a memory's type. Its key is none that a payload's field could have."""
    return facet("\0memory_type", memory_type)


def searches_of(embedding: Embedding, search: Search, *, hybrid: bool) -> list[dict[str, Any]]:
    """One search for each list that the query can have."""
    must = [equals("namespace", search.namespace)]
    if search.memory_type is not None:
        must.append(equals("facets", kind(search.memory_type.value)))
    must += [equals("facets", each) for each in facets(search.filters)]
    common = {"filter": {"must": must}, "limit": search.limit, "with_payload": {"include": ["version"]}}
    searches = []
    if embedding.dense is not None:
        searches.append({"query": embedding.dense, "using": "dense", "params": _THOROUGH, **common})
    if hybrid and embedding.sparse.indices:
        terms = {"indices": embedding.sparse.indices, "values": embedding.sparse.values}
        searches.append({"query": terms, "using": "bm25", **common})
    return searches


def hits_of(lists: dict[str, Any]) -> list[Hit]:
    """The points of both lists, each with the scores that it has."""
    scores = {name: {point["id"]: point for point in points if point["score"] > 0.0} for name, points in lists.items()}
    dense, sparse = scores.get("dense", {}), scores.get("bm25", {})
    return [
        Hit(
            id=_id_of(place),
            version=point["payload"]["version"],
            dense=dense[place]["score"] if place in dense else 0.0,
            sparse=sparse[place]["score"] if place in sparse else 0.0,
        )
        for place, point in (dense | sparse).items()
    ]


@lru_cache(maxsize=20_000)
def _id_of(text: str) -> UUID:
    """Half a hundred of them in every answer, and often the same ones."""
    return UUID(text)


def is_complete(marker: Sequence[dict[str, Any]]) -> bool:
    """What FIND_MARKER found."""
    return bool(marker) and bool(marker[0]["payload"].get("complete"))


def upserts(points: Iterable[Point], limit: int) -> Iterator[bytes]:
    """Bodies of bounded size; the points of one version share a condition."""
    operations: list[dict[str, Any]] = []
    size = 0
    for version, group in groupby(sorted(points, key=lambda point: point.version), key=lambda point: point.version):
        encoded: list[orjson.Fragment] = []
        for point in group:
            one = _encoded(point)
            if size + len(one) > limit and (encoded or operations):
                yield _batch([*operations, _upsert(encoded, version)] if encoded else operations)
                operations, encoded, size = [], [], 0
            encoded.append(orjson.Fragment(one))
            size += len(one)
        operations.append(_upsert(encoded, version))
    if operations:
        yield _batch(operations)


def _upsert(points: Sequence[Any], version: int) -> dict[str, Any]:
    older = {"must": [{"key": "version", "range": {"lt": version}}]}
    return {"upsert": {"points": points, "update_filter": older}}


def _batch(operations: Sequence[dict[str, Any]]) -> bytes:
    return orjson.dumps({"operations": operations})


def _encoded(point: Point) -> bytes:
    vector: dict[str, Any] = {}
    if point.deleted_at is None and point.embedding is not None:
        if point.embedding.dense is not None:
            vector["dense"] = point.embedding.dense
        if point.embedding.sparse.indices:
            vector["bm25"] = {"indices": point.embedding.sparse.indices, "values": point.embedding.sparse.values}
    payload: dict[str, Any] = {"namespace": point.namespace, "version": point.version}
    if point.deleted_at is None:
        payload["facets"] = [kind(point.memory_type), *point.facets]
    else:
        payload["deleted_at"] = point.deleted_at
    body = {"id": str(point.id), "vector": vector, "payload": payload}
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


def new_marker() -> bytes:
    """Put only where there is none, by the rule for every point: nothing of version 1 replaces version 1."""
    payload = {"version": 1, "birth": str(uuid4())}
    return _batch([_upsert([{"id": str(MARKER_ID), "vector": {}, "payload": payload}], 1)])
