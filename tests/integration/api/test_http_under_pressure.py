"""What the original did badly while a store was slow, protected or full; on real stores."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import psycopg

from somafractalmemory.adapters import statements
from tests.integration.api.programs import TOKEN, Stack, eventually


def test_a_slow_store_does_not_stop_the_probes_nor_the_others(stack: Stack) -> None:
    """(http defect 11)"""
    place, other = stack.place(), stack.place()
    assert stack.store(place, n=1).status_code == 200

    def store() -> int:
        with httpx.Client(base_url=stack.api.url, headers=stack.http.headers, trust_env=False, timeout=20) as client:
            return client.post("/store", json={"coord": place, "payload": {"n": 2}}).status_code

    with psycopg.connect(stack.postgres_url) as holder, ThreadPoolExecutor(1) as pool:
        holder.execute("select from memories where coordinate[1] = %s for update", (float(place.split(",")[0]),))
        waiting = pool.submit(store)
        blocked = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        eventually(lambda: stack.rows(blocked))

        assert stack.http.get("/healthz").status_code == 200
        assert stack.http.get("/readyz").status_code == 200
        assert stack.store(other, n=1).status_code == 200
        assert not waiting.done()
        holder.rollback()
        assert waiting.result(20) == 200


def test_counting_is_one_aggregate_and_no_read_of_each_memory(stack: Stack) -> None:
    """(http defect 20)"""
    plan = stack.rows("explain " + statements.COUNT.replace("%(namespace)s", "%s"), "api_ns")

    assert "Aggregate" in str(plan[0][0])


def test_a_redis_that_wants_a_password_is_used(stack: Stack) -> None:
    """(http defect 24)"""
    assert urlsplit(stack.environment["REDIS_URL"]).password

    assert stack.components()["redis"]


def test_a_refusal_gives_no_hint_at_where_a_token_differs(stack: Stack) -> None:
    answers = {
        (answer.status_code, answer.text)
        for wrong in ("x", TOKEN[:-1], TOKEN + "x", TOKEN.upper())
        for answer in [stack.http.get("/stats", headers={"authorization": f"Bearer {wrong}"})]
    }

    assert len(answers) == 1
