"""Equality of fields, in payloads and in the index."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from somafractalmemory.errors import InvalidPayload, InvalidRequest
from somafractalmemory.model.payloads import open_part, searchable_text


def check_filters(filters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raises InvalidRequest for a filter that no payload could fulfil, because payloads have limits."""
    try:
        searchable_text(filters)
    except InvalidPayload as error:
        raise InvalidRequest(str(error).replace("payload", "filter"), loc=("filters",)) from None
    return filters


def facet(key: str, value: Any) -> int:
    """A number for "this key has this value", so that one index of numbers serves equality on every field.

    62 bits: two facets of a million share one by a chance of 1 in 10 million, and the truth has the last word.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    try:
        text = orjson.dumps([key, value], option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        text = repr((key, value)).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest()) >> 2


def facets(payload: Mapping[str, Any]) -> list[int]:
    """One facet for each top-level field that is not sealed."""
    return [facet(key, value) for key, value in open_part(payload).items()]


def fulfils(payload: Mapping[str, Any], filters: Mapping[str, Any]) -> bool:
    """Whether every filter equals the payload's field of that name, as JSON: 1 is 1.0, but never true."""
    return all(key in payload and same(payload[key], value) for key, value in filters.items())


def same(one: Any, other: Any) -> bool:
    """Whether both are equal as JSON: 1 is 1.0, but never true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)
