"""Erasing with the real stores, over HTTP and by the command; a replay brings nothing back."""

import json

from somafractalmemory.model import memory_id, parse_coordinate
from tests.integration.api.programs import Stack, eventually, run_once

EVERYWHERE = """
select
    (select count(*) from memories where namespace = %s), (select count(*) from memory_events where namespace = %s),
    (select count(*) from outbox where namespace = %s)
"""


def left(stack: Stack, namespace: str) -> tuple[object, ...]:
    (row,) = stack.rows(EVERYWHERE, namespace, namespace, namespace)
    return row


def test_an_erased_namespace_stays_gone_even_after_a_replay(stack: Stack) -> None:
    namespace, coords = "erased-by-command", [stack.place() for _ in range(12)]
    headers = {"X-Soma-Namespace": namespace}
    for coord in coords:
        body = {"coord": coord, "payload": {"fact": f"to be erased {coord}"}}
        assert stack.http.post("/store", json=body, headers=headers).status_code == 200
    stack.http.post("/link", json={"from_coord": coords[0], "to_coord": coords[1]}, headers=headers)
    stack.http.delete(f"/memories/{coords[2]}", headers=headers)
    eventually(lambda: left(stack, namespace) == (12, 14, 0), seconds=60)

    done = run_once(stack.environment, "erase", "--namespace", namespace, "--yes", "-o", "json")

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["complete"]
    assert report["postgres"]["memories"] == 11
    assert report["postgres"]["tombstones"] == 1
    assert report["postgres"]["logged_events"] == 14
    assert report["qdrant"]["entries"] == 12
    assert report["kafka"]["topics"] == [
        stack.environment["KAFKA_MEMORY_EVENTS_TOPIC"],
        stack.environment["KAFKA_MEMORY_DLQ_TOPIC"],
    ]
    eventually(lambda: left(stack, namespace) == (0, 0, 0))
    replayed = run_once(stack.environment, "events", "replay", "--beginning", "-o", "json")
    assert replayed.returncode == 0, replayed.stderr
    assert left(stack, namespace) == (0, 0, 0)
    assert stack.http.get("/stats", headers=headers).json()["total_memories"] == 0
    assert run_once(stack.environment, "reconcile", "--check").returncode == 0

    again = stack.http.post("/store", json={"coord": coords[0], "payload": {"fact": "anew"}}, headers=headers)
    assert again.json()["version"] == 3
    assert stack.http.post("/recall", json={"query": "anew"}, headers=headers).json()["matches"][0]["fact"] == "anew"


def test_one_memory_is_erased_over_http(stack: Stack) -> None:
    coord = stack.place()
    stack.store(coord, fact="a secret told by mistake")
    place = memory_id("api_ns", parse_coordinate(coord))
    eventually(lambda: stack.rows("select count(*) from memory_events where id = %s", place) == [(1,)])

    answer = stack.http.post("/erase", json={"coord": coord})

    assert answer.json()["complete"]
    assert answer.json()["postgres"]["logged_events"] == 1
    eventually(lambda: stack.rows("select count(*) from outbox where memory_id = %s", place) == [(0,)])
    assert stack.rows("select count(*) from memories where id = %s", place) == [(0,)]
    assert stack.rows("select count(*) from memory_events where id = %s", place) == [(0,)]
    facts = [match.get("fact") for match in stack.recall("a secret told by mistake").json()["matches"]]
    assert "a secret told by mistake" not in facts


def test_the_command_asks_first_and_says_what_is_missing(stack: Stack) -> None:
    coord = stack.place()
    stack.store(coord, fact="kept, because nobody said yes")

    unsaid = run_once(stack.environment, "erase", "--coord", coord)
    nothing = run_once(stack.environment, "erase", "--yes")

    assert unsaid.returncode == 1
    assert nothing.returncode == 2
    assert stack.http.get(f"/memories/{coord}").status_code == 200
