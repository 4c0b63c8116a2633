"""Settings as the stores' clients want them."""

import ssl
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import SecretStr

from somafractalmemory.settings.passwords import Password
from somafractalmemory.settings.tree import Settings


def postgres_conninfo(settings: Settings) -> dict[str, Any]:
    """Arguments of a connection: the address (any dialect suffix dropped), the password as it is now, TLS."""
    url = (
        (settings.postgres_url or "")
        .replace("postgresql+psycopg2://", "postgresql://")
        .replace("postgresql+psycopg://", "postgresql://")
    )
    options = {
        "conninfo": url,
        "password": password_of(settings, "postgres"),
        "sslmode": settings.postgres_ssl_mode,
        "sslrootcert": settings.postgres_ssl_root_cert,
        "sslcert": settings.postgres_ssl_cert,
        "sslkey": settings.postgres_ssl_key,
    }
    return {key: value for key, value in options.items() if value is not None}


def password_of(settings: Settings, store: str) -> Password | None:
    """What a store is to be asked with, None when nothing is; a file of it may change."""
    field = _PASSWORDS[store]
    value: SecretStr | None = getattr(settings, field)
    if value is None or not value.get_secret_value():
        return None
    return Password(store, value.get_secret_value(), settings.secret_files.get(field.upper()))


_PASSWORDS = {
    "postgres": "postgres_password",
    "redis": "redis_password",
    "qdrant": "qdrant_api_key",
    "kafka": "kafka_sasl_password",
}


def redis_tls(settings: Settings) -> dict[str, Any]:
    """Further arguments of redis.asyncio's client; none when its address does not say rediss."""
    if not (settings.redis_address or "").startswith(("rediss:", "rediss+")):
        return {}
    files = {
        "ssl_ca_certs": settings.redis_tls_ca,
        "ssl_certfile": settings.redis_tls_cert,
        "ssl_keyfile": settings.redis_tls_key,
    }
    return {name: str(path) for name, path in files.items() if path is not None}


def qdrant_trust(settings: Settings) -> ssl.SSLContext | bool:
    """Whose certificates count for the index: those of the file, or of the system."""
    if settings.qdrant_tls_cert is None:
        return True
    context = ssl.create_default_context(cafile=settings.qdrant_tls_cert)
    # Newer Pythons also want identifiers of keys that many an authority of one's own leaves out; libpq and librdkafka
    # do not.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def kafka_security(settings: Settings) -> dict[str, str]:
    """librdkafka's options for TLS and SASL; an empty text would be taken at its word."""
    options: dict[str, str | None] = {"security.protocol": settings.kafka_security_protocol}
    if settings.kafka_security_protocol.endswith("SSL"):
        files = {
            "ssl.ca.location": settings.kafka_ssl_ca_location,
            "ssl.certificate.location": settings.kafka_ssl_certificate_location,
            "ssl.key.location": settings.kafka_ssl_key_location,
        }
        options |= {name: str(path) for name, path in files.items() if path is not None}
        if settings.kafka_ssl_key_password:
            options["ssl.key.password"] = settings.kafka_ssl_key_password.get_secret_value()
    if settings.kafka_security_protocol.startswith("SASL"):
        password = settings.kafka_sasl_password
        options["sasl.mechanism"] = settings.kafka_sasl_mechanism or "PLAIN"
        login = kafka_login(settings, password.get_secret_value() if password else "")
        if settings.kafka_sasl_mechanism == "OAUTHBEARER":
            options |= _oauth(settings, *login)
        else:
            options["sasl.username"], options["sasl.password"] = login
    return {name: value for name, value in options.items() if value}


def kafka_login(settings: Settings, text: str) -> tuple[str, str]:
    """User and password; where no user is set, the password is USER:PASSWORD, so that both can change together."""
    if settings.kafka_sasl_username:
        return settings.kafka_sasl_username, text
    user, _, password = text.partition(":")
    return user, password


def _oauth(settings: Settings, client: str, secret: str) -> dict[str, str | None]:
    """librdkafka gets the tokens itself, and new ones in time (RFC 6749, 4.4)."""
    return {
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.token.endpoint.url": settings.kafka_oauth_url,
        "sasl.oauthbearer.client.id": client,
        "sasl.oauthbearer.client.secret": secret,
        "sasl.oauthbearer.scope": settings.kafka_oauth_scope,
        "https.ca.location": str(settings.kafka_oauth_ca) if settings.kafka_oauth_ca else None,
    }


def redacted(url: str | None) -> str | None:
    """An address fit for a log: without user and password."""
    if url is None:
        return None
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, quote(parts.netloc.rpartition("@")[2], safe=":[]"), parts.path, "", ""))
