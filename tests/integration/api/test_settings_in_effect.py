"""The settings that the service is told do what they say, seen from outside."""

from pathlib import Path

import httpx
import orjson
import psycopg
from confluent_kafka import Consumer, TopicPartition

from tests.integration.api.programs import TOKEN, Stack, eventually, own_database, run_once, running
from tests.services.postgres import PostgresServer


def test_the_truth_is_where_postgres_url_points(stack: Stack, postgres_server: PostgresServer, tmp_path: Path) -> None:
    """A second API on a database of its own shares no memory. (S-54)"""
    coord = stack.place()
    with own_database(postgres_server.url) as other:
        own = {"POSTGRES_URL": other, "QDRANT_COLLECTION": "settings_in_effect", "EVENTING_ENABLED": "false"}
        given = {**stack.environment, **own}
        assert run_once(given, "migrate").returncode == 0
        with running("serve", given, tmp_path) as api:
            eventually(lambda: api.client.get("/readyz").status_code == 200)
            stored = api.client.post("/store", json={"coord": coord, "payload": {"fact": "kept elsewhere"}})
            assert stored.status_code == 200
        with psycopg.connect(other) as connection:
            kept = connection.execute("select payload ->> 'fact' from memories").fetchall()

    assert kept == [("kept elsewhere",)]
    assert stack.http.get(f"/memories/{coord}").status_code == 404


def test_events_go_to_the_broker_that_is_named(stack: Stack) -> None:
    """(S-60)"""
    coord, topic = stack.place(), stack.environment["KAFKA_MEMORY_EVENTS_TOPIC"]
    reader = Consumer({"bootstrap.servers": stack.environment["KAFKA_BOOTSTRAP_SERVERS"], "group.id": "reader"})
    try:
        partitions = list(reader.list_topics(topic, 20).topics[topic].partitions)
        ends = [reader.get_watermark_offsets(TopicPartition(topic, number), 20)[1] for number in partitions]
        reader.assign([TopicPartition(topic, number, end) for number, end in zip(partitions, ends, strict=True)])
        stack.store(coord, fact="told to the named broker")

        def seen() -> bool:
            messages = reader.consume(500, 1.0)
            return any(b"told to the named broker" in (message.value() or b"") for message in messages)

        eventually(seen, seconds=90)  # what earlier tests stored may still wait in the outbox
    finally:
        reader.close()


def test_a_spent_budget_comes_back_after_its_window(stack: Stack, tmp_path: Path) -> None:
    """Counted in Redis, for each token; refusals do not lengthen the window. (S-65) (X-07) (http defect 10)"""
    given = {
        **stack.environment,
        "SOMA_RATE_LIMIT_MAX": "3",
        "SOMA_RATE_LIMIT_WINDOW_SECONDS": "8",
        "SOMA_API_TOKEN": f"{TOKEN} one another",
    }
    with running("serve", given, tmp_path) as api:
        one, another = ({"Authorization": f"Bearer {token}"} for token in ("one", "another"))
        answers = [api.client.get("/stats", headers=one) for _ in range(5)]
        other = api.client.get("/stats", headers=another)
        again: list[int] = []

        def back() -> bool:
            again.append(api.client.get("/stats", headers=one).status_code)
            return again[-1] == 200

        eventually(back)

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert orjson.loads(answers[3].content)["detail"] == "Rate limit exceeded"
    assert 1 <= int(answers[3].headers["retry-after"]) <= 9
    assert other.status_code == 200
    assert set(again) <= {200, 429}


def test_the_budget_is_60_requests_a_minute_unless_it_is_set(stack: Stack, tmp_path: Path) -> None:
    """(S-65)"""
    given = {name: value for name, value in stack.environment.items() if name != "SOMA_RATE_LIMIT_MAX"}
    with running("serve", {**given, "SOMA_API_TOKEN": "a-fresh-token"}, tmp_path) as api:
        headers = {"Authorization": "Bearer a-fresh-token"}
        with httpx.Client(base_url=api.url, headers=headers, trust_env=False) as client:
            answer = client.get("/stats")

    assert answer.headers["ratelimit-limit"] == "60"
    assert answer.headers["ratelimit-remaining"] == "59"
    assert 1 <= int(answer.headers["ratelimit-reset"]) <= 60


def test_a_term_is_found_by_the_trigram_index(stack: Stack) -> None:
    """(core defect 14)"""
    with psycopg.connect(stack.postgres_url) as connection:
        connection.execute("set enable_seqscan = off")
        plan = connection.execute("explain select id from memories where search_text like '%puffin%'").fetchall()

    assert any("memories_letters" in line for (line,) in plan)
