"""`soma reconcile` as an operator runs it, beside the running programs."""

import json
from typing import Any

import httpx

from somafractalmemory.model import memory_id, parse_coordinate
from tests.integration.api.programs import Stack, eventually, run_once
from tests.services.qdrant import QdrantEdgeServer


def reconcile(stack: Stack, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = run_once(stack.environment, "reconcile", "-o", "json", *arguments)
    assert done.returncode in {0, 1}, done.stderr
    return done.returncode, json.loads(done.stdout)


def remove_from_index(stack: Stack, server: QdrantEdgeServer, coord: str) -> None:
    with httpx.Client(base_url=server.url, headers={"api-key": server.api_key}, trust_env=False) as client:
        (collection,) = [
            found["name"]
            for found in client.get("/collections").json()["result"]["collections"]
            if found["name"].startswith(stack.environment["QDRANT_COLLECTION"])
        ]
        place = str(memory_id("api_ns", parse_coordinate(coord)))
        answer = client.post(f"/collections/{collection}/points/delete?wait=true", json={"points": [place]})
        assert answer.status_code == 200


def test_what_the_index_lost_is_counted_by_a_check_and_mended_by_a_run(
    stack: Stack, qdrant_server: QdrantEdgeServer
) -> None:
    coords = [stack.place() for _ in range(5)]
    for coord in coords:
        stack.store(coord, fact=f"reconciled at {coord}")
    eventually(lambda: reconcile(stack, "--check")[0] == 0, seconds=60)
    remove_from_index(stack, qdrant_server, coords[2])

    code, checked = reconcile(stack, "--check")
    assert (code, checked["equal"], checked["missing"], checked["orphaned"]) == (1, False, 1, 0)

    code, mended = reconcile(stack)
    assert (code, mended["missing"], mended["mended"]) == (0, 1, 1)
    assert reconcile(stack, "--check")[0] == 0
    facts = [match["fact"] for match in stack.recall(f"reconciled at {coords[2]}").json()["matches"]]
    assert f"reconciled at {coords[2]}" in facts


def test_a_table_is_printed_for_people(stack: Stack) -> None:
    done = run_once(stack.environment, "reconcile", "--check", "--namespace", "nobody-lives-here")

    assert done.returncode == 0
    assert "memories" in done.stdout
    assert "equal" in done.stdout


def test_without_stores_it_says_which_one_is_away_with_exit_code_5(stack: Stack) -> None:
    done = run_once({**stack.environment, "QDRANT_URL": "http://127.0.0.1:1"}, "reconcile", "--check")

    assert done.returncode == 5
    assert "qdrant is unavailable" in done.stderr
    assert "Traceback" not in done.stderr
