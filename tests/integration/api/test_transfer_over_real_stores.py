"""Export, import, bulks of lines and repeated requests as a client of the real service meets them."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.integration.api.programs import TOKEN, Stack, eventually

LINES = {"content-type": "application/x-ndjson"}


def namespaced(name: str) -> dict[str, str]:
    return {"x-soma-namespace": name}


@pytest.fixture
def filled(stack: Stack) -> str:
    """A namespace of 1,200 memories, some with a past, and links between them."""
    headers = namespaced(f"from-{stack.place().partition(',')[0]}")
    items = b"".join(
        json.dumps({"coord": str(n), "payload": {"n": n, "fact": f"heron number {n}", "importance": n % 7}}).encode()
        + b"\n"
        for n in range(1200)
    )
    assert stack.http.post("/store_bulk", content=items, headers={**headers, **LINES}).json()["stored"] == 1200
    for n in range(30):
        assert stack.http.patch(f"/memories/{n}", json={"payload": {"v": 2}}, headers=headers).status_code == 200
    links = [{"from_coord": str(n), "to_coord": str(n + 1), "weight": n / 2} for n in range(500)]
    assert stack.http.post("/links", json={"links": links}, headers=headers).status_code == 200
    return headers["x-soma-namespace"]


def exported(stack: Stack, namespace: str) -> list[dict[str, Any]]:
    """All lines but the manifest, in an order that does not depend on the namespace."""
    answer = stack.http.get("/export", headers=namespaced(namespace))
    assert answer.status_code == 200
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert (lines[0]["kind"], lines[-1]["kind"]) == ("manifest", "end")
    return sorted(lines[1:], key=lambda line: (line["kind"], str(line.get("coordinate") or line.get("from"))))


def test_a_namespace_comes_back_as_it_was_and_stays_so_when_it_comes_again(stack: Stack, filled: str) -> None:
    """(X-04)"""
    file = stack.http.get("/export", headers=namespaced(filled)).content
    other = f"{filled}-copy"
    stack.http.post("/store", json={"coord": "-5", "payload": {"fact": "not in the file"}}, headers=namespaced(other))

    reports = [
        stack.http.post("/import", params={"replace": "true"}, content=file, headers=namespaced(other)).json()
        for _ in range(2)
    ]

    assert [(report["created"], report["unchanged"], report["removed"]) for report in reports] == [
        (1200, 0, 1),
        (0, 1200, 0),
    ]
    assert all(report["complete"] and report["links"] == 500 for report in reports)
    assert exported(stack, other) == exported(stack, filled)
    assert len(stack.http.get("/memories/7/versions", headers=namespaced(other)).json()["versions"]) == 2
    recalled = stack.http.post("/recall", json={"query": "heron number 777"}, headers=namespaced(other))
    assert recalled.json()["matches"][0]["n"] == 777


def test_an_upload_that_breaks_off_leaves_whole_memories_and_removes_none(stack: Stack, filled: str) -> None:
    file = stack.http.get("/export", headers=namespaced(filled)).content
    other = f"{filled}-torn"
    stack.http.post("/store", json={"coord": "-5", "payload": {"fact": "mine"}}, headers=namespaced(other))
    parts = urlsplit(stack.api.url)
    head = (
        f"POST /import?replace=true HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n"
        f"x-soma-namespace: {other}\r\ncontent-length: {len(file)}\r\n\r\n"
    )
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(head.encode() + file[: len(file) // 2])

        def arrived() -> bool:
            return bool(stack.http.get("/stats", headers=namespaced(other)).json()["total_memories"] > 100)

        eventually(arrived)

    assert stack.http.get("/memories/-5", headers=namespaced(other)).status_code == 200
    again = stack.http.post("/import", params={"replace": "true"}, content=file, headers=namespaced(other)).json()
    assert again["complete"]
    assert exported(stack, other) == exported(stack, filled)


def test_a_client_that_stops_reading_an_export_does_not_stop_the_service(stack: Stack, filled: str) -> None:
    with stack.http.stream("GET", "/export", headers=namespaced(filled)) as answer:
        assert next(answer.iter_lines())

    assert stack.http.get("/stats").status_code == 200


def test_a_repeated_write_is_done_once_for_all_processes(stack: Stack) -> None:
    key, place = {"idempotency-key": f"key-{stack.place()}"}, stack.place()
    body = {"coord": place, "payload": {"n": 1}}

    first, second = (stack.http.post("/store", json=body, headers=key) for _ in range(2))
    other = stack.http.post("/store", json={**body, "payload": {"n": 2}}, headers=key)

    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert second.headers["idempotency-replayed"] == "true"
    assert other.status_code == 422
    assert stack.http.get(f"/memories/{place}").json()["version"] == 1


def test_of_many_at_the_same_time_with_one_key_one_is_done(stack: Stack) -> None:
    key, place = f"key-{stack.place()}", stack.place()
    statuses: list[int] = []

    def store() -> None:
        with httpx.Client(base_url=stack.api.url, headers=stack.http.headers, trust_env=False) as client:
            body = {"coord": place, "payload": {"n": 1}}
            statuses.append(client.post("/store", json=body, headers={"idempotency-key": key}).status_code)

    threads = [threading.Thread(target=store) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    assert stack.http.get(f"/memories/{place}").json()["version"] == 1


def test_a_very_long_stream_of_lines_needs_no_more_memory(stack: Stack) -> None:
    headers = {**namespaced("long"), **LINES}

    def lines(count: int) -> Iterator[bytes]:
        for n in range(count):
            yield json.dumps({"coord": str(n % 50), "payload": {"text": "x" * 20_000, "n": n}}).encode() + b"\n"

    def resident() -> int:
        return int(Path(f"/proc/{stack.api.process.pid}/statm").read_text().split()[1]) * 4096

    assert stack.http.post("/store_bulk", content=lines(500), headers=headers).json()["stored"] == 500
    before = resident()
    answer = stack.http.post("/store_bulk", content=lines(5000), headers=headers, timeout=120)

    assert answer.json()["stored"] == 5000
    assert resident() - before < 60 * 1024 * 1024
