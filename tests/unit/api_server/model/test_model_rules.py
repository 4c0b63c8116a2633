"""Identity, canonical forms and bounds: the rules that need no store."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somafractalmemory.errors import InvalidCoordinate, InvalidPayload, InvalidRequest
from somafractalmemory.model import (
    SEALED,
    SYSTEM_FIELDS,
    Memory,
    MemoryType,
    canonical,
    check_namespace,
    coordinate_of,
    facet,
    facets,
    fulfils,
    memory_id,
    new_memory,
    parse_coordinate,
    searchable_text,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | finite
    | st.text(st.characters(exclude_characters="\0", codec="utf-8"))
)
keys = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20).filter(lambda key: key != SEALED)
payloads = st.dictionaries(keys, scalars, max_size=8)


@given(st.lists(finite, min_size=1, max_size=64))
def test_a_coordinate_survives_its_own_text(numbers: list[float]) -> None:
    coordinate = coordinate_of(numbers)

    assert parse_coordinate(canonical(coordinate)) == coordinate


@pytest.mark.parametrize(("one", "other"), [("1", "1.0"), ("1, 2", " 1.0,2e0 "), ("0", "-0.0"), ("-0,1", "0,1")])
def test_two_writings_of_a_place_are_one_identity(one: str, other: str) -> None:
    assert memory_id("ns", parse_coordinate(one)) == memory_id("ns", parse_coordinate(other))


def test_namespaces_never_share_an_identity() -> None:
    assert memory_id("a", (1.0,)) != memory_id("a:1", (1.0,)) != memory_id("b", (1.0,))


def test_identities_never_change_between_releases() -> None:
    assert str(memory_id("api_ns", (1.0, 2.0))) == "be966caa-8193-58d5-93c4-e7de2186f33b"


@pytest.mark.parametrize("text", ["", " ", "a", "1;2", "1,", "nan", "inf", "1,-infinity", ",".join(["1"] * 65)])
def test_what_is_no_coordinate_is_refused(text: str) -> None:
    with pytest.raises(InvalidCoordinate):
        parse_coordinate(text)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a%", ":a", "a" * 129, "a\n", "é"])
def test_what_is_no_namespace_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest):
        check_namespace(name)


@given(payloads)
def test_any_json_payload_is_stored_as_it_came(payload: dict[str, Any]) -> None:
    for reserved in ("importance", "timestamp"):
        payload.pop(reserved, None)
    memory = new_memory(namespace="ns", coordinate=(1.0,), payload=payload, memory_type=MemoryType.SEMANTIC, now=1.0)

    assert memory.payload == payload
    assert memory.timestamp is None


@given(payloads)
def test_a_flattened_memory_keeps_user_fields_and_owns_the_system_fields(payload: dict[str, Any]) -> None:
    memory = Memory(
        id=memory_id("ns", (1.0,)),
        namespace="ns",
        coordinate=(1.0,),
        memory_type=MemoryType.SEMANTIC,
        payload={**payload, "links": "spoofed", "access_count": 9},
        importance=1.0,
        timestamp=None,
        version=1,
        created_at=0.0,
        updated_at=0.0,
    )

    flat = memory.flattened()

    assert {key: value for key, value in payload.items() if key not in SYSTEM_FIELDS}.items() <= flat.items()
    assert flat["coordinate"] == (1.0,)
    assert not {"links", "access_count"} & set(flat)


@given(payloads)
def test_every_field_of_a_payload_is_found_by_its_facet(payload: dict[str, Any]) -> None:
    known = set(facets(payload))

    for key, value in payload.items():
        assert facet(key, value) in known
        assert fulfils(payload, {key: value})


def test_facets_tell_values_types_and_keys_apart() -> None:
    different = [facet("a", 1), facet("a", "1"), facet("a", None), facet("b", 1), facet("a", 1.5), facet("a", [1])]

    assert len(set(different)) == len(different)
    assert facet("a", 1) == facet("a", 1.0)
    assert facet("a", {"x": 1, "y": 2}) == facet("a", {"y": 2, "x": 1})


def test_only_the_callers_values_are_searched() -> None:
    text = searchable_text({"key": "word", "nested": {"deep": ["more", 7, True, None]}})

    assert text == "word more 7"


def test_what_only_ranks_a_memory_is_no_word_of_it() -> None:
    """Or a more important memory would have a longer text, and so a lower score than its twin."""
    said = {"fact": "cats purr", "importance": 9.5, "timestamp": 1_700_000_000}

    assert searchable_text(said) == "cats purr"
    assert searchable_text({**said, "importance": "high", "n": 4}) == "cats purr high 4"


@pytest.mark.parametrize("value", [math.nan, math.inf, [-math.inf]])
def test_numbers_that_json_does_not_have_are_refused(value: Any) -> None:
    with pytest.raises(InvalidPayload):
        searchable_text({"x": value})
