"""A memory's way through every store, from HTTP to Kafka and back."""

import httpx

from somafractalmemory.model import memory_id, parse_coordinate
from tests.integration.api.programs import Stack, eventually, run_once


def point_of(stack: Stack, coord: str) -> dict[str, object] | None:
    """What the index holds for a place, in whichever collection the API made."""
    given = stack.environment
    with httpx.Client(
        base_url=given["QDRANT_URL"], headers={"api-key": given["QDRANT_API_KEY"]}, timeout=5.0, trust_env=False
    ) as client:
        names = [each["name"] for each in client.get("/collections").json()["result"]["collections"]]
        (name,) = [name for name in names if name.startswith(given["QDRANT_COLLECTION"])]
        place = str(memory_id("api_ns", parse_coordinate(coord)))
        body = {"ids": [place], "with_payload": True, "with_vector": True}
        found = client.post(f"/collections/{name}/points", json=body).json()["result"]
    point: dict[str, object] | None = found[0] if found else None
    return point


def events_of(stack: Stack, coord: str) -> list[str]:
    """The types of the events that came back through Kafka, oldest first."""
    place = memory_id("api_ns", parse_coordinate(coord))
    return [str(row[0]) for row in stack.rows("select type from memory_events where id = %s order by version", place)]


def test_a_stored_memory_is_in_postgres_in_the_index_and_in_the_event_log(stack: Stack) -> None:
    """Those that POSTGRES_URL and KAFKA_BOOTSTRAP_SERVERS name. (S-24) (S-54) (S-60)"""
    coord = stack.place()

    answer = stack.store(coord, fact="herons stand in shallow water", importance=3)

    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "indexed": True, "version": 1}
    place = memory_id("api_ns", parse_coordinate(coord))
    assert stack.rows("select namespace, version, deleted from memories where id = %s", place) == [("api_ns", 1, False)]
    point = point_of(stack, coord)
    assert point is not None
    assert set(point["vector"]) == {"dense", "bm25"}  # type: ignore[call-overload]
    eventually(lambda: events_of(stack, coord) == ["created"])
    eventually(lambda: stack.rows("select count(*) from outbox") == [(0,)])


def test_a_memory_is_recalled_right_after_it_was_stored(stack: Stack) -> None:
    coord = stack.place()
    stack.store(coord, fact="ospreys dive feet first", wing="long")

    for answer in (
        stack.recall("how do ospreys dive"),
        stack.http.get("/recall", params={"query": "ospreys dive", "filters": '{"wing": "long"}', "top_k": "3"}),
        stack.recall("ospreys", hybrid=False),
    ):
        assert answer.status_code == 200
        body = answer.json()
        assert "degraded" not in body
        best = body["matches"][0]
        assert best["fact"] == "ospreys dive feet first"
        assert best["coordinate"] == [float(part) for part in coord.split(",")]
        assert best["memory_type"] == "episodic"


def test_a_replaced_memory_is_recalled_by_its_new_words_only(stack: Stack) -> None:
    coord = stack.place()
    stack.store(coord, fact="xylophonist rehearses")

    version = stack.store(coord, fact="quetzal moults").json()["version"]

    assert version == 2
    assert [match["fact"] for match in stack.recall("quetzal").json()["matches"]][:1] == ["quetzal moults"]
    facts = [match.get("fact") for match in stack.recall("xylophonist rehearses").json()["matches"]]
    assert "xylophonist rehearses" not in facts
    eventually(lambda: events_of(stack, coord) == ["created", "updated"])


def test_a_forgotten_memory_is_gone_from_every_store(stack: Stack) -> None:
    coord = stack.place()
    stack.store(coord, fact="zugzwang puzzles")
    eventually(lambda: events_of(stack, coord) == ["created"])

    forgotten = stack.http.delete(f"/memories/{coord}")

    assert forgotten.status_code == 200
    assert stack.http.get(f"/memories/{coord}").status_code == 404
    assert stack.http.delete(f"/memories/{coord}").status_code == 404
    assert all(match.get("fact") != "zugzwang puzzles" for match in stack.recall("zugzwang puzzles").json()["matches"])
    place = memory_id("api_ns", parse_coordinate(coord))
    assert stack.rows("select deleted, payload from memories where id = %s", place) == [(True, {})]
    point = point_of(stack, coord)
    assert point is None or not point["vector"]
    eventually(lambda: events_of(stack, coord) == ["created", "deleted"])


def test_a_memory_stored_again_after_it_was_forgotten_goes_on_counting(stack: Stack) -> None:
    coord = stack.place()
    stack.store(coord, fact="first life")
    stack.http.delete(f"/memories/{coord}")

    answer = stack.store(coord, fact="second life of the kingfisher")

    assert answer.json() == {"ok": True, "indexed": True, "version": 3}
    assert stack.recall("kingfisher second life").json()["matches"][0]["fact"] == "second life of the kingfisher"
    eventually(lambda: events_of(stack, coord) == ["created", "deleted", "created"])


def test_migrating_again_changes_nothing(stack: Stack) -> None:
    """(X-09)"""
    done = run_once(stack.environment, "migrate")

    assert done.returncode == 0, done.stderr
    assert '"applied": []' in done.stderr


def test_no_secret_is_in_any_log(stack: Stack) -> None:
    stack.recall("something to log about")

    text = stack.api.text + stack.consumer.text
    assert "starting" in text
    for secret in ("for-tests-only", "a-token-for-tests"):
        assert secret not in text


def test_the_consumer_shows_its_metrics(stack: Stack) -> None:
    """(events defect 12) (S-21)"""
    coord = stack.place()
    stack.store(coord, fact="counted")
    eventually(lambda: events_of(stack, coord) == ["created"])

    text = stack.consumer.client.get("/metrics").text

    assert "consumer_messages_consumed_total{" in text
    eventually(lambda: "consumer_lag_messages{" in stack.consumer.client.get("/metrics").text)
    assert "soma_outbox_rows" in stack.http.get("/metrics").text
    assert 'consumer_process_success_total{component="both"}' in text
