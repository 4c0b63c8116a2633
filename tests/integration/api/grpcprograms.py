"""The gRPC servers as programs of their own, and a client of them."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.protobuf import empty_pb2

from somafractalmemory import memory_pb2 as pb
from somafractalmemory import memory_pb2_grpc
from tests.integration.api.programs import TOKEN, base_environment, eventually
from tests.services.server import free_port

BEARER = (("authorization", f"Bearer {TOKEN}"),)
Answer = TypeVar("Answer")


class GrpcProgram:
    """`python -m MODULE` with its log."""

    def __init__(self, module: str, environment: Mapping[str, str], folder: Path) -> None:
        self.port = free_port()
        self.log = folder / f"grpc-{self.port}.log"
        listening = {"SOMA_GRPC_HOST": "127.0.0.1", "SOMA_GRPC_PORT": str(self.port)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module],
                env=base_environment() | dict(environment) | listening,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    @property
    def text(self) -> str:
        """Everything it wrote."""
        return self.log.read_text(errors="replace")

    def end(self, *, seconds: float = 30.0) -> int:
        """SIGTERM, and how it ended."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        finally:
            self.process.kill()
            self.process.wait(5)


class GrpcClient:
    """Calls with the right token."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel
        self.stub: Any = memory_pb2_grpc.MemoryServiceStub(channel)

    def call(self, name: str, request: Any) -> Any:
        """One answer."""
        return getattr(self.stub, name)(request, metadata=BEARER, timeout=20)

    def store(self, *numbers: float, payload: str = "{}") -> Any:
        """Store."""
        return self.call("Store", pb.StoreRequest(memory=pb.Memory(coord=at(*numbers), payload_json=payload)))

    def health(self) -> str:
        """The status of Health, once it answers."""

        def status() -> str:
            try:
                return str(self.stub.Health(empty_pb2.Empty(), timeout=5).status)
            except grpc.RpcError:
                return ""

        return eventually(status)


def at(*numbers: float) -> pb.Coordinate:
    """A place."""
    return pb.Coordinate(values=numbers)


def refusal(call: Callable[[], object]) -> grpc.StatusCode:
    """How a call ends that must not succeed."""
    try:
        answer = call()
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    raise AssertionError(f"it was answered: {answer}")


@contextmanager
def grpc_client(port: int) -> Iterator[GrpcClient]:
    """A client of what listens there."""
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.initial_reconnect_backoff_ms", 100)]) as channel:
        yield GrpcClient(channel)


@contextmanager
def grpc_running(
    environment: Mapping[str, str], folder: Path, module: str = "somafractalmemory.async_grpc_server"
) -> Iterator[tuple[GrpcProgram, GrpcClient]]:
    """A server that answers, ended with SIGTERM."""
    program = GrpcProgram(module, environment, folder)
    try:
        with grpc_client(program.port) as client:
            assert client.health(), program.text[-4000:]
            yield program, client
    finally:
        if program.process.poll() is None:
            program.end()
