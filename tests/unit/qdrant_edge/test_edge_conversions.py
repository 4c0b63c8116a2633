"""Qdrant's JSON is converted, or refused with a sentence; nothing is ignored in silence."""

from typing import Any

import pytest
import qdrant_edge as engine

from qdrant_edge_server import points, queries, schema
from qdrant_edge_server.errors import BadRequest, NotFound, Unsupported
from qdrant_edge_server.filters import parse_filter, required_filter
from qdrant_edge_server.indexes import create_index


def no_vector(point_id: object, using: str) -> Any:
    raise NotFound(f"{point_id} {using}")


def test_no_filter_stays_no_filter() -> None:
    assert parse_filter(None) is None


def test_a_misspelt_clause_is_refused() -> None:
    with pytest.raises(BadRequest, match="unknown clause"):
        parse_filter({"musst": []})


def test_a_write_that_means_a_filter_never_touches_every_point_by_mistake() -> None:
    with pytest.raises(BadRequest, match="is required"):
        required_filter(None)


@pytest.mark.parametrize(
    ("condition", "error"),
    [
        ({"key": "a"}, BadRequest),
        ({"key": "a", "match": {"glob": "x"}}, Unsupported),
        ({"slice": {"total": 2}}, Unsupported),
    ],
)
def test_conditions_that_cannot_be_kept_are_refused(condition: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_filter({"must": [condition]})


def test_a_range_of_dates_is_a_range_of_dates() -> None:
    found = parse_filter({"must": [{"key": "at", "range": {"gte": "2026-01-01T00:00:00Z"}}]})

    condition = found.must[0] if found and found.must else None
    assert isinstance(condition, engine.FieldCondition)
    assert isinstance(condition.range, engine.RangeDateTime)


@pytest.mark.parametrize("vector", [{"text": "hello", "model": "bm25"}, {"image": "x", "model": "clip"}])
def test_nothing_is_embedded_here(vector: dict[str, Any]) -> None:
    with pytest.raises(Unsupported, match="embeds nothing"):
        points.vector_in(vector)


def test_a_vector_named_text_is_a_vector() -> None:
    assert points.vector_in({"text": [1.0, 2.0]}) == {"text": [1.0, 2.0]}


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        points.upsert({"batch": {"ids": [1, 2], "vectors": [[1.0]], "payloads": [{}, {}]}})


def test_an_unknown_operation_in_a_batch_is_refused_before_anything_is_applied() -> None:
    with pytest.raises(BadRequest, match="unknown operation"):
        points.batch({"operations": [{"delete": {"points": [1]}}, {"explode": {}}]})


@pytest.mark.parametrize("query", [{"recommend": {"positive": [1]}}, {"discover": {}}, {"text": "x", "model": "y"}])
def test_kinds_of_query_that_only_qdrants_server_answers_are_named(query: dict[str, Any]) -> None:
    with pytest.raises(Unsupported, match="does not answer"):
        queries.query_request({"query": query}, no_vector)


@pytest.mark.parametrize("limit", [-1, "ten", 1.5])
def test_a_limit_is_a_whole_number(limit: object) -> None:
    with pytest.raises(BadRequest, match="limit"):
        queries.query_request({"query": [1.0], "limit": limit}, no_vector)


def test_a_lookup_in_another_collection_is_refused() -> None:
    with pytest.raises(Unsupported, match="other collections"):
        queries.query_request({"query": [1.0], "lookup_from": {"collection": "b"}}, no_vector)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, BadRequest),
        ({"vectors": {"size": 0, "distance": "Dot"}}, BadRequest),
        ({"vectors": {"size": 2, "distance": "Taxi"}}, BadRequest),
        ({"vectors": {"size": 2, "distance": "Dot"}, "shard_number": 3}, Unsupported),
        ({"vectors": {"size": 2, "distance": "Dot"}, "quantization_config": {"scalar": {}}}, Unsupported),
        ({"sparse_vectors": {"text": {"modifier": "tfidf"}}}, BadRequest),
    ],
)
def test_collections_that_cannot_be_kept_as_asked_are_refused(body: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        schema.edge_config(body)


@pytest.mark.parametrize(
    ("index", "error"), [(None, BadRequest), ("string", BadRequest), ({"type": "text", "stemmer": {}}, None)]
)
def test_payload_indexes_are_of_a_known_type(index: Any, error: type[Exception] | None) -> None:
    with pytest.raises(error or Unsupported):
        create_index("field", index)
