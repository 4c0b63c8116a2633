"""Points, filters and answers as Qdrant's engine in this process wants and gives them."""

from typing import Any
from uuid import UUID

import qdrant_edge as engine

from somafractalmemory.adapters.qdrant_wire import kind
from somafractalmemory.model import Embedding, Point, facets
from somafractalmemory.ports import Search
from somafractalmemory.ports.states import State

DENSE, SPARSE = "dense", "bm25"


def encoded(point: Point) -> Any:
    """A point; tombstones have no vectors."""
    payload: dict[str, Any] = {"namespace": point.namespace, "version": point.version}
    if point.deleted_at is not None:
        return engine.Point(str(point.id), {}, payload | {"deleted_at": point.deleted_at})
    vector: dict[str, Any] = {}
    if point.embedding is not None:
        if point.embedding.dense is not None:
            vector[DENSE] = point.embedding.dense.tolist()
        if terms := terms_of(point.embedding):
            vector[SPARSE] = terms
    return engine.Point(str(point.id), vector, payload | {"facets": [kind(point.memory_type), *point.facets]})


def terms_of(embedding: Embedding) -> Any | None:
    """The words; None when there are none."""
    sparse = embedding.sparse
    return engine.SparseVector(sparse.indices, sparse.values) if sparse.indices else None


def older(version: int) -> Any:
    """The condition of every write."""
    return engine.Filter(must=[engine.FieldCondition("version", range=engine.RangeFloat(lt=version))])


def equals(field: str, value: Any) -> Any:
    """A field of exactly this value."""
    return engine.FieldCondition(field, match=engine.MatchValue(value))


def filter_of(search: Search) -> Any:
    """Where to look, within the engine."""
    must = [equals("namespace", search.namespace)]
    if search.memory_type is not None:
        must.append(equals("facets", kind(search.memory_type.value)))
    return engine.Filter(must=must + [equals("facets", each) for each in facets(search.filters)])


def state_of(record: Any) -> State:
    """What comparing needs of a record."""
    payload = record.payload
    return State(UUID(str(record.id)), payload["namespace"], payload["version"], deleted="deleted_at" in payload)
