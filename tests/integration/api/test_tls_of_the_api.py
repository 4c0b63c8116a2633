"""The API over TLS, by HTTP and gRPC: who is refused, and a certificate that is replaced under load."""

import shutil
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import httpx
import pytest
from cryptography import x509
from google.protobuf import empty_pb2

from somafractalmemory.client import Client
from somafractalmemory.memory_pb2_grpc import MemoryServiceStub
from tests.integration.api.programs import TOKEN, Program, eventually
from tests.services.certificates import Authority
from tests.services.server import free_port


@dataclass
class Secured:
    """An API with its certificate in a folder that is swapped as the kubelet swaps a Secret's."""

    program: Program
    folder: Path
    authority: Authority
    port: int
    count: int = field(default=1)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def renew(self) -> int:
        """Put another certificate in place; returns its serial number."""
        self.count += 1
        return place(self.folder, self.authority, f"api{self.count}")

    def shown(self) -> int:
        """The serial number of what a new HTTP connection is shown."""
        return x509.load_pem_x509_certificate(
            ssl.get_server_certificate(("127.0.0.1", self.port)).encode()
        ).serial_number

    def shown_by_grpc(self) -> int:
        pem = ssl.get_server_certificate(("127.0.0.1", self.program.grpc_port))
        return x509.load_pem_x509_certificate(pem.encode()).serial_number


def place(folder: Path, authority: Authority, name: str) -> int:
    """Write a pair into a folder of its own and lead the links there at once."""
    chain, key = authority.certificate(name)
    fresh = folder / f"..{name}"
    fresh.mkdir()
    shutil.copy(chain, fresh / "tls.crt")
    shutil.copy(key, fresh / "tls.key")
    (folder / "..data_tmp").symlink_to(fresh)
    (folder / "..data_tmp").replace(folder / "..data")
    return x509.load_pem_x509_certificate(chain.read_bytes()).serial_number


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """`soma serve --embedded` with SOMA_TLS_CERT and SOMA_TLS_KEY."""
    authority, folder = Authority(tmp_path_factory.mktemp("authority")), tmp_path_factory.mktemp("tls")
    place(folder, authority, "api1")
    for name in ("tls.crt", "tls.key"):
        (folder / name).symlink_to(Path("..data") / name)
    port = free_port()
    environment = {
        "SOMA_API_TOKEN": TOKEN,
        "SOMA_TLS_CERT": str(folder / "tls.crt"),
        "SOMA_TLS_KEY": str(folder / "tls.key"),
        "UVICORN_HOST": "127.0.0.1",
        "UVICORN_PORT": str(port),
        "SOMA_RATE_LIMIT_MAX": "100000",
    }
    program = Program("serve", environment, tmp_path_factory.mktemp("log"), port=port, arguments=("--embedded",))
    made = Secured(program, folder, authority, port)
    try:
        eventually(lambda: answers(made))
        yield made
    finally:
        program.end()


def answers(secured: Secured) -> bool:
    assert secured.program.process.poll() is None, secured.program.text
    return httpx.get(f"{secured.url}/healthz", verify=trust(secured.authority), trust_env=False).status_code == 200


def trust(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.file)


def call(secured: Secured, roots: bytes | None) -> bool:
    credentials = grpc.ssl_channel_credentials(roots)
    with grpc.secure_channel(f"localhost:{secured.program.grpc_port}", credentials) as channel:
        return bool(MemoryServiceStub(channel).Health(empty_pb2.Empty(), timeout=5))


def test_clients_without_the_authority_are_refused(secured: Secured, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    for verify in (True, trust(stranger)):
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"{secured.url}/healthz", verify=verify, trust_env=False)
    for roots in (None, stranger.file.read_bytes()):
        with pytest.raises(grpc.RpcError) as refused:
            call(secured, roots)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert call(secured, secured.authority.file.read_bytes())


def test_nothing_is_said_without_tls(secured: Secured) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{secured.port}/healthz", trust_env=False)
    with (
        grpc.insecure_channel(f"127.0.0.1:{secured.program.grpc_port}") as channel,
        pytest.raises(grpc.RpcError),
    ):
        MemoryServiceStub(channel).Health(empty_pb2.Empty(), timeout=5)


def test_the_client_and_the_command_take_the_authority(secured: Secured, tmp_path: Path) -> None:
    with Client(secured.url, token=TOKEN, ca=secured.authority.file) as client:
        client.store("1,2", {"text": "by TLS"})
        assert client.get("1,2")["payload"] == {"text": "by TLS"}


def test_a_certificate_is_renewed_without_a_failed_request(secured: Secured) -> None:
    failed: list[Exception] = []
    done = threading.Event()
    asked = [0, 0]

    def load(new_connections: int) -> None:
        """One keeps its connection, the other makes one for each request."""
        with httpx.Client(verify=trust(secured.authority), trust_env=False) as kept:
            while not done.is_set():
                asked[new_connections] += 1
                try:
                    ask(kept, new_connections).raise_for_status()
                except httpx.HTTPError as error:
                    failed.append(error)

    def ask(kept: httpx.Client, new_connections: int) -> httpx.Response:
        if new_connections:
            return httpx.get(f"{secured.url}/healthz", verify=trust(secured.authority), trust_env=False)
        return kept.get(f"{secured.url}/healthz")

    threads = [threading.Thread(target=load, args=(kind,)) for kind in (0, 1)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        serial = secured.renew()
        eventually(lambda serial=serial: secured.shown() == serial)  # type: ignore[misc]
        eventually(lambda serial=serial: secured.shown_by_grpc() == serial)  # type: ignore[misc]
        assert call(secured, secured.authority.file.read_bytes())
    done.set()
    for thread in threads:
        thread.join(30)

    assert failed == []
    assert min(asked) > 10


def test_files_that_do_not_fit_change_nothing(secured: Secured) -> None:
    before = secured.shown()
    (secured.folder / "tls.key").resolve().write_text("no key")

    assert secured.shown() == before
    assert call(secured, secured.authority.file.read_bytes())
    for _ in range(5):
        assert secured.shown() == before
    # HTTP and gRPC have one each, and neither repeats itself in every handshake.
    assert 1 <= secured.program.text.count("certificate_unusable") <= 2

    serial = secured.renew()
    assert secured.shown() == serial
