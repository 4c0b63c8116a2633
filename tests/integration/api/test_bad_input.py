"""Whatever is thrown at the running service: it says what is wrong, and goes on."""

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tests.integration.api.programs import TOKEN, Stack

DOCUMENT_PATHS = ("/store", "/store_bulk", "/recall", "/recall_batch", "/keyword_search", "/link", "/delete_many")
NASTY = [
    "'; drop table memories; --",
    "%' or 1=1 --",
    "%",
    "_",
    "*",
    "\\",
    "[a-z]",
    "$1",
    "%(namespace)s",
    "{}",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "\u202e",
    "e\u0301" * 20,
    "\U0001f9e0\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\ufeff\u200b\u2028",
]


@pytest.fixture(autouse=True)
def _unharmed(stack: Stack) -> Iterator[None]:
    """Afterwards it still stores and recalls, and nothing unforeseen is in its log."""
    yield
    place = stack.place()
    assert stack.store(place, fact="still there").status_code == 200
    assert stack.http.get(f"/memories/{place}").json()["payload"] == {"fact": "still there"}
    assert "unexpected_error" not in stack.api.text
    assert "Traceback" not in stack.api.text


def refused(answer: httpx.Response) -> dict[str, Any]:
    """The problem that a client is told."""
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["detail"]
    return problem


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "x" * 8000],
)
def test_a_wrong_token_opens_nothing(stack: Stack, authorization: str) -> None:
    """(http defect 12)"""
    for path in DOCUMENT_PATHS:
        answer = stack.http.post(path, content=b"{", headers={"authorization": authorization})

        assert answer.status_code in {401, 403}
        assert TOKEN not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"x"',
        b'{"coord": "1", "payload": {"x": NaN}}',
        b'{"coord": "1", "payload": {"x": Infinity}}',
        b'{"coord": "1", "payload": {"x": 1e999}}',
        b'{"coord": "nan", "payload": {}}',
        b'{"coord": "1", "payload": {"x": "\\ud800"}}',
        b'{"coord": "1", "payload": {"x": "\\u0000"}}',
        b'{"coord": "1", "payload": {"x": "\xff\xfe"}}',
        b'{"coord": "1", "payload": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
        b"[" * 1_000_000,
        b'{"coord": "1", "payload": {"x": [' + b"0," * 30_000 + b"0]}}",
        b'{"coord": "' + b"9" * 5000 + b'", "payload": {}}',
        b'{"coord": "1_0", "payload": {}}',
        '{"coord": "\u0661", "payload": {}}'.encode(),
        b'{"coord": "1", "coord": "2", "payload": 3}',
    ],
    ids=lambda body: repr(body[:40]),
)
def test_a_broken_body_is_refused_everywhere(stack: Stack, body: bytes) -> None:
    """(http defect 3)"""
    for path in DOCUMENT_PATHS:
        refused(stack.http.post(path, content=body))
    refused(stack.http.patch("/memories/1", content=body))


@pytest.mark.parametrize("text", NASTY)
def test_signs_of_other_languages_are_only_text(stack: Stack, text: str) -> None:
    place = stack.place()
    assert stack.store(place, fact=f"before {text} after").status_code == 200

    read = stack.http.get(f"/memories/{place}").json()["payload"]["fact"]
    found = stack.http.post("/keyword_search", json={"term": text, "exact": False, "top_k": 1000})
    recalled = stack.recall(text, filters={"fact": f"before {text} after"}, top_k=1000)
    namespaced = stack.http.get("/stats", headers=[(b"x-soma-namespace", text.encode())])

    assert read == f"before {text} after"
    facts = [memory["fact"] for memory in found.json()["results"] if "fact" in memory]
    assert read in facts or len(facts) == 1000
    assert all(text.casefold() in fact.casefold() for fact in facts)
    assert recalled.status_code == 200
    assert namespaced.status_code == (200 if text == "_" else 422)
    refused(stack.http.get(f"/memories/{quote(text, safe='')}"))
    assert stack.http.get("/links", params={"type": text}).json()["links"] == []


def chunks(total: int, *, piece: int = 64 * 1024) -> Iterator[bytes]:
    for _ in range(total // piece):
        yield b"x" * piece


@pytest.mark.parametrize("path", ["/store", "/store_bulk", "/recall"])
def test_ten_megabytes_in_chunks_are_refused_while_they_come(stack: Stack, path: str) -> None:
    """(http defect 13)"""
    answer = stack.http.post(path, content=chunks(10 * 1024 * 1024))

    assert refused(answer)["status"] == 413


def test_ten_megabytes_without_an_end_of_line_cost_one_line(stack: Stack) -> None:
    lines = {"content-type": "application/x-ndjson"}

    answer = stack.http.post("/store_bulk", content=chunks(10 * 1024 * 1024), headers=lines)

    assert (answer.status_code, answer.json()["failed"], answer.json()["stored"]) == (200, 1, 0)
    refused(stack.http.post("/import", content=b""))
    assert stack.http.post("/import", content=chunks(17 * 1024 * 1024)).json()["failed"] == 1


@pytest.mark.parametrize(
    "parameters",
    [
        {"top_k": "0"},
        {"top_k": "-1"},
        {"top_k": "99999999999999999999"},
        {"top_k": "1e3"},
        {"type": "divine"},
        {"hybrid": "perhaps"},
        {"filters": "{"},
        {"filters": "[]"},
        {"filters": json.dumps({str(n): n for n in range(100)})},
        {"query": "x" * 17_000},
        {"unknown": "1"},
    ],
)
def test_a_bad_question_in_the_address_is_refused(stack: Stack, parameters: dict[str, str]) -> None:
    """(http defect 4)"""
    assert refused(stack.http.get("/recall", params={"query": "x", **parameters}))["status"] == 422


def test_a_malformed_message_is_answered_and_costs_only_its_connection(stack: Stack) -> None:
    """The status 400 that every operation tells of."""
    parts = urlsplit(stack.api.url)
    for message in (
        b"NONSENSE\r\n\r\n",
        b"GET /stats HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n",
        b"GET /range?min=" + b"1" * 70_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /store HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
    ):
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
            connection.sendall(message)
            answer = connection.recv(200)

        assert answer.startswith(b"HTTP/1.1 400"), answer


def test_a_client_that_hangs_up_in_the_middle_costs_nothing(stack: Stack) -> None:
    parts = urlsplit(stack.api.url)
    head = f"POST /store HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: 1000\r\n\r\n"
    for _ in range(50):
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
            connection.sendall(head.encode() + b'{"coord": ')
