"""TLS as Qdrant's server has it: only TLS is spoken, and another certificate is shown without a restart."""

import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from tests.integration.api.programs import eventually
from tests.services.certificates import Authority
from tests.services.fixtures import running
from tests.services.qdrant import QdrantEdgeServer


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(authority: Authority) -> Iterator[QdrantEdgeServer]:
    class Secured(QdrantEdgeServer):
        @property
        def url(self) -> str:
            return f"https://127.0.0.1:{self.port}"

        def prepare(self) -> None:
            place(self, authority, "first")

        def environment(self) -> dict[str, str]:
            return super().environment() | {
                "QDRANT__SERVICE__ENABLE_TLS": "true",
                "QDRANT__TLS__CERT": str(self.folder / "tls.crt"),
                "QDRANT__TLS__KEY": str(self.folder / "tls.key"),
                "QDRANT__TLS__CERT_TTL": "1",
            }

        def answers(self) -> bool:
            try:
                return httpx.get(f"{self.url}/readyz", verify=trust(authority), trust_env=False).is_success
            except httpx.HTTPError:
                return False

    yield from running(Secured)


def place(server: QdrantEdgeServer, authority: Authority, name: str) -> int:
    chain, key = authority.certificate(name)
    for source, target in ((chain, "tls.crt"), (key, "tls.key")):
        shutil.copy(source, server.folder / f"{target}.new")
        (server.folder / f"{target}.new").replace(server.folder / target)
    return x509.load_pem_x509_certificate(chain.read_bytes()).serial_number


def trust(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.file)


def shown(server: QdrantEdgeServer) -> int:
    pem = ssl.get_server_certificate(("127.0.0.1", server.port))
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


def renewal_was_refused(server: QdrantEdgeServer) -> bool:
    """It looks when somebody connects."""
    return bool(shown(server)) and "the one before is shown" in server.log.read_text()


def test_strangers_and_plain_text_are_refused(server: QdrantEdgeServer, tmp_path: Path) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{server.url}/readyz", verify=trust(Authority(tmp_path, "stranger")), trust_env=False)
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{server.port}/readyz", trust_env=False)


def test_another_certificate_is_shown_without_a_restart(server: QdrantEdgeServer, authority: Authority) -> None:
    before = server.pid
    serial = place(server, authority, "second")

    eventually(lambda: shown(server) == serial, seconds=10)
    assert server.pid == before


def test_files_that_do_not_fit_change_nothing(server: QdrantEdgeServer, authority: Authority) -> None:
    before = shown(server)
    (server.folder / "tls.key").write_text("no key")
    eventually(lambda: renewal_was_refused(server), seconds=10)
    assert shown(server) == before

    serial = place(server, authority, "third")
    eventually(lambda: shown(server) == serial, seconds=10)
