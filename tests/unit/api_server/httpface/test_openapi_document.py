"""What the OpenAPI document tells: token, namespace, keys, budgets, examples."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest

from somafractalmemory import __version__
from somafractalmemory.cli.programs import openapi_text

COMMITTED = (Path(__file__).parents[4] / "openapi.json").read_text()
DOCUMENT: dict[str, Any] = json.loads(COMMITTED)
OPEN = {"/health", "/healthz", "/readyz"}
ASKED = {"/recall", "/recall_batch", "/recall_with_scores", "/hybrid_recall_with_scores", "/recall_with_context"}
ASKED |= {"/explain", "/keyword_search"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, found in DOCUMENT["paths"].items():
        for method, operation in found.items():
            yield path, method, operation


def names(operation: dict[str, Any]) -> set[str]:
    """Its parameters, looked up."""
    found = set()
    for parameter in operation.get("parameters", []):
        shown = parameter
        if "$ref" in parameter:
            shown = DOCUMENT["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
        found.add(shown["name"])
    return found


def test_the_committed_document_is_the_one_of_the_code() -> None:
    """(S-100)"""
    assert COMMITTED.strip() == openapi_text().strip(), "run `make openapi`"


async def test_it_is_served(client: httpx.AsyncClient) -> None:
    """(S-99)"""
    assert (await client.get("/openapi.json", headers={"authorization": ""})).json() == DOCUMENT


def test_it_says_who_may_ask_and_in_which_version_it_is() -> None:
    """(http defect 19)"""
    assert DOCUMENT["openapi"].startswith("3.1")
    assert DOCUMENT["info"]["version"] == __version__
    assert DOCUMENT["components"]["securitySchemes"] == {"bearer": {"type": "http", "scheme": "bearer"}}
    for path, _, operation in operations():
        assert operation.get("security") == (None if path in OPEN else [{"bearer": []}])


def test_every_guarded_operation_tells_its_namespace_budget_and_refusals() -> None:
    for path, _, operation in operations():
        if path in OPEN:
            continue
        assert "X-Soma-Namespace" in names(operation)
        assert {"200", "401", "403", "422", "429", "503"} <= set(operation["responses"])
        assert "RateLimit-Remaining" in operation["responses"]["200"]["headers"]
        assert "Retry-After" in operation["responses"]["429"]["headers"]
        for status, response in operation["responses"].items():
            if status > "400":
                assert list(response["content"]) == ["application/problem+json"], (path, status)


def test_writes_and_only_writes_take_a_key() -> None:
    for path, method, operation in operations():
        writes = method != "get" and path not in ASKED

        assert ("Idempotency-Key" in names(operation)) is writes, (method, path)
        assert ("409" in operation["responses"]) is writes


def test_every_operation_has_one_known_tag_and_words() -> None:
    known = {tag["name"] for tag in DOCUMENT["tags"]}
    for path, _, operation in operations():
        assert len(operation["tags"]) == 1, path
        assert set(operation["tags"]) <= known
        assert operation["description"]


def models() -> set[str]:
    """The bodies that go in and out as JSON."""
    found = set()
    for _, _, operation in operations():
        contents = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in contents:
            for shown in content.get("content", {}).values():
                found.add(shown["schema"].get("$ref", "").rpartition("/")[2])
    return found - {""}


@pytest.mark.parametrize("name", sorted(models()))
def test_every_body_has_an_example_that_fits(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]

    validator = jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})

    assert schema.get("examples"), "add one to apiexamples.py"
    for example in schema["examples"]:
        validator.validate(example)


@pytest.mark.parametrize(
    ("name", "body", "good"),
    [
        ("StoreRequest", {"coord": "1", "payload": {"a": [{"b": "text"}, None, True, 1.5], "importance": 2}}, True),
        ("StoreRequest", {"coord": "1", "payload": {"importance": None, "timestamp": 5}}, True),
        ("StoreRequest", {"coord": "1", "payload": {"a": [{"b": ["\0"]}]}}, False),
        ("StoreRequest", {"coord": "1", "payload": {"a": {"\0": 1}}}, False),
        ("StoreRequest", {"coord": "1", "payload": {"importance": "much"}}, False),
        ("StoreRequest", {"coord": "1", "payload": {"importance": 1e300}}, False),
        ("StoreRequest", {"coord": "1", "payload": {"timestamp": [5]}}, False),
        ("BulkRequest", {"items": [{"coord": "1", "payload": {"a": "\0"}}]}, False),
        ("RecallRequest", {"query": "x", "filters": {"a": {"b": "\0"}}}, False),
        ("ContextRequest", {"query": "x", "context": {"a": ["\0"]}}, False),
        ("KeywordRequest", {"term": "a\0"}, False),
        ("OutcomeRequest", {"coord": "1", "outcome": {"a": "\0"}}, False),
        ("EraseRequest", {"coord": "1", "namespace": None}, True),
        ("EraseRequest", {"namespace": "mine"}, True),
        ("EraseRequest", {}, False),
        ("EraseRequest", {"coord": "1", "namespace": "mine"}, False),
    ],
)
async def test_a_body_is_right_by_the_document_where_the_service_takes_it(
    client: httpx.AsyncClient, name: str, body: dict[str, Any], *, good: bool
) -> None:
    """(http defect 19)"""
    schema = {**DOCUMENT["components"]["schemas"][name], "components": DOCUMENT["components"]}
    (path,) = {
        path
        for path, _, operation in operations()
        for shown in operation.get("requestBody", {}).get("content", {}).values()
        if shown["schema"].get("$ref", "").endswith(f"/{name}")
    }

    answer = await client.post(path, json=body, headers={"x-soma-namespace": "mine"})

    assert jsonschema_rs.Draft202012Validator(schema).is_valid(body) is good
    assert (answer.status_code != 422) is good, answer.text


@pytest.mark.parametrize(("path", "program"), [("/docs", "swagger-ui"), ("/redoc", "redoc")])
async def test_the_pages_show_something_even_where_their_programs_cannot_be_loaded(
    client: httpx.AsyncClient, path: str, program: str
) -> None:
    """(S-13)"""
    page = await client.get(path, headers={"authorization": ""})

    assert page.headers["content-type"].startswith("text/html")
    assert program in page.text
    assert 'fetch("/openapi.json")' in page.text
    assert "OPENAPI_URL" not in page.text
