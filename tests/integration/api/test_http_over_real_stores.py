"""The guard and the process as clients meet them: tokens, budgets, signals."""

import signal
import threading
from pathlib import Path

import httpx
import pytest

from tests.integration.api.programs import Stack, eventually, run_once, running


def test_requests_without_or_with_a_wrong_token_are_refused(stack: Stack) -> None:
    """(S-63)"""
    with httpx.Client(base_url=stack.api.url, trust_env=False) as client:
        missing = client.get("/stats")
        wrong = client.get("/stats", headers={"Authorization": "Bearer guessed"})

    assert missing.status_code == 401
    assert missing.headers["www-authenticate"] == "Bearer"
    assert wrong.status_code == 403


def test_a_request_beyond_the_budget_is_told_when_to_come_back(stack: Stack, tmp_path: Path) -> None:
    """(S-65)"""
    budget = {"SOMA_RATE_LIMIT_MAX": "2", "SOMA_RATE_LIMIT_WINDOW_SECONDS": "30", "SOMA_API_TOKEN": f"t-{tmp_path}"}
    headers = {"Authorization": f"Bearer t-{tmp_path}"}
    with running("serve", {**stack.environment, **budget}, tmp_path) as api:
        answers = [api.client.get("/stats", headers=headers) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert all(answer.headers["ratelimit-limit"] == "2" for answer in answers)
    assert 1 <= int(answers[2].headers["retry-after"]) <= 31


def test_a_spent_budget_is_there_again_after_its_window(stack: Stack, tmp_path: Path) -> None:
    """(S-65)"""
    budget = {"SOMA_RATE_LIMIT_MAX": "1", "SOMA_RATE_LIMIT_WINDOW_SECONDS": "1", "SOMA_API_TOKEN": f"t-{tmp_path}"}
    headers = {"Authorization": f"Bearer t-{tmp_path}"}
    with running("serve", {**stack.environment, **budget}, tmp_path) as api:

        def status() -> int:
            return api.client.get("/stats", headers=headers).status_code

        eventually(lambda: status() == 429)
        eventually(lambda: status() == 200)


def test_two_processes_share_one_budget(stack: Stack, tmp_path: Path) -> None:
    """(http defect 17)"""
    budget = {"SOMA_RATE_LIMIT_MAX": "3", "SOMA_RATE_LIMIT_WINDOW_SECONDS": "60", "SOMA_API_TOKEN": f"t-{tmp_path}"}
    headers = {"Authorization": f"Bearer t-{tmp_path}"}
    given = {**stack.environment, **budget}
    with running("serve", given, tmp_path) as one, running("serve", given, tmp_path) as other:
        statuses = [client.get("/stats", headers=headers).status_code for client in (one.client, other.client) * 2]

    assert statuses == [200, 200, 200, 429]


def test_a_changed_token_file_is_read_without_a_restart(stack: Stack, tmp_path: Path) -> None:
    """(S-64)"""
    file = tmp_path / "tokens"
    file.write_text("first-token\n")
    given = {name: value for name, value in stack.environment.items() if name != "SOMA_API_TOKEN"}
    with running("serve", {**given, "SOMA_API_TOKEN_FILE": str(file)}, tmp_path) as api:

        def status(token: str) -> int:
            return api.client.get("/stats", headers={"Authorization": f"Bearer {token}"}).status_code

        assert (status("first-token"), status("second-token")) == (200, 403)
        file.write_text("second-token\n")
        eventually(lambda: (status("first-token"), status("second-token")) == (403, 200))


def test_sigterm_lets_requests_under_way_finish(stack: Stack, tmp_path: Path) -> None:
    answers: list[int | str] = []
    with running("serve", stack.environment, tmp_path) as api:

        def store() -> None:
            with httpx.Client(base_url=api.url, headers=api.client.headers, trust_env=False) as client:
                for _ in range(1000):
                    body = {"coord": stack.place(), "payload": {"fact": "under way"}}
                    try:
                        answer = client.post("/store", json=body)
                    except httpx.TransportError as error:
                        answers.append(repr(error))
                        return
                    answers.append(answer.status_code)
                    if answer.headers.get("connection") == "close":
                        return  # that is how it says that it goes

        clients = [threading.Thread(target=store) for _ in range(4)]
        for client in clients:
            client.start()
        eventually(lambda: len(answers) > 20)
        code = api.end()
        for client in clients:
            client.join(20)

    assert code in {0, -signal.SIGTERM}
    assert set(answers) == {200}
    assert "Application shutdown complete" in api.text
    assert "unexpected_error" not in api.text


def test_the_consumer_ends_in_order_on_sigterm(stack: Stack, tmp_path: Path) -> None:
    """(events defect 12)"""
    given = {**stack.environment, "KAFKA_CONSUMER_GROUP": f"other-{tmp_path.name}"}
    with running("consume", given, tmp_path) as consumer:
        eventually(lambda: "partitions_assigned" in consumer.text)
        code = consumer.end()

    assert code in {0, -signal.SIGTERM}
    assert "Application shutdown complete" in consumer.text
    assert "group_not_left" not in consumer.text


def test_the_api_starts_while_every_store_is_away(tmp_path: Path) -> None:
    nowhere = {
        "POSTGRES_URL": "postgresql://soma@127.0.0.1:9/somamemory",
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "QDRANT_URL": "http://127.0.0.1:9",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
        "SOMA_API_TOKEN": "a-token-for-tests",
    }
    with running("serve", nowhere, tmp_path) as api:
        ready = api.client.get("/readyz")
        stats = api.client.get("/stats")

    assert ready.status_code == 503
    assert {name: part["ok"] for name, part in ready.json()["components"].items()} == dict.fromkeys(
        ("postgres", "redis", "qdrant", "kafka"), False
    )
    assert stats.status_code == 503


@pytest.mark.parametrize("command", ["serve", "consume"])
def test_a_program_without_configuration_says_what_is_missing(command: str) -> None:
    done = run_once({}, command)

    assert done.returncode == 2
    assert "POSTGRES_URL" in done.stderr
    assert "KAFKA_BOOTSTRAP_SERVERS" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_schema_of_an_empty_database_is_named_as_missing(stack: Stack, tmp_path: Path, postgres_url: str) -> None:
    with running("serve", {**stack.environment, "POSTGRES_URL": postgres_url}, tmp_path) as api:
        ready = api.client.get("/readyz")
        stored = api.client.post("/store", json={"coord": "1", "payload": {}})

    assert ready.status_code == 503
    assert "soma migrate" in ready.json()["components"]["postgres"]["detail"]
    assert stored.status_code == 503
    assert "soma migrate" in stored.json()["detail"]
