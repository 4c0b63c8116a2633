"""Stores that speak TLS only, with an authority of our own: trusted when named, refused otherwise."""

import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from threading import Thread

import pytest

from somafractalmemory.adapters.postgres import open_records
from somafractalmemory.adapters.qdrant import QdrantVectors, open_vectors
from somafractalmemory.adapters.redis import RedisLimiter, open_limiter
from somafractalmemory.adapters.redis_locks import open_locks
from somafractalmemory.errors import Unavailable
from somafractalmemory.settings import Settings, load_settings, postgres_conninfo
from somafractalmemory.settings.clients import qdrant_trust, redis_tls
from tests.services.certificates import Authority
from tests.services.fixtures import running
from tests.services.postgres import PostgresServer
from tests.services.redis import RedisServer


def own_copy(server: PostgresServer | RedisServer, *files: Path) -> list[str]:
    """Files that the server's user may read."""
    copies = []
    for file in files:
        copy = server.folder / file.name
        shutil.copy2(file, copy)
        server.own(copy)
        copies.append(str(copy))
    return copies


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Signs the stores' certificates and ours."""
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that signed nothing of these."""
    return Authority(tmp_path_factory.mktemp("strange"), "stranger")


@pytest.fixture(scope="module")
def redis(authority: Authority) -> Iterator[RedisServer]:
    """It wants a certificate of its clients, too."""

    class Secured(RedisServer):
        def command(self) -> list[str]:
            certificate, key, trusted = own_copy(self, *authority.certificate("redis"), authority.file)
            tls = ["--tls-port", str(self.port), "--port", "0", "--tls-cert-file", certificate, "--tls-key-file", key]
            return [*super().command(), *tls, "--tls-ca-cert-file", trusted, "--tls-auth-clients", "yes"]

        def answers(self) -> bool:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                return False
            return True

    yield from running(Secured, "redis-server")


@pytest.fixture(scope="module")
def postgres(authority: Authority) -> Iterator[PostgresServer]:
    """It takes no connection without TLS."""

    class Secured(PostgresServer):
        def command(self) -> list[str]:
            certificate, key = own_copy(self, *authority.certificate("postgres"))
            rules = self.data / "pg_hba.conf"
            rules.write_text("hostssl all all 127.0.0.1/32 scram-sha-256\nlocal all all trust\n")
            return [*super().command(), "-cssl=on", f"-cssl_cert_file={certificate}", f"-cssl_key_file={key}"]

    yield from running(Secured, "postgres")


@asynccontextmanager
async def limiter(settings: Settings) -> AsyncIterator[RedisLimiter]:
    """As wiring opens it."""
    async with open_limiter(
        url=settings.redis_address or "",
        password=None,
        limit=5,
        window_seconds=60,
        tls=redis_tls(settings),
        timeout_seconds=10.0,  # a handshake may take its time on a busy machine
    ) as opened:
        yield opened


async def test_redis_is_spoken_to_by_tls_with_a_certificate_of_ours(redis: RedisServer, authority: Authority) -> None:
    """(config defect 9)"""
    certificate, key = authority.certificate("client")
    tls = {"REDIS_TLS": "yes", "REDIS_TLS_CA": authority.file, "REDIS_TLS_CERT": certificate, "REDIS_TLS_KEY": key}
    settings = load_settings({"REDIS_URL": redis.url, **{name: str(value) for name, value in tls.items()}})

    async with limiter(settings) as opened:
        assert (await opened.hit("any")).remaining == 4
    async with open_locks(url=settings.redis_address or "", password=None, tls=redis_tls(settings)) as locks:
        assert await locks.take("door", owner="me", ttl_seconds=5) is not None


async def test_a_redis_that_a_stranger_vouches_for_is_refused(
    redis: RedisServer, authority: Authority, stranger: Authority
) -> None:
    certificate, key = authority.certificate("client")
    ours = {"REDIS_TLS_CERT": str(certificate), "REDIS_TLS_KEY": str(key)}
    for more in ({**ours, "REDIS_TLS_CA": str(stranger.file)}, ours, {"REDIS_TLS_CA": str(authority.file)}):
        async with limiter(load_settings({"REDIS_URL": redis.url, "REDIS_TLS": "on", **more})) as opened:
            with pytest.raises(Unavailable):
                await opened.hit("any")


async def test_postgres_is_verified_by_its_authority_and_name(
    postgres: PostgresServer, authority: Authority, stranger: Authority
) -> None:
    """(config defect 9)"""
    whole = {"POSTGRES_URL": postgres.url, "POSTGRES_SSL_MODE": "verify-full"}

    def arguments(file: Path) -> dict[str, str]:
        return postgres_conninfo(load_settings({**whole, "POSTGRES_SSL_ROOT_CERT": str(file)}))

    async with open_records(arguments(authority.file), pool_size=2) as records:
        assert await records._run("select ssl from pg_stat_ssl where pid = pg_backend_pid()", {}) == [(True,)]
    async with open_records(arguments(stranger.file), pool_size=2) as records:
        with pytest.raises(Unavailable):
            await records._run("select", {})


@pytest.fixture
def https(authority: Authority) -> Iterator[str]:
    """A server that is never ready, over TLS."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.certificate("qdrant"))
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(5)


async def test_the_index_is_verified_by_the_authority_that_is_named(
    https: str, authority: Authority, stranger: Authority
) -> None:
    """What answers is no Qdrant; who answers is what counts here. (config defect 9)"""

    async def problem(file: Path) -> str:
        settings = load_settings({"QDRANT_URL": https, "QDRANT_TLS_CERT": str(file)})
        async with open_vectors(
            url=https, api_key=None, collection="any", dimensions=8, verify=qdrant_trust(settings)
        ) as vectors:
            return await refusal(vectors)

    assert "certificate" in (await problem(stranger.file)).lower()
    assert "certificate" not in (await problem(authority.file)).lower()


async def refusal(vectors: QdrantVectors) -> str:
    """What it says."""
    with pytest.raises(Unavailable) as raised:
        await vectors.ping()
    return str(raised.value)
