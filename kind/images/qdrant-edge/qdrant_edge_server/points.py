"""Writes in Qdrant's JSON -> the engine's update operations, and its points -> JSON."""

from collections.abc import Iterable, Iterator
from typing import Any

import qdrant_edge as engine

from .errors import BadRequest, Unsupported
from .filters import Json, parse_filter, required_filter

_MODES = {
    "upsert": engine.UpdateMode.Upsert,
    "insert_only": engine.UpdateMode.InsertOnly,
    "update_only": engine.UpdateMode.UpdateOnly,
}


def vector_in(raw: Any) -> Any:
    """A vector, or named vectors, as the engine takes them.

    Raises Unsupported for text or images to embed: this server has no models.
    """
    if isinstance(raw, list):
        return raw
    if not isinstance(raw, dict):
        raise BadRequest(
            "Format error in JSON body: a vector is a list, a sparse vector, or an object of named vectors"
        )
    if "indices" in raw and "values" in raw:
        return engine.SparseVector(raw["indices"], raw["values"])
    if "model" in raw or ("text" in raw and isinstance(raw["text"], str)):
        raise Unsupported("qdrant-edge embeds nothing: send vectors")
    return {name: vector_in(value) for name, value in raw.items()}


def vector_out(vector: Any) -> Any:
    """The JSON of a vector that the engine returned."""
    if isinstance(vector, dict):
        return {name: vector_out(value) for name, value in vector.items()}
    if isinstance(vector, engine.SparseVector):
        return {"indices": vector.indices, "values": vector.values}
    return vector


def record_out(record: Any) -> Json:
    """The JSON of a retrieved or scrolled point."""
    found: Json = {"id": record.id, "payload": record.payload}
    if record.vector is not None:
        found["vector"] = vector_out(record.vector)
    if record.order_value is not None:
        found["order_value"] = record.order_value
    return found


def scored_out(point: Any) -> Json:
    """The JSON of one hit of a query."""
    found: Json = {"id": point.id, "version": point.version, "score": point.score, "payload": point.payload}
    if (vector := point.vector) is not None:
        found["vector"] = vector_out(vector)
    if (order_value := point.order_value) is not None:
        found["order_value"] = order_value
    return found


def upsert(body: Json) -> Any:
    """Points as a list or in columns; with `update_filter`, an existing point changes only if it matches."""
    points = list(_rows(body["batch"]) if "batch" in body else _listed(body["points"]))
    mode = body.get("update_mode")
    if mode is not None and mode not in _MODES:
        raise BadRequest(f"Format error in JSON body: update_mode is one of {sorted(_MODES)}")
    condition = parse_filter(body.get("update_filter"))
    return engine.UpdateOperation.upsert_points(points, condition=condition, update_mode=_MODES.get(mode or "upsert"))


def _listed(raw: Iterable[Json]) -> Iterator[Any]:
    for point in raw:
        yield engine.Point(point["id"], vector_in(point["vector"]), point.get("payload"))


def _rows(batch: Json) -> Iterator[Any]:
    """Columns back to points."""
    ids, vectors = batch["ids"], batch["vectors"]
    payloads = batch.get("payloads") or [None] * len(ids)
    if isinstance(vectors, dict):
        rows: list[Any] = [dict(zip(vectors, row, strict=True)) for row in zip(*vectors.values(), strict=True)]
    else:
        rows = vectors
    for point_id, vector, payload in zip(ids, rows, payloads, strict=True):
        yield engine.Point(point_id, vector_in(vector), payload)


def delete(body: Json) -> Any:
    """Delete by ids or by filter."""
    if body.get("points") is not None:
        return engine.UpdateOperation.delete_points(body["points"])
    return engine.UpdateOperation.delete_points_by_filter(required_filter(body.get("filter")))


def set_payload(body: Json) -> Any:
    """Merge into the payload."""
    key = body.get("key")
    if body.get("points") is not None:
        return engine.UpdateOperation.set_payload(body["points"], body["payload"], key)
    return engine.UpdateOperation.set_payload_by_filter(required_filter(body.get("filter")), body["payload"], key)


def overwrite_payload(body: Json) -> Any:
    """Replace the payload."""
    key = body.get("key")
    if body.get("points") is not None:
        return engine.UpdateOperation.overwrite_payload(body["points"], body["payload"], key)
    return engine.UpdateOperation.overwrite_payload_by_filter(required_filter(body.get("filter")), body["payload"], key)


def delete_payload(body: Json) -> Any:
    """Remove keys of the payload."""
    if body.get("points") is not None:
        return engine.UpdateOperation.delete_payload(body["points"], body["keys"])
    return engine.UpdateOperation.delete_payload_by_filter(required_filter(body.get("filter")), body["keys"])


def clear_payload(body: Json) -> Any:
    """Remove the whole payload."""
    if body.get("points") is not None:
        return engine.UpdateOperation.clear_payload(body["points"])
    return engine.UpdateOperation.clear_payload_by_filter(required_filter(body.get("filter")))


def update_vectors(body: Json) -> Any:
    """New vectors for existing points."""
    vectors = [engine.PointVectors(point["id"], vector_in(point["vector"])) for point in body["points"]]
    return engine.UpdateOperation.update_vectors(vectors, condition=parse_filter(body.get("update_filter")))


def delete_vectors(body: Json) -> Any:
    """Remove named vectors of points."""
    if body.get("points") is not None:
        return engine.UpdateOperation.delete_vectors(body["points"], body["vector"])
    return engine.UpdateOperation.delete_vectors_by_filter(required_filter(body.get("filter")), body["vector"])


_BATCHED = {
    "upsert": upsert,
    "delete": delete,
    "set_payload": set_payload,
    "overwrite_payload": overwrite_payload,
    "delete_payload": delete_payload,
    "clear_payload": clear_payload,
    "update_vectors": update_vectors,
    "delete_vectors": delete_vectors,
}


def batch(body: Json) -> list[Any]:
    """The operations of POST /points/batch, all converted before the first is applied."""
    operations = []
    for item in body["operations"]:
        ((name, argument),) = item.items()
        if name not in _BATCHED:
            raise BadRequest(f"Format error in JSON body: unknown operation `{name}`")
        operations.append(_BATCHED[name](argument))
    return operations
