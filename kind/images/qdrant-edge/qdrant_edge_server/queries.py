"""Reads in Qdrant's JSON -> the engine's requests."""

from collections.abc import Callable
from typing import Any

import qdrant_edge as engine

from .errors import BadRequest, Unsupported
from .filters import Json, parse_filter
from .formulas import expression
from .points import vector_in

_DEFAULT_LIMIT = 10
_RRF_K = 2  # Qdrant's default
_MMR_CANDIDATES = 100
_DIRECTIONS = {"asc": engine.Direction.Asc, "desc": engine.Direction.Desc}

# Codes choose a few times what is asked for, and the vectors themselves decide among those.
_RESCORED = engine.QuantizationSearchParams(rescore=True, oversampling=3.0)
_EXACT = engine.QuantizationSearchParams(ignore=True)
_DEFAULT_PARAMS = engine.SearchParams(quantization=_RESCORED)

VectorOf = Callable[[Any, str], Any]
"""The stored vector of a point, by id and vector name: for queries that name a point instead of a vector."""


def query_request(body: Json, vector_of: VectorOf) -> Any:
    """POST /points/query.

    Raises Unsupported for the kinds of query that only Qdrant's server answers.
    """
    _no_lookup(body)
    return engine.QueryRequest(
        limit=_limit(body),
        offset=body.get("offset") or 0,
        query=_scoring(body.get("query"), body.get("using") or "", vector_of, _limit(body)),
        prefetches=_prefetches(body.get("prefetch"), vector_of),
        with_vector=with_vector(body, default=False),
        with_payload=with_payload(body, default=False),
        filter=_filter(body),
        score_threshold=body.get("score_threshold"),
        params=_params(body.get("params")),
    )


def _prefetches(raw: Any, vector_of: VectorOf) -> list[Any] | None:
    if raw is None:
        return None
    return [_prefetch(item, vector_of) for item in (raw if isinstance(raw, list) else [raw])]


def _prefetch(body: Json, vector_of: VectorOf) -> Any:
    _no_lookup(body)
    return engine.Prefetch(
        limit=_limit(body),
        query=_scoring(body.get("query"), body.get("using") or "", vector_of, _limit(body)),
        prefetches=_prefetches(body.get("prefetch"), vector_of),
        params=_params(body.get("params")),
        filter=_filter(body),
        score_threshold=body.get("score_threshold"),
    )


def _filter(body: Json) -> Any:
    """The filter; a point that stands for its vector is not among its own neighbours."""
    parsed = parse_filter(body.get("filter"))
    query = body.get("query")
    example = query.get("nearest") if isinstance(query, dict) else query
    if not isinstance(example, (int, str)):
        return parsed
    return engine.Filter(must=[parsed] if parsed else None, must_not=[engine.HasIdCondition({example})])


def _limit(body: Json) -> int:
    limit = body.get("limit")
    if limit is None:
        return _DEFAULT_LIMIT
    if not isinstance(limit, int) or limit < 0:
        raise BadRequest("Format error in JSON body: limit is a whole number from 0")
    return limit


def _no_lookup(body: Json) -> None:
    if body.get("lookup_from") is not None:
        raise Unsupported("qdrant-edge does not look up vectors in other collections")


def _scoring(raw: Any, using: str, vector_of: VectorOf, limit: int) -> Any:
    if raw is None:
        return None
    if isinstance(raw, dict) and "indices" not in raw:
        return _kind_of_query(raw, using, vector_of, limit)
    return engine.Query.Nearest(_vector(raw, using, vector_of), using=using)


def _vector(raw: Any, using: str, vector_of: VectorOf) -> Any:
    return vector_of(raw, using) if isinstance(raw, (int, str)) else vector_in(raw)


def _kind_of_query(raw: Json, using: str, vector_of: VectorOf, limit: int) -> Any:
    if "nearest" in raw:
        vector = _vector(raw["nearest"], using, vector_of)
        if (mmr := raw.get("mmr")) is None:
            return engine.Query.Nearest(vector, using=using)
        diversity = 0.5 if mmr.get("diversity") is None else mmr["diversity"]
        candidates = mmr.get("candidates_limit") or max(limit, _MMR_CANDIDATES)
        return engine.Mmr(vector, 1.0 - diversity, candidates, using=using)
    for name, build in _KINDS.items():
        if name in raw:
            return build(raw)
    raise Unsupported(f"qdrant-edge does not answer queries of the kind {sorted(raw)}")


def _fusion(raw: Json) -> Any:
    if raw["fusion"] == "rrf":
        return engine.Fusion.Rrf(k=_RRF_K)
    if raw["fusion"] == "dbsf":
        return engine.Fusion.Dbsf()
    raise BadRequest("Format error in JSON body: fusion is rrf or dbsf")


def _rrf(raw: Json) -> Any:
    settings = raw["rrf"]
    return engine.Fusion.Rrf(k=settings.get("k") or _RRF_K, weights=settings.get("weights"))


def order_by(raw: Any) -> Any:
    """An order by a payload field, given as its name or as an object."""
    if raw is None:
        return None
    if isinstance(raw, str):
        return engine.OrderBy(raw)
    direction = raw.get("direction")
    return engine.OrderBy(raw["key"], _DIRECTIONS[direction] if direction else None, raw.get("start_from"))


_KINDS: dict[str, Callable[[Json], Any]] = {
    "fusion": _fusion,
    "rrf": _rrf,
    "order_by": lambda raw: order_by(raw["order_by"]),
    "sample": lambda _: engine.Sample.Random,
    "formula": lambda raw: engine.Formula(expression(raw["formula"]), raw.get("defaults") or {}),
}


def _params(raw: Json | None) -> Any:
    if raw is None:
        return _DEFAULT_PARAMS
    return engine.SearchParams(
        hnsw_ef=raw.get("hnsw_ef"),
        exact=bool(raw.get("exact")),
        quantization=_EXACT if raw.get("exact") else _RESCORED,
        indexed_only=bool(raw.get("indexed_only")),
        idf=_idf(raw.get("idf")),
    )


def _idf(raw: Any) -> Any:
    if raw is None:
        return None
    return engine.IdfParams(parse_filter(raw.get("corpus")) if isinstance(raw, dict) else None)


def with_payload(body: Json, *, default: bool) -> Any:
    """All, none, some keys, or all but some."""
    raw = body.get("with_payload")
    if raw is None:
        return default
    if not isinstance(raw, dict):
        return raw
    if raw.get("include") is not None:
        return engine.PayloadSelector.Include(raw["include"])
    return engine.PayloadSelector.Exclude(raw["exclude"])


def with_vector(body: Json, *, default: bool) -> Any:
    """All, none, or the named ones."""
    raw = body.get("with_vector")
    if raw is None:
        raw = body.get("with_vectors")
    return default if raw is None else raw


def scroll_request(body: Json) -> Any:
    """POST /points/scroll."""
    return engine.ScrollRequest(
        offset=body.get("offset"),
        limit=_limit(body),
        filter=parse_filter(body.get("filter")),
        with_payload=with_payload(body, default=True),
        with_vector=with_vector(body, default=False),
        order_by=order_by(body.get("order_by")),
    )


def count_request(body: Json) -> Any:
    """POST /points/count."""
    return engine.CountRequest(exact=body.get("exact", True) is not False, filter=parse_filter(body.get("filter")))


def facet_request(body: Json) -> Any:
    """POST /facet."""
    return engine.FacetRequest(
        body["key"], limit=_limit(body), exact=bool(body.get("exact")), filter=parse_filter(body.get("filter"))
    )
