"""Tokens of an identity provider, with keys made here and a provider of our own."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from somafractalmemory.adapters.identity import key_source
from somafractalmemory.errors import ConfigurationError, Forbidden, Unavailable
from somafractalmemory.security.admission import Admission
from somafractalmemory.security.bearers import Bearers, Issuer, KeyRing
from somafractalmemory.security.callers import Caller, Scope
from somafractalmemory.security.tokens import Tokens
from somafractalmemory.settings import load_settings

ISSUER, AUDIENCE = "https://id.example", "soma"
PRIVATE: dict[str, Any] = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def public(algorithm: str, name: str, **more: str) -> dict[str, Any]:
    """The published half of a key."""
    made = jwt.get_algorithm_by_name(algorithm).to_jwk(PRIVATE[algorithm].public_key(), as_dict=True)
    return {**made, "kid": name, "use": "sig", **more}


def signed(algorithm: str = "ES256", name: str | None = "ES256", key: Any = None, **claims: Any) -> str:
    """A token that is right but for what the caller changes; None leaves a claim out."""
    now = time.time()
    usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": "app", "exp": now + 60, "scope": "openid soma:read write"}
    found = {**usual, "namespaces": ["a", "b"], **claims}
    content = {claim: value for claim, value in found.items() if value is not None}
    return jwt.encode(content, key or PRIVATE[algorithm], algorithm, headers={"kid": name} if name else {})


@dataclass
class Provider:
    """Counts how often it is asked."""

    keys: list[dict[str, Any]] = field(default_factory=lambda: [public(name, name) for name in PRIVATE])
    asked: int = 0
    away: bool = False
    seconds: float = 0.0

    async def fetch(self) -> list[dict[str, Any]]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable("oidc", "away")
        return self.keys

    def bearers(self) -> Bearers:
        return Bearers(Issuer(ISSUER, AUDIENCE), KeyRing(self.fetch, clock=lambda: self.seconds))


@pytest.mark.parametrize("algorithm", list(PRIVATE))
async def test_a_signed_token_says_who_may_do_what_where(algorithm: str) -> None:
    caller = await Provider().bearers().identify(signed(algorithm, algorithm))

    assert caller == Caller("oidc:app", frozenset({Scope.READ, Scope.WRITE}), ("a", "b"))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "another-service"},
        {"aud": None},
        {"sub": None},
        {"exp": None},
        {"exp": "soon"},
        {"namespaces": None},
        {"namespaces": []},
        {"namespaces": ["a b"]},
        {"namespaces": 5},
    ],
)
async def test_a_token_that_does_not_say_everything_opens_nothing(claims: dict[str, Any]) -> None:
    with pytest.raises(Forbidden):
        await Provider().bearers().identify(signed(**claims))


async def test_a_token_is_good_in_its_time_only() -> None:
    bearers, now = Provider().bearers(), time.time()

    with pytest.raises(Forbidden, match="expired"):
        await bearers.identify(signed(exp=now - 60))
    with pytest.raises(Forbidden, match="not valid yet"):
        await bearers.identify(signed(nbf=now + 60))
    assert await bearers.identify(signed(exp=now - 5, nbf=now + 5)), "clocks differ a little"


async def test_a_public_key_is_no_shared_secret_and_no_signature_is_no_signature() -> None:
    """The two classic forgeries."""
    bearers = Provider().bearers()
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "app", "exp": time.time() + 60, "namespaces": "*"}
    secret = "the-text-of-a-public-key, as PyJWT refuses to sign with one itself"

    for forged in (
        jwt.encode(claims, "", "none", headers={"kid": "RS256"}),
        jwt.encode(claims, secret, "HS256", headers={"kid": "RS256"}),
        signed("ES256", "RS256"),
        signed("ES256", "ES256", key=ec.generate_private_key(ec.SECP256R1())),
        signed() + "x",
        signed().rpartition(".")[0] + ".",
        "a.b.c",
        ".." + "x" * 100_000,
    ):
        with pytest.raises(Forbidden, match="Invalid token"):
            await bearers.identify(forged)


async def test_a_key_of_another_curve_or_another_use_is_not_taken() -> None:
    other = ec.generate_private_key(ec.SECP384R1())
    published = jwt.get_algorithm_by_name("ES384").to_jwk(other.public_key(), as_dict=True)
    provider = Provider([{**published, "kid": "wide"}, public("ES256", "secret", use="enc")])

    for name in ("wide", "secret"):
        with pytest.raises(Forbidden, match="Invalid token"):
            await provider.bearers().identify(signed(name=name))


async def test_all_namespaces_have_to_be_asked_for() -> None:
    caller = await Provider().bearers().identify(signed(namespaces="*", scope=["admin", "soma:read"]))

    assert caller == Caller("oidc:app", frozenset({Scope.READ, Scope.ADMIN}))


async def test_a_subject_that_is_no_name_is_told_by_its_digest() -> None:
    bearers = Provider().bearers()

    one, other = [await bearers.identify(signed(sub=subject)) for subject in ("a\nb", "x" * 500)]

    assert one.name != other.name
    assert all(len(caller.name) < 64 and caller.name.isprintable() for caller in (one, other))


async def test_keys_are_asked_for_once_and_again_for_an_unknown_one_but_not_often() -> None:
    provider = Provider()
    bearers = provider.bearers()

    await asyncio.gather(*(bearers.identify(signed()) for _ in range(20)))
    assert provider.asked == 1

    for made_up in range(50):
        with pytest.raises(Forbidden):
            await bearers.identify(signed(name=f"unknown-{made_up}"))
    assert provider.asked == 1

    provider.keys = [*provider.keys, public("ES256", "new")]
    provider.seconds = 11.0
    assert await bearers.identify(signed(name="new"))
    assert provider.asked == 2


async def test_known_keys_outlive_the_provider_and_withdrawn_ones_do_not_outlive_the_next_look() -> None:
    provider = Provider()
    bearers = provider.bearers()
    await bearers.identify(signed())

    provider.away, provider.seconds = True, 1000.0
    assert await bearers.identify(signed())

    provider.away, provider.seconds, provider.keys = False, 1020.0, [public("RS256", "RS256")]
    with pytest.raises(Forbidden):
        await bearers.identify(signed())


async def test_without_any_key_nobody_is_judged() -> None:
    with pytest.raises(Unavailable) as raised:
        await Provider(away=True).bearers().identify(signed())

    assert raised.value.retry_after_seconds


async def test_the_gate_takes_both_kinds_of_tokens() -> None:
    gate = Admission(
        tokens=Tokens(text="plain with.two.dots"),
        bearers=Provider().bearers(),
        limiter=None,
        default_namespace="home",
    )

    async def namespace(token: str, wanted: str | None = None) -> str:
        admitted = await gate.admit(
            authorization=f"Bearer {token}", namespace=wanted, operation="any", needs=Scope.READ
        )
        return admitted.namespace

    assert await namespace("plain") == await namespace("with.two.dots") == "home"
    assert await namespace(signed()) == "a"
    assert await namespace(signed(), "b") == "b"
    with pytest.raises(Forbidden):
        await namespace(signed(), "home")
    with pytest.raises(Forbidden, match="Invalid"):
        await namespace("guessed")


@pytest.fixture
def documents() -> Iterator[tuple[str, dict[str, bytes]]]:
    """A server of documents by their paths."""
    served: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = served.get(self.path)
            self.send_response(200 if content is not None else 404)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", served
        server.shutdown()
        thread.join(5)


async def test_keys_come_from_an_address_from_discovery_or_from_a_file(
    documents: tuple[str, dict[str, bytes]], tmp_path: Path
) -> None:
    address, served = documents
    keys = json.dumps({"keys": [public("ES256", "ES256")]})
    served["/keys"] = keys.encode()
    discovery = {"issuer": address, "jwks_uri": f"{address}/keys"}
    served["/.well-known/openid-configuration"] = json.dumps(discovery).encode()
    file = tmp_path / "keys.json"
    file.write_text(keys)

    for source in (
        key_source(issuer="https://nobody.invalid", url=f"{address}/keys", file=None),
        key_source(issuer=address, url=None, file=None),
        key_source(issuer="https://nobody.invalid", url=None, file=file),
    ):
        assert await Bearers(Issuer(ISSUER, AUDIENCE), KeyRing(source)).identify(signed())


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}", b'{"keys": 5}', b" " * (2 << 20)])
async def test_what_is_no_set_of_keys_is_unavailable(
    documents: tuple[str, dict[str, bytes]], content: bytes | None
) -> None:
    address, served = documents
    if content is not None:
        served["/keys"] = content

    with pytest.raises(Unavailable):
        await key_source(issuer=ISSUER, url=f"{address}/keys", file=None)()


async def test_a_discovery_document_of_somebody_else_is_not_believed(
    documents: tuple[str, dict[str, bytes]],
) -> None:
    address, served = documents
    served["/.well-known/openid-configuration"] = json.dumps({"issuer": ISSUER, "jwks_uri": f"{address}/k"}).encode()

    with pytest.raises(Unavailable, match="another issuer"):
        await key_source(issuer=address, url=None, file=None)()


def test_a_provider_is_configured_whole_and_asked_over_https() -> None:
    whole = {"SOMA_OIDC_ISSUER": ISSUER, "SOMA_OIDC_AUDIENCE": AUDIENCE}
    assert load_settings(whole, for_command="serve --embedded").api_token is None, "it needs no token of ours"

    for wrong in ({"SOMA_OIDC_ISSUER": ISSUER}, {**whole, "SOMA_OIDC_JWKS_URL": "http://id.example/keys"}):
        with pytest.raises(ConfigurationError, match="SOMA_OIDC"):
            load_settings(wrong, for_command="serve --embedded")
