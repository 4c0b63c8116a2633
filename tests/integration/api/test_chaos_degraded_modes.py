"""Every store is killed in turn: the answers are the documented ones, and nothing has to be restarted but the store."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

from somafractalmemory.model import memory_id, parse_coordinate
from tests.integration.api.programs import Stack, eventually
from tests.services.kafka import KafkaServer
from tests.services.postgres import PostgresServer
from tests.services.qdrant import QdrantEdgeServer
from tests.services.redis import RedisServer
from tests.services.server import LocalServer


@contextmanager
def killed(server: LocalServer, stack: Stack) -> Iterator[None]:
    """Without this store; afterwards with it again, and with both programs as they were."""
    server.kill9()
    try:
        yield
    finally:
        if not server.running:
            server.start()
    assert stack.api.process.poll() is None
    assert stack.consumer.process.poll() is None
    eventually(lambda: all(stack.components().values()))


def without(stack: Stack, component: str) -> httpx.Response:
    """What /readyz answers once it has noticed: looks at the stores are shared for a second."""

    def noticed() -> httpx.Response | None:
        answer = stack.http.get("/readyz")
        return None if answer.json()["components"][component]["ok"] else answer

    answer = eventually(noticed)
    assert answer is not None
    return answer


def logged(stack: Stack, coord: str) -> list[tuple[object, ...]]:
    """The versions of this place that came back through Kafka."""
    place = memory_id("api_ns", parse_coordinate(coord))
    return stack.rows("select version from memory_events where id = %s order by version", place)


def test_without_the_index_memories_are_kept_and_recalled_by_words(
    stack: Stack, qdrant_server: QdrantEdgeServer
) -> None:
    """What the index missed is repaired from the outbox. (core defect 3)"""
    before, during = stack.place(), stack.place()
    stack.store(before, fact="marmots whistle at noon")

    with killed(qdrant_server, stack):
        stored = stack.store(during, fact="marmots hibernate together")
        recalled = stack.recall("marmots")
        ready = without(stack, "qdrant")

        assert stored.status_code == 200
        assert stored.json()["indexed"] is False
        assert recalled.status_code == 200
        assert recalled.json()["degraded"] == ["qdrant"]
        assert {match["fact"] for match in recalled.json()["matches"]} == {
            "marmots whistle at noon",
            "marmots hibernate together",
        }
        assert ready.status_code == 200
        assert ready.json()["status"] == "degraded"
        assert stack.http.get("/healthz").status_code == 200

    def found_by_index() -> bool:
        body = stack.recall("marmots").json()
        best = {match.get("fact") for match in body["matches"][:2]}
        return "degraded" not in body and best == {"marmots whistle at noon", "marmots hibernate together"}

    eventually(found_by_index)


def test_a_memory_forgotten_without_the_index_does_not_come_back_with_it(
    stack: Stack, qdrant_server: QdrantEdgeServer
) -> None:
    coord = stack.place()
    stack.store(coord, fact="unrepeatable gnocchi")

    with killed(qdrant_server, stack):
        forgotten = stack.http.delete(f"/memories/{coord}")
        assert forgotten.status_code == 200
        assert forgotten.json()["indexed"] is False

    def gone() -> bool:
        body = stack.recall("unrepeatable gnocchi").json()
        return "degraded" not in body and all(match.get("fact") != "unrepeatable gnocchi" for match in body["matches"])

    eventually(gone)
    eventually(lambda: logged(stack, coord) == [(1,), (2,)])


def test_without_redis_requests_are_counted_in_the_process(stack: Stack, redis_server: RedisServer) -> None:
    with killed(redis_server, stack):
        answer = stack.recall("anything")

        assert answer.status_code == 200
        assert answer.headers["ratelimit-limit"] == "1000000"
        assert without(stack, "redis").status_code == 200


def test_without_kafka_events_wait_in_the_outbox(stack: Stack, kafka_server: KafkaServer) -> None:
    """(events defect 9)"""
    coord = stack.place()

    with killed(kafka_server, stack):
        stored = stack.store(coord, fact="written while nobody published")
        ready = without(stack, "kafka")

        assert stored.status_code == 200
        assert stored.json()["indexed"] is True
        assert stack.rows("select count(*) from outbox") == [(1,)]
        assert ready.status_code == 200
        assert stack.recall("written while nobody published").json()["matches"][0]["coordinate"][0] == float(
            coord.split(",", maxsplit=1)[0]
        )
        eventually(lambda: "soma_outbox_rows 1.0" in stack.http.get("/metrics").text)

    eventually(lambda: logged(stack, coord) == [(1,)], seconds=60)
    eventually(lambda: stack.rows("select count(*) from outbox") == [(0,)])


def test_without_postgres_nothing_is_acknowledged(stack: Stack, postgres_server: PostgresServer) -> None:
    """(events defect 4)"""
    kept, refused = stack.place(), stack.place()
    stack.store(kept, fact="petrels nest in burrows")

    with killed(postgres_server, stack):
        requests: list[Callable[[], httpx.Response]] = [
            lambda: stack.store(refused, fact="never acknowledged"),
            lambda: stack.recall("petrels"),
            lambda: stack.http.get(f"/memories/{kept}"),
            lambda: stack.http.delete(f"/memories/{kept}"),
            lambda: stack.http.get("/stats"),
        ]
        with ThreadPoolExecutor(len(requests)) as threads:
            answers = list(threads.map(lambda send: send(), requests))
        ready = without(stack, "postgres")

        for answer in answers:
            assert answer.status_code == 503, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert int(answer.headers["retry-after"]) >= 1
        assert ready.status_code == 503
        assert stack.http.get("/healthz").status_code == 200

    assert stack.http.get("/stats").status_code == 200
    assert stack.recall("petrels nest in burrows").json()["matches"][0]["fact"] == "petrels nest in burrows"
    assert stack.http.get(f"/memories/{kept}").status_code == 200
    stored = stack.store(refused, fact="acknowledged now")
    assert stored.status_code == 200
    eventually(lambda: logged(stack, refused)[-1:] == [(stored.json()["version"],)])


def test_no_acknowledged_memory_is_lost_when_postgres_is_killed_in_the_middle(
    stack: Stack, postgres_server: PostgresServer
) -> None:
    acknowledged = []
    for number in range(50):
        coord = stack.place()
        if number == 20:
            postgres_server.kill9()
        if number == 23:
            postgres_server.start()
        answer = stack.store(coord, fact=f"numbered {number}")
        assert answer.status_code in {200, 503}
        if answer.status_code == 200:
            acknowledged.append(coord)

    eventually(lambda: all(stack.components().values()))
    assert len(acknowledged) >= 20
    assert [coord for coord in acknowledged if stack.http.get(f"/memories/{coord}").status_code != 200] == []
    eventually(lambda: all(logged(stack, coord) for coord in acknowledged))


def test_a_lost_index_is_filled_again_from_postgres(stack: Stack, qdrant_server: QdrantEdgeServer) -> None:
    coord = stack.place()
    stack.store(coord, fact="axolotl regrows its gills")

    with killed(qdrant_server, stack):
        for folder in (qdrant_server.folder / "storage").iterdir():
            qdrant_server.run(["rm", "-rf", str(folder)])

    def found() -> bool:
        body = stack.recall("axolotl gills").json()
        return "degraded" not in body and [match["fact"] for match in body["matches"]][:1] == [
            "axolotl regrows its gills"
        ]

    eventually(found, seconds=60)
