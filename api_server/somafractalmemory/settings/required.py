"""What a program cannot do without, found before it starts."""

from collections.abc import Iterator
from pathlib import Path

from somafractalmemory.settings.tree import Settings, variables

_SERVING = {"serve", "serve --embedded"}
_ON_TRUTH = {"serve", "consume", "migrate", "reconcile", "events replay", "erase", "rotate-keys", "rotate-password"}
_ON_INDEX = {"serve", "consume", "reconcile", "events replay", "erase"}
_ON_BROKERS = {"consume", "events", "events replay"}
_FILES = (
    "postgres_ssl_root_cert", "postgres_ssl_cert", "postgres_ssl_key",
    "redis_tls_ca", "redis_tls_cert", "redis_tls_key", "qdrant_tls_cert",
    "encryption_key_file", "tls_cert", "tls_key",
    "kafka_ssl_ca_location", "kafka_ssl_certificate_location", "kafka_ssl_key_location",
    "kafka_oauth_ca",
)  # fmt: skip
_PAIRS = (
    ("tls_cert", "tls_key"),
    ("postgres_ssl_cert", "postgres_ssl_key"),
    ("redis_tls_cert", "redis_tls_key"),
    ("kafka_ssl_certificate_location", "kafka_ssl_key_location"),
)


def problems_of(settings: Settings, command: str | None) -> list[str]:
    """What `command` will miss; nothing without a command."""
    if command is None:
        return []
    return [
        *_tokens(settings, command),
        *_provider(settings),
        *_stores(settings, command),
        *_files(settings),
        *_sasl(settings, command),
    ]


def _tokens(settings: Settings, command: str) -> Iterator[str]:
    tokens = (settings.api_token, settings.api_token_file, settings.api_tokens_file, settings.oidc_issuer)
    if command in _SERVING and not any(tokens):
        yield (
            "SOMA_API_TOKEN: no token is configured; set it to a long random text, or SOMA_API_TOKEN_FILE or "
            "SOMA_API_TOKENS_FILE to a file, or SOMA_OIDC_ISSUER to an identity provider"
        )


def _provider(settings: Settings) -> Iterator[str]:
    if settings.oidc_issuer is not None and settings.oidc_audience is None:
        yield "SOMA_OIDC_AUDIENCE: required with SOMA_OIDC_ISSUER; set it to what the tokens name in `aud`"
    if settings.oidc_issuer is None and (settings.oidc_jwks_url or settings.oidc_jwks_file):
        yield "SOMA_OIDC_ISSUER: required beside the keys; set it to what the tokens name in `iss`"


def _stores(settings: Settings, command: str) -> Iterator[str]:
    if command in _ON_TRUTH and settings.postgres_url is None:
        yield "POSTGRES_URL: required; set it to postgresql://USER@HOST:5432/DATABASE, or try `soma serve --embedded`"
    needs_index = command in _ON_INDEX and settings.vector_backend == "qdrant" and settings.qdrant_path is None
    if needs_index and settings.qdrant_address is None:
        yield "QDRANT_URL: required; set it to http://HOST:6333"
    needs_brokers = command in _ON_BROKERS or (command == "serve" and settings.eventing_enabled)
    if needs_brokers and settings.kafka_bootstrap_servers is None:
        yield "KAFKA_BOOTSTRAP_SERVERS: required; set it to HOST:9092, or EVENTING_ENABLED=false to do without events"


def _files(settings: Settings) -> Iterator[str]:
    for field in _FILES:
        path = getattr(settings, field)
        if path is not None and str(path) != "system" and not Path(path).is_file():
            yield f"{variables(field)[0]}: {path} is no file that can be read; mount it or correct the path"
    for certificate, key in _PAIRS:
        if (getattr(settings, certificate) is None) != (getattr(settings, key) is None):
            there, missing = (key, certificate) if getattr(settings, certificate) is None else (certificate, key)
            yield f"{variables(missing)[0]}: required beside {variables(there)[0]}"


def _sasl(settings: Settings, command: str) -> Iterator[str]:
    if not settings.kafka_security_protocol.startswith("SASL") or command not in {"serve", *_ON_BROKERS}:
        return
    needed = ["kafka_sasl_username", "kafka_sasl_password"]
    if settings.kafka_sasl_mechanism == "OAUTHBEARER":
        needed.append("kafka_oauth_url")
    elif settings.kafka_sasl_password and ":" in settings.kafka_sasl_password.get_secret_value():
        needed.remove("kafka_sasl_username")
    for field in needed:
        if getattr(settings, field) is None:
            yield f"{variables(field)[0]}: required with KAFKA_SECURITY_PROTOCOL={settings.kafka_security_protocol}"
