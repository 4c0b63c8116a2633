"""The gate of gRPC: tokens, budgets, deadlines, limits, errors; and the server around it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf import empty_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

from somafractalmemory import memory_pb2 as pb
from somafractalmemory import tracing
from somafractalmemory.errors import ConfigurationError
from somafractalmemory.grpcface import gate
from somafractalmemory.grpcface.gate import NAME
from somafractalmemory.grpcface.listening import check_listening
from somafractalmemory.grpcface.server import serving_grpc
from somafractalmemory.grpcface.servicer import MemoryServicer
from somafractalmemory.grpcface.statuses import STATUSES
from somafractalmemory.httpface import app as http
from somafractalmemory.memory_pb2_grpc import MemoryServiceStub, add_MemoryServiceServicer_to_server
from somafractalmemory.security.callers import Scope
from somafractalmemory.settings import Settings
from somafractalmemory.usecases.bulkstoring import BATCH
from tests.unit.api_server.conftest import World, eventually
from tests.unit.api_server.grpcworld import BEARER, Client, at, grpc_client, refused, trailing

Code = grpc.StatusCode


@pytest.fixture
async def client(world: World) -> AsyncIterator[Client]:
    """A client with the right token."""
    async with grpc_client(world) as opened:
        yield opened


def every_call() -> list[str]:
    """The calls of the service but Health."""
    return [
        method.name for method in pb.DESCRIPTOR.services_by_name["MemoryService"].methods if method.name != "Health"
    ]


async def outcome(client: Client, name: str, metadata: tuple[tuple[str, str], ...]) -> grpc.StatusCode:
    """How a call with an empty request ends."""
    method = pb.DESCRIPTOR.services_by_name["MemoryService"].methods_by_name[name]
    request = empty_pb2.Empty() if method.input_type.name == "Empty" else getattr(pb, method.input_type.name)()
    call = getattr(client.stub, name)(iter([request]) if method.client_streaming else request, metadata=metadata)
    try:
        if method.server_streaming:
            async for _ in call:
                pass
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    return Code.OK


@pytest.mark.parametrize("name", every_call())
async def test_no_call_goes_without_the_right_token(client: Client, name: str) -> None:
    """(S-63) (gRPC defect 4)"""
    assert await outcome(client, name, ()) is Code.UNAUTHENTICATED
    assert await outcome(client, name, (("authorization", "Bearer guessed"),)) is Code.PERMISSION_DENIED
    assert await outcome(client, name, BEARER) in {Code.OK, Code.INVALID_ARGUMENT}


async def test_health_needs_no_token_and_tells_of_every_store(world: World, client: Client) -> None:
    """(S-92) (gRPC defect 10)"""
    assert (await client.stub.Health(empty_pb2.Empty())).status == "ok"
    world.vectors.away = True
    degraded = await client.stub.Health(empty_pb2.Empty())
    world.records.away = True
    unavailable = await client.stub.Health(empty_pb2.Empty())

    assert (degraded.status, dict(degraded.components)) == ("degraded", {"postgres": True, "qdrant": False})
    assert unavailable.status == "unavailable"


async def test_the_standard_health_service_has_real_state_for_each_name(world: World, client: Client) -> None:
    """(gRPC defect 10)"""
    stub: Any = health_pb2_grpc.HealthStub(client.channel)

    async def state(name: str) -> str:
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
        return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))

    assert [await state(name) for name in ("", NAME, "qdrant")] == ["SERVING"] * 3
    world.vectors.away = True
    assert [await state(name) for name in ("", NAME, "qdrant")] == ["SERVING", "SERVING", "NOT_SERVING"]
    world.records.away = True
    assert [await state(name) for name in ("", NAME, "postgres")] == ["NOT_SERVING"] * 3
    assert (await refused(stub.Check(health_pb2.HealthCheckRequest(service="nobody")))).code() is Code.NOT_FOUND


async def test_reflection_names_the_services(client: Client) -> None:
    """(gRPC defect 10)"""
    channel: Any = client.channel
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    async for answer in stub.ServerReflectionInfo(iter([asked])):
        names = {service.name for service in answer.list_services_response.service}

    assert {NAME, "grpc.health.v1.Health"} <= names


async def test_a_spent_budget_says_when_to_come_back(world: World) -> None:
    """(gRPC defect 8)"""
    async with grpc_client(world, SOMA_RATE_LIMIT_MAX="2", SOMA_RATE_LIMIT_WINDOW_SECONDS="30") as client:
        await client.store(1.0)
        await client.store(1.0)
        error = await refused(client.store(1.0))

        assert error.code() is Code.RESOURCE_EXHAUSTED
        assert 1 <= int(trailing(error)["retry-after"]) <= 31
        assert trailing(error)["ratelimit-remaining"] == "0"
        assert (await client.get(1.0)).version == 2  # another call has a budget of its own


@pytest.mark.parametrize(
    ("name", "request_", "word"),
    [
        ("Store", pb.StoreRequest(memory=pb.Memory(coord=at(1.0), payload_json="{")), "payload_json"),
        ("Store", pb.StoreRequest(memory=pb.Memory(coord=at(1.0), payload_json="[1]")), "payload_json"),
        ("Store", pb.StoreRequest(memory=pb.Memory(coord=at(1.0), payload_json='{"a": NaN}')), "payload_json"),
        ("Store", pb.StoreRequest(memory=pb.Memory(coord=at(1.0), payload_json='{"a": "\\u0000"}')), "NUL"),
        ("Store", pb.StoreRequest(memory=pb.Memory(coord=at(1.0), payload_json='{"importance": "x"}')), "importance"),
        ("Store", pb.StoreRequest(memory=pb.Memory(coord=at(1.0), payload_json='{"a":' * 90 + "1" + "}" * 90)), "deep"),
        ("Store", pb.StoreRequest(memory=pb.Memory(payload_json="{}")), "coord"),
        ("Store", pb.StoreRequest(memory=pb.Memory(coord=at(float("nan")), payload_json="{}")), "coord"),
        ("Store", pb.StoreRequest(memory=pb.Memory(coord=at(float("inf")), payload_json="{}")), "coord"),
        ("Store", pb.StoreRequest(memory=pb.Memory(coord=at(*[1.0] * 65), payload_json="{}")), "64"),
        ("Recall", pb.RetrieveRequest(), "query"),
        ("Recall", pb.RetrieveRequest(query=pb.Coordinate()), "query"),
        ("Recall", pb.RetrieveRequest(query=at(1.0), text="both"), "query"),
        ("Recall", pb.RetrieveRequest(query=at(1.0), explain=True), "explain"),
        ("Recall", pb.RetrieveRequest(query=at(1.0), top_k=1001), "limit"),
        ("Recall", pb.RetrieveRequest(query=at(1.0), top_k=-1), "limit"),
        ("Recall", pb.RetrieveRequest(text="x", top_k=1001), "top_k"),
        ("Recall", pb.RetrieveRequest(text="x", filters_json="[]"), "filters_json"),
        ("Recall", pb.RetrieveRequest(text="x", boost=float("nan")), "boost"),
        ("Recall", pb.RetrieveRequest(text="x", terms=["y"] * 33), "terms"),
        ("RecallBatch", pb.RecallBatchRequest(requests=[pb.RetrieveRequest(text="x")] * 65), "64"),
        ("RecallBatch", pb.RecallBatchRequest(requests=[pb.RetrieveRequest()]), "requests.0"),
        ("Range", pb.RangeRequest(min=at(1.0), max=at(1.0, 2.0)), "dimensions"),
        ("Range", pb.RangeRequest(min=at(1.0), max=at(2.0), limit=5000), "limit"),
        ("KeywordSearch", pb.KeywordRequest(term="x", mode="regex"), "mode"),
        ("KeywordSearch", pb.KeywordRequest(), "term"),
        ("Link", pb.LinkRequest(source=at(1.0), target=at(1.0)), "itself"),
        ("Link", pb.LinkRequest(source=at(1.0), target=at(2.0), weight=-1.0), "weight"),
        ("SetImportance", pb.ImportanceRequest(coord=at(1.0), importance=float("inf")), "importance"),
        ("StoreBulk", pb.StoreBulkRequest(memories=[pb.Memory(coord=at(1.0))]), "item 0"),
        ("StoreBulk", pb.StoreBulkRequest(memories=[pb.Memory()] * 1001), "1000"),
        ("DeleteMany", pb.DeleteManyRequest(coords=[at(1.0), at()]), "coords.1"),
    ],
)
async def test_a_wrong_request_is_told_its_field(client: Client, name: str, request_: object, word: str) -> None:
    """(gRPC defect 8)"""
    call = getattr(client.stub, name)(request_, metadata=BEARER, timeout=20)
    error = await refused(call.read() if name == "RecallBatch" else call)

    assert error.code() is Code.INVALID_ARGUMENT
    assert word in str(error.details())


async def test_unknown_places_are_not_found(client: Client) -> None:
    """(gRPC defect 8)"""
    await client.store(1.0)
    for name, request in (
        ("Get", pb.GetRequest(coord=at(9.0))),
        ("Versions", pb.GetRequest(coord=at(9.0))),
        ("Amend", pb.AmendRequest(coord=at(9.0), patch_json="{}")),
        ("Link", pb.LinkRequest(source=at(1.0), target=at(9.0))),
        ("Unlink", pb.LinkRequest(source=at(1.0), target=at(9.0))),
        ("Neighbors", pb.NeighborsRequest(coord=at(9.0))),
    ):
        assert (await refused(client.call(name, request))).code() is Code.NOT_FOUND, name


async def test_an_absent_truth_is_unavailable_and_an_absent_index_is_not(world: World, client: Client) -> None:
    """(gRPC defect 8)"""
    await client.store(1.0, payload='{"fact": "an avocet"}')
    world.vectors.away = True
    stored = await client.store(2.0, payload='{"fact": "an avocet too"}')
    recalled = await client.call("Recall", pb.RetrieveRequest(text="avocet"))
    world.records.away = True
    error = await refused(client.store(3.0))

    assert (stored.ok, stored.indexed) == (True, False)
    assert (len(recalled.memories), list(recalled.degraded)) == (2, ["qdrant"])
    assert error.code() is Code.UNAVAILABLE
    assert int(trailing(error)["retry-after"]) >= 1


async def test_a_stream_that_loses_the_truth_tells_how_far_it_came(world: World, client: Client) -> None:
    async def items() -> AsyncIterator[pb.StoreRequest]:
        for number in range(2 * BATCH):
            if number == BATCH + 1:
                while (await world.records.count("api_ns")).episodic < BATCH:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
                world.records.away = True
            yield pb.StoreRequest(memory=pb.Memory(coord=at(float(number)), payload_json="{}"))

    error = await refused(client.call("StoreStream", items()))

    assert error.code() is Code.UNAVAILABLE
    assert f"{BATCH} memories are stored" in str(error.details())


async def test_an_error_that_nobody_foresaw_is_not_shown(world: World) -> None:
    """(gRPC defect 8)"""

    class Broken(MemoryServicer):
        @gate.answers(Scope.READ)
        async def Get(self, *_: object) -> pb.Memory:  # noqa: N802
            raise RuntimeError("postgresql://soma:secret@host/db")

    error = await _ends(world, Broken)

    assert error.code() is Code.INTERNAL
    assert "secret" not in str(error.details())


async def test_a_call_ends_at_the_callers_deadline(world: World) -> None:
    """(gRPC defect 8)"""
    ended = asyncio.Event()

    class Slow(MemoryServicer):
        @gate.answers(Scope.READ)
        async def Get(self, *_: object) -> pb.Memory:  # noqa: N802
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            raise AssertionError("unreachable")

    error = await _ends(world, Slow, seconds=0.2)
    await asyncio.wait_for(ended.wait(), 10)

    assert error.code() is Code.DEADLINE_EXCEEDED


async def _ends(world: World, servicer: type[MemoryServicer], *, seconds: float = 20.0) -> grpc.aio.AioRpcError:
    """How `Get` of this servicer ends."""
    server = grpc.aio.server()
    async with world.runtime(Settings.model_validate({"SOMA_RATE_LIMIT_MAX": "0"})) as runtime:
        add_MemoryServiceServicer_to_server(servicer(runtime), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            get = MemoryServiceStub(channel).Get
            error = await refused(get(pb.GetRequest(coord=at(1.0)), metadata=BEARER, timeout=seconds))
        await server.stop(None)
    return error


async def test_a_stream_that_stops_without_an_end_is_ended(world: World) -> None:
    async def items() -> AsyncIterator[pb.StoreRequest]:
        yield pb.StoreRequest(memory=pb.Memory(coord=at(1.0), payload_json="{}"))
        await asyncio.Event().wait()

    async with grpc_client(world, SOMA_BODY_TIMEOUT_SECONDS="0.2") as client:
        error = await refused(client.call("StoreStream", items()))

    assert error.code() is Code.DEADLINE_EXCEEDED
    assert "nothing came" in str(error.details())


def test_every_error_of_http_has_a_status_here() -> None:
    assert set(http.STATUSES) <= set(STATUSES)


async def test_a_message_larger_than_the_limit_is_refused(world: World) -> None:
    async with grpc_client(world, SOMA_MAX_REQUEST_BODY_MB="0.01") as client:
        error = await refused(client.store(1.0, payload='{"fact": "' + "x" * 20_000 + '"}'))

        assert error.code() is Code.RESOURCE_EXHAUSTED
        assert (await client.store(1.0)).ok


async def test_a_call_is_a_span_of_its_callers_trace(client: Client) -> None:
    """(S-98)"""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    try:
        await client.store(1.0, metadata=(*BEARER, ("traceparent", f"00-{'a' * 32}-{'b' * 16}-01")))
        await refused(client.get(2.0))
        await eventually(lambda: len(exporter.get_finished_spans()) == 2)
    finally:
        tracing.use(None)

    stored, missing = exporter.get_finished_spans()
    assert stored.context is not None
    assert (stored.name, f"{stored.context.trace_id:x}") == (f"{NAME}/Store", "a" * 32)
    assert [dict(span.attributes or {})["rpc.grpc.status_code"] for span in (stored, missing)] == [0, 5]


async def test_calls_are_counted_by_method_and_status(client: Client) -> None:
    """(gRPC defect 12)"""

    def count(method: str, code: str) -> float:
        return REGISTRY.get_sample_value("soma_grpc_calls_total", {"method": method, "code": code}) or 0.0

    before = count("Store", "OK"), count("Get", "NOT_FOUND")
    await client.store(1.0)
    await refused(client.get(2.0))

    # A call is counted when it is over, which its caller may hear of first.
    await eventually(lambda: count("Store", "OK") - before[0] == count("Get", "NOT_FOUND") - before[1] == 1)


async def test_a_call_under_way_is_finished_before_the_server_goes(world: World) -> None:
    """(gRPC defect 12)"""
    leaving = asyncio.Event()

    async def items() -> AsyncIterator[pb.StoreRequest]:
        for number in range(BATCH):
            yield pb.StoreRequest(memory=pb.Memory(coord=at(float(number)), payload_json="{}"))
        while (await world.records.count("api_ns")).episodic < BATCH:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        leaving.set()
        yield pb.StoreRequest(memory=pb.Memory(coord=at(-1.0), payload_json="{}"))

    settings = Settings.model_validate({"SOMA_RATE_LIMIT_MAX": "0", "SOMA_GRPC_HOST": "127.0.0.1"})
    async with world.runtime(settings) as runtime, serving_grpc(runtime, leaving=leaving, port=0) as port:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            client = Client(channel, port)
            summary = await client.call("StoreStream", items())
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            late = await refused(Client(channel, port).store(3.0))

    assert summary.stored == BATCH + 1
    assert late.code() is Code.UNAVAILABLE


async def test_two_servers_never_share_a_port(world: World, client: Client) -> None:
    settings = Settings.model_validate({"SOMA_GRPC_HOST": "127.0.0.1", "SOMA_GRPC_PORT": str(client.port)})
    async with world.runtime(settings) as runtime:
        with pytest.raises(ConfigurationError, match="SOMA_GRPC_PORT"):
            async with serving_grpc(runtime):
                pass


def test_a_busy_port_is_told_before_anything_is_opened() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"127\.0\.0\.1:{port}.*choose another port"):
            check_listening(Settings.model_validate({"SOMA_GRPC_HOST": "127.0.0.1", "SOMA_GRPC_PORT": str(port)}))


@pytest.mark.parametrize(
    ("variables", "word"),
    [
        ({"SOMA_GRPC_TLS_CERT": "/some/cert"}, "both"),
        ({"SOMA_GRPC_TLS_CERT": "/nowhere/cert", "SOMA_GRPC_TLS_KEY": "/nowhere/key"}, "/nowhere/"),
        ({"SOMA_GRPC_TRUST_LOOPBACK": "true"}, "SOMA_GRPC_HOST=127.0.0.1"),
        ({"SOMA_GRPC_TRUST_LOOPBACK": "true", "SOMA_GRPC_HOST": "example.org"}, "SOMA_GRPC_HOST=127.0.0.1"),
    ],
)
def test_a_wrong_setting_is_named(variables: dict[str, str], word: str) -> None:
    with pytest.raises(ConfigurationError, match=word):
        check_listening(Settings.model_validate(variables))


async def test_a_trusting_server_still_looks_at_a_token_that_is_given(world: World) -> None:
    async with grpc_client(world, SOMA_GRPC_TRUST_LOOPBACK="true") as client:
        assert (await client.store(1.0, metadata=())).ok
        wrong = await refused(client.store(1.0, metadata=(("authorization", "Bearer guessed"),)))

    assert wrong.code() is Code.PERMISSION_DENIED


async def test_the_port_is_the_seeds_unless_it_is_set(world: World) -> None:
    """The original had the setting, too, but its servers did not read it. (S-90) (gRPC defect 1)"""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    settings = Settings.model_validate({"SOMA_GRPC_PORT": str(free), "SOMA_GRPC_HOST": "127.0.0.1"})

    async with world.runtime(settings) as runtime, serving_grpc(runtime) as port:
        assert port == free
    assert Settings().grpc_port == 50053


async def test_tls_is_spoken_when_it_is_configured(world: World, tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path)
    settings = {"SOMA_GRPC_TLS_CERT": str(cert), "SOMA_GRPC_TLS_KEY": str(key)}
    async with grpc_client(world, **settings) as plain:
        assert (await refused(plain.store(1.0, timeout=5))).code() is Code.UNAVAILABLE
        trust = grpc.ssl_channel_credentials(cert.read_bytes())
        async with grpc.aio.secure_channel(f"localhost:{plain.port}", trust) as channel:
            assert (await Client(channel, plain.port).store(1.0)).ok


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of `localhost`, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    return folder / "cert.pem", folder / "key.pem"
