"""gRPC as its clients meet it: on real stores, beside HTTP and alone, while stores are away and while it goes."""

import asyncio
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf import empty_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from somafractalmemory import memory_pb2 as pb
from somafractalmemory.adapters.migrations import migrate
from somafractalmemory.adapters.postgres import connection_arguments
from tests.integration.api.grpcprograms import at, grpc_client, grpc_running, refusal
from tests.integration.api.programs import TOKEN, Stack, base_environment, eventually, own_database, run_once
from tests.services.postgres import PostgresServer
from tests.services.qdrant import QdrantEdgeServer
from tests.services.redis import RedisServer

Code = grpc.StatusCode

# Word for word what the first release's manual tells its readers to run; only the port is replaced.
CLIENT_OF_THE_MANUAL = """
import asyncio
from somafractalmemory import memory_pb2, memory_pb2_grpc
import grpc
from google.protobuf import empty_pb2

async def run():
   async with grpc.aio.insecure_channel('localhost:50053') as ch:
            stub = memory_pb2_grpc.MemoryServiceStub(ch)
            print('Health:', (await stub.Health(empty_pb2.Empty())).status)
            coord = memory_pb2.Coordinate(values=[0.1,0.2,0.3])
            mem = memory_pb2.Memory(coord=coord, payload_json='{"ok": true}', memory_type='memories')
            store = await stub.Store(memory_pb2.StoreRequest(memory=mem))
            print('Store ok:', store.ok)
            await asyncio.sleep(0.5)
            r = await stub.Recall(memory_pb2.RetrieveRequest(query=coord, top_k=3))
            print('Recall count:', len(r.memories))
            print('Deleting...')
            await stub.Delete(memory_pb2.DeleteRequest(coord=coord))
            print('Done')

asyncio.run(run())
"""


@pytest.fixture(scope="module")
def three_stores(
    postgres_server: PostgresServer, redis_server: RedisServer, qdrant_server: QdrantEdgeServer
) -> Iterator[dict[str, str]]:
    """What `docker compose up -d postgres qdrant redis` gives: no broker."""
    with own_database(postgres_server.url) as database:
        asyncio.run(migrate(connection_arguments({"conninfo": database})))
        yield {
            "POSTGRES_URL": database,
            "REDIS_URL": redis_server.url,
            "QDRANT_URL": qdrant_server.url,
            "QDRANT_API_KEY": qdrant_server.api_key,
            "QDRANT_COLLECTION": f"test_{uuid4().hex[:8]}",
            "EVENTING_ENABLED": "false",
            "SOMA_API_TOKEN": TOKEN,
            "SOMA_RATE_LIMIT_MAX": "1000000",
        }


SERVERS = ("somafractalmemory.async_grpc_server", "somafractalmemory.grpc_server")


@pytest.mark.parametrize("module", SERVERS)
def test_the_client_of_the_manual_runs_as_it_is(three_stores: dict[str, str], tmp_path: Path, module: str) -> None:
    """(S-83) (S-84) (S-85) (S-86) (S-87) (S-92) (S-93) (S-94) (S-95) (S-96) (S-97) (gRPC defect 5)"""
    trusting = {**three_stores, "SOMA_GRPC_TRUST_LOOPBACK": "true"}
    with grpc_running(trusting, tmp_path, module) as (program, client):
        eventually(lambda: client.health() == "ok")
        done = subprocess.run(
            [sys.executable, "-c", CLIENT_OF_THE_MANUAL.replace("50053", str(program.port))],
            env=base_environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        gone = refusal(lambda: client.call("Get", pb.GetRequest(coord=at(0.1, 0.2, 0.3))))

    assert done.stdout.splitlines() == ["Health: ok", "Store ok: True", "Recall count: 1", "Deleting...", "Done"], done
    assert gone is Code.NOT_FOUND


def test_the_same_client_without_a_token_is_refused_by_default(three_stores: dict[str, str], tmp_path: Path) -> None:
    """(S-63) (gRPC defect 4)"""
    with grpc_running(three_stores, tmp_path) as (_, client):
        memory = pb.Memory(coord=at(1.0), payload_json="{}")
        code = refusal(lambda: client.stub.Store(pb.StoreRequest(memory=memory), timeout=20))

    assert code is Code.UNAUTHENTICATED


def test_one_process_serves_both_and_both_see_one_memory(stack: Stack) -> None:
    """(gRPC defect 2) (gRPC defect 13)"""
    place, other = stack.place(), stack.place()
    numbers, others = ([float(part) for part in text.split(",")] for text in (place, other))
    with grpc_client(stack.api.grpc_port) as client:
        client.store(*numbers, payload='{"fact": "a dunlin over gRPC"}')
        assert stack.http.get(f"/memories/{place}").json()["payload"] == {"fact": "a dunlin over gRPC"}
        assert [match["fact"] for match in stack.recall("dunlin", top_k=1).json()["matches"]] == ["a dunlin over gRPC"]

        stack.store(other, fact="a sanderling over HTTP")
        found = client.call("Recall", pb.RetrieveRequest(text="sanderling", top_k=1))
        near = client.call("Recall", pb.RetrieveRequest(query=at(*others), top_k=1))
        assert [json.loads(memory.payload_json) for memory in (*found.memories, *near.memories)] == [
            {"fact": "a sanderling over HTTP"}
        ] * 2

        client.call("Delete", pb.DeleteRequest(coord=at(*others)))
        assert stack.http.get(f"/memories/{other}").status_code == 404
        assert "a sanderling over HTTP" not in {match["fact"] for match in stack.recall("sanderling").json()["matches"]}
        logged = "select type from memory_events where payload ->> 'fact' = 'a dunlin over gRPC'"
        eventually(lambda: stack.rows(logged) == [("created",)])


def test_a_stream_of_memories_is_durable_and_can_be_recalled(stack: Stack) -> None:
    def items() -> Iterator[pb.StoreRequest]:
        for number in range(1500):
            payload = json.dumps({"fact": f"whimbrel {number}"})
            yield pb.StoreRequest(memory=pb.Memory(coord=at(-7.0, float(number)), payload_json=payload))

    with grpc_client(stack.api.grpc_port) as client:
        summary = client.call("StoreStream", items())
        found = client.call("Recall", pb.RetrieveRequest(text="whimbrel 1234", top_k=1))
        near = client.call("Recall", pb.RetrieveRequest(query=at(-7.0, 700.2), top_k=3))

    assert (summary.stored, summary.failed, summary.indexed) == (1500, 0, True)
    assert list(found.memories[0].coord.values) == [-7.0, 1234.0]
    assert [memory.coord.values[1] for memory in near.memories] == [700.0, 701.0, 699.0]
    assert stack.rows("select count(*) from memories where coordinate[1] = -7 and not deleted") == [(1500,)]


def test_calls_are_counted_where_http_shows_its_metrics(stack: Stack) -> None:
    """(gRPC defect 12)"""
    with grpc_client(stack.api.grpc_port) as client:
        client.store(-8.0)

    eventually(lambda: 'soma_grpc_calls_total{code="OK",method="Store"}' in stack.http.get("/metrics").text)


def test_without_the_index_places_are_still_found(three_stores: dict[str, str], tmp_path: Path) -> None:
    """(gRPC defect 8) (gRPC defect 10)"""
    with grpc_running({**three_stores, "QDRANT_URL": "http://127.0.0.1:9"}, tmp_path) as (_, client):
        eventually(lambda: client.health() == "degraded")
        stored = client.store(5.0, payload='{"fact": "a curlew"}')
        near = client.call("Recall", pb.RetrieveRequest(query=at(5.0), top_k=1))
        about = client.call("Recall", pb.RetrieveRequest(text="curlew"))

    assert (stored.ok, stored.indexed) == (True, False)
    assert list(near.memories[0].coord.values) == [5.0]
    assert (len(about.memories), list(about.degraded)) == (1, ["qdrant"])


def test_without_the_truth_every_call_says_unavailable(three_stores: dict[str, str], tmp_path: Path) -> None:
    """(gRPC defect 8) (gRPC defect 10)"""
    away = {**three_stores, "POSTGRES_URL": "postgresql://soma:hunter2@127.0.0.1:9/x"}
    with grpc_running(away, tmp_path) as (program, client):
        assert client.health() == "unavailable"
        code = refusal(lambda: client.store(1.0))
        standard: Any = health_pb2_grpc.HealthStub(client.channel)
        state = standard.Check(health_pb2.HealthCheckRequest(), timeout=20)

    assert code is Code.UNAVAILABLE
    assert state.status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert "hunter2" not in program.text


def test_an_index_that_never_answers_holds_nobody_else(three_stores: dict[str, str], tmp_path: Path) -> None:
    """(S-89) (gRPC defect 9)"""
    order: list[str] = []
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        away = {**three_stores, "QDRANT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        with grpc_running(away, tmp_path) as (_, client):

            def store() -> None:
                assert not client.store(6.0).indexed
                order.append("store")

            waiting = threading.Thread(target=store)
            waiting.start()
            for _ in range(20):
                client.call("Stats", empty_pb2.Empty())
                order.append("stats")
            waiting.join(30)

    assert order == ["stats"] * 20 + ["store"]


@pytest.mark.parametrize("module", SERVERS)
def test_sigterm_loses_no_acknowledged_write(three_stores: dict[str, str], tmp_path: Path, module: str) -> None:
    """(gRPC defect 12)"""
    acknowledged: list[float] = []
    codes: set[grpc.StatusCode] = set()

    axis = SERVERS.index(module) - 9.0
    with grpc_running(three_stores, tmp_path, module) as (program, client):

        def store(lane: int) -> None:
            for number in range(100_000):
                try:
                    client.store(axis, float(lane), float(number))
                except grpc.RpcError as error:
                    codes.add(error.code())
                    return
                acknowledged.append(lane * 1_000_000.0 + number)

        lanes = [threading.Thread(target=store, args=(lane,)) for lane in range(4)]
        for lane in lanes:
            lane.start()
        eventually(lambda: len(acknowledged) > 50)
        code = program.end()
        for lane in lanes:
            lane.join(30)

    with grpc_running(three_stores, tmp_path) as (_, client):
        kept: set[float] = set()
        after = pb.Coordinate(values=[axis, -1.0, 0.0])
        while True:
            box = pb.RangeRequest(min=at(axis, 0.0, 0.0), max=at(axis, 9.0, 1e9), after=after)
            page = client.call("Range", box)
            kept |= {coord.values[1] * 1_000_000.0 + coord.values[2] for coord in page.coords}
            if not page.HasField("next"):
                break
            after = page.next

    assert code == 0
    assert codes == {Code.UNAVAILABLE}
    assert set(acknowledged) <= kept
    assert "grpc_ended" in program.text
    assert "unexpected_error" not in program.text


def test_a_busy_port_keeps_soma_serve_from_starting(stack: Stack) -> None:
    done = run_once(
        {**stack.environment, "SOMA_GRPC_HOST": "127.0.0.1", "SOMA_GRPC_PORT": str(stack.api.grpc_port)}, "serve"
    )

    assert done.returncode == 2
    assert "SOMA_GRPC_PORT" in done.stderr
    assert "Traceback" not in done.stderr
