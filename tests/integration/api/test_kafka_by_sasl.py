"""Brokers that speak SASL_SSL only: both programs on them by each mechanism, and what is told when a login fails."""

import base64
import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs
from uuid import uuid4

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from tests.integration.api.programs import Program, eventually, own_database, run_once, running
from tests.integration.api.test_preflight import found
from tests.services.certificates import Authority
from tests.services.fixtures import running as running_server
from tests.services.kafka import KafkaServer
from tests.services.postgres import PostgresServer
from tests.services.server import free_port

PASSWORD = "for-tests-only"
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN", "OAUTHBEARER")
_LOGIN = "org.apache.kafka.common.security"


class Guarded(KafkaServer):
    """A listener for itself on the loopback, and one for clients that asks for a login over TLS."""

    format_options = (
        "--add-scram",
        f"SCRAM-SHA-512=[name=soma,password={PASSWORD}]",
        "--add-scram",
        f"SCRAM-SHA-256=[name=soma,password={PASSWORD}]",
    )
    authority: Authority

    def __init__(self, port: int | None = None) -> None:
        super().__init__(port)
        self.guarded_port = free_port()

    @property
    def guarded(self) -> str:
        return f"localhost:{self.guarded_port}"

    def _settings(self) -> dict[str, object]:
        settings = super()._settings()
        chain, key = self.authority.certificate("kafka")
        both = self.folder / "tls.pem"
        both.write_text(key.read_text() + chain.read_text())
        name = "listener.name.sasl_ssl"
        return settings | {
            "listeners": f"{settings['listeners']},SASL_SSL://localhost:{self.guarded_port}",
            "advertised.listeners": f"{settings['advertised.listeners']},SASL_SSL://{self.guarded}",
            "listener.security.protocol.map": f"{settings['listener.security.protocol.map']},SASL_SSL:SASL_SSL",
            "inter.broker.listener.name": "PLAINTEXT",
            "sasl.enabled.mechanisms": ",".join(MECHANISMS),
            f"{name}.ssl.keystore.type": "PEM",
            f"{name}.ssl.keystore.location": both,
            f"{name}.scram-sha-512.sasl.jaas.config": f"{_LOGIN}.scram.ScramLoginModule required;",
            f"{name}.scram-sha-256.sasl.jaas.config": f"{_LOGIN}.scram.ScramLoginModule required;",
            f"{name}.oauthbearer.sasl.jaas.config": f"{_LOGIN}.oauthbearer.OAuthBearerLoginModule required;",
            f"{name}.plain.sasl.jaas.config": f'{_LOGIN}.plain.PlainLoginModule required user_soma="{PASSWORD}";',
        }


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def brokers(authority: Authority) -> Iterator[Guarded]:
    class Signed(Guarded):
        pass

    Signed.authority = authority
    yield from running_server(Signed, "java", "mvn")


class TokenHandler(BaseHTTPRequestHandler):
    """Gives tokens for client credentials. The broker of these tests takes unsigned ones (RFC 7519, 6)."""

    def do_POST(self) -> None:
        kind, _, said = self.headers.get("Authorization", "").partition(" ")
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        is_known = kind == "Basic" and base64.b64decode(said).decode() == f"soma:{PASSWORD}"
        if not is_known or asked["grant_type"] != ["client_credentials"] or asked["scope"] != ["kafka"]:
            self._answer(401, {"error": "invalid_client"})
            return
        now = int(time.time())
        claims = {"sub": "soma", "scope": "kafka", "iat": now, "exp": now + 3600}
        parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in ({"alg": "none"}, claims)]
        self._answer(200, {"access_token": f"{b'.'.join(parts).decode()}.", "token_type": "Bearer", "expires_in": 3600})

    def _answer(self, status: int, body: dict[str, object]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module", autouse=True)
def tokens() -> Iterator[None]:
    """An identity provider on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), TokenHandler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        TOKENS["KAFKA_SASL_OAUTH_TOKEN_URL"] = f"http://127.0.0.1:{server.server_port}/token"
        yield
        server.shutdown()
        thread.join(5)


TOKENS = {"KAFKA_SASL_OAUTH_SCOPE": "kafka"}


def login(brokers: Guarded, authority: Authority, mechanism: str, password: str = PASSWORD) -> dict[str, str]:
    return TOKENS | {
        "KAFKA_BOOTSTRAP_SERVERS": brokers.guarded,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SSL_CA_LOCATION": str(authority.file),
        "KAFKA_SASL_MECHANISM": mechanism,
        "KAFKA_SASL_USERNAME": "soma",
        "KAFKA_SASL_PASSWORD": password,
    }


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[str]:
    """Of its own: who publishes is one program for a whole database, and others serve the common one."""
    with own_database(postgres_server.url) as url:
        yield url


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "OAUTHBEARER"])
def test_events_go_through_by_each_mechanism(
    mechanism: str,
    brokers: Guarded,
    authority: Authority,
    environment: dict[str, str],
    database: str,
    tmp_path: Path,
) -> None:
    own = {**environment, "POSTGRES_URL": database, **login(brokers, authority, mechanism), **topics()}
    assert run_once(own, "migrate").returncode == 0
    with running("serve", own, tmp_path) as api, running("consume", own, tmp_path) as consumer:
        eventually(lambda: api.client.get("/readyz").json()["components"]["kafka"]["ok"])
        assert api.client.post("/store", json={"coord": "1,2", "payload": {"by": mechanism}}).status_code == 200
        eventually(lambda: consumed(consumer) > 0, seconds=60)
        for program in (api, consumer):
            assert PASSWORD not in program.text


def test_a_login_that_changes_while_programs_run_fails_nothing(
    brokers: Guarded, authority: Authority, environment: dict[str, str], database: str, tmp_path: Path
) -> None:
    """Both are at hand: the brokers take only the old one at first, and later only the new one."""
    old, new, file = f"old-{uuid4().hex[:8]}", f"new-{uuid4().hex[:8]}", tmp_path / "KAFKA_LOGIN"
    admit(brokers, old)
    file.write_text(f"{new}:{PASSWORD}-{new}")
    file.with_name("KAFKA_LOGIN_PREVIOUS").write_text(f"{old}:{PASSWORD}-{old}")
    own = {**environment, "POSTGRES_URL": database, **login(brokers, authority, "SCRAM-SHA-512"), **topics()}
    own = {key: value for key, value in own.items() if key not in ("KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD")}
    own["KAFKA_SASL_PASSWORD_FILE"] = str(file)
    assert run_once(own, "migrate").returncode == 0
    with running("serve", own, tmp_path) as api, running("consume", own, tmp_path) as consumer:

        def stores(coord: str) -> None:
            before = consumed(consumer)
            assert api.client.post("/store", json={"coord": coord, "payload": {"it": "is kept"}}).status_code == 200
            eventually(lambda: consumed(consumer) > before, seconds=60)

        stores("1,2")
        asked = run_once(own, "events", "lag", "-o", "json")
        assert asked.returncode == 0, asked.stderr
        admit(brokers, new)
        admit(brokers, old, "another password")  # a broker that starts anew may forget all users after a deletion
        brokers.restart()
        stores("3,4")

        for program in (api, consumer):
            assert PASSWORD not in program.text
            assert 'soma_passwords_refused_total{store="kafka"}' in program.client.get("/metrics").text


def admit(brokers: Guarded, user: str, password: str | None = None) -> None:
    """Have a user beside those that there are, or give it another password."""
    information = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    alteration = UserScramCredentialUpsertion(user, information, (password or f"{PASSWORD}-{user}").encode())
    client = AdminClient({"bootstrap.servers": brokers.bootstrap})
    for future in client.alter_user_scram_credentials([alteration]).values():
        future.result(20)


def topics() -> dict[str, str]:
    """Names that nobody else uses."""
    unique = uuid4().hex[:8]
    return {
        "KAFKA_MEMORY_EVENTS_TOPIC": f"events.{unique}",
        "KAFKA_MEMORY_DLQ_TOPIC": f"dlq.{unique}",
        "KAFKA_CONSUMER_GROUP": f"group-{unique}",
        "QDRANT_COLLECTION": f"sasl_{unique}",
        "SOMA_MEMORY_NAMESPACE": f"sasl_{unique}",
    }


def consumed(consumer: Program) -> float:
    lines = consumer.client.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("consumer_process_success_total{"))


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_login_is_tried_before_anything_uses_it(mechanism: str, brokers: Guarded, authority: Authority) -> None:
    assert found(login(brokers, authority, mechanism), "kafka")["reason"] == "Ready"

    finding = found(login(brokers, authority, mechanism, "not-the-password"), "kafka")
    assert finding["reason"] == "LoginFailed", finding


def test_brokers_that_a_stranger_vouches_for_are_told(brokers: Guarded, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")

    assert found(login(brokers, stranger, "PLAIN"), "kafka")["reason"] == "TlsFailed"


def test_plain_text_to_a_guarded_port_is_told(brokers: Guarded) -> None:
    finding = found({"KAFKA_BOOTSTRAP_SERVERS": brokers.guarded}, "kafka")

    assert finding["reason"] in {"TlsFailed", "Unreachable"}, finding
