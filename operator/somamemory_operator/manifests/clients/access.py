"""How our programs reach each store: the variables that lead there, for one of our own and for somebody else's."""

from urllib.parse import quote

from somamemory_operator.decide import external
from somamemory_operator.decide.sources import KAFKA_LOGIN, POSTGRES_PASSWORD, QDRANT_API_KEY, REDIS_PASSWORD
from somamemory_operator.manifests.parts.context import Context
from somamemory_operator.manifests.parts.tls import TRUST_FILE
from somamemory_operator.manifests.stores import kafka, postgres
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.resource.external import (
    ExternalKafka,
    ExternalPostgres,
    ExternalQdrant,
    ExternalRedis,
    ExternalTls,
)

Variables = dict[str, str]


def environment(context: Context, folder: str) -> Variables:
    """Everything together; `folder` is where the credentials are mounted."""
    return {
        **_postgres(context, folder),
        **_redis(context, folder),
        **_qdrant(context, folder),
        **_kafka(context, folder),
    }


def _own(context: Context, store: Component) -> str:
    port = next(iter(names.PORTS[store].values()))
    return f"{names.child(context.name, store)}:{port}"


def _postgres(context: Context, folder: str) -> Variables:
    password = {"POSTGRES_PASSWORD_FILE": f"{folder}/{POSTGRES_PASSWORD}"}
    chosen: ExternalPostgres | None = context.spec.postgres.external
    if chosen is None:
        return {
            "POSTGRES_URL": f"postgresql://{postgres.USER}@{_own(context, Component.POSTGRES)}/{postgres.DATABASE}",
            **password,
            **_ours(context, POSTGRES_SSL_MODE="verify-full", POSTGRES_SSL_ROOT_CERT=TRUST_FILE),
        }
    tls = {"POSTGRES_SSL_MODE": "disable"}
    if chosen.tls.enabled:
        trusted = f"{folder}/{external.ca_file(Component.POSTGRES)}" if chosen.tls.ca_secret else "system"
        tls = {"POSTGRES_SSL_MODE": "verify-full", "POSTGRES_SSL_ROOT_CERT": trusted}
        tls |= _client(chosen.tls, Component.POSTGRES, folder, "POSTGRES_SSL_CERT", "POSTGRES_SSL_KEY")
    user, database = quote(chosen.username, safe=""), quote(chosen.database, safe="")
    return {"POSTGRES_URL": f"postgresql://{user}@{chosen.host}:{chosen.port}/{database}", **password, **tls}


def _redis(context: Context, folder: str) -> Variables:
    chosen: ExternalRedis | None = context.spec.redis.external
    password = {"REDIS_PASSWORD_FILE": f"{folder}/{REDIS_PASSWORD}"}
    if chosen is None:
        scheme = "rediss" if context.certificates.is_on else "redis"
        own = f"{scheme}://{_own(context, Component.REDIS)}/0"
        return {"REDIS_URL": own, **password, **_ours(context, REDIS_TLS_CA=TRUST_FILE)}
    user = f"{quote(chosen.username, safe='')}@" if chosen.username else ""
    scheme = "rediss" if chosen.tls.enabled else "redis"
    address = f"{scheme}://{user}{chosen.host}:{chosen.port}/{chosen.database}"
    if chosen.cluster:
        address = f"{scheme}+cluster://{user}{chosen.host}:{chosen.port}"
    if chosen.sentinel is not None:
        hosts = ",".join(chosen.sentinel.hosts)
        address = f"{scheme}+sentinel://{user}{hosts}/{chosen.database}?service={chosen.sentinel.service}"
    return {
        "REDIS_URL": address,
        **(password if chosen.secret_ref else {}),
        **_trusted("REDIS_TLS_CA", Component.REDIS, chosen.tls.enabled and chosen.tls.ca_secret is not None, folder),
        **_client(chosen.tls, Component.REDIS, folder, "REDIS_TLS_CERT", "REDIS_TLS_KEY"),
    }


def _qdrant(context: Context, folder: str) -> Variables:
    chosen: ExternalQdrant | None = context.spec.qdrant.external
    key = {"QDRANT_API_KEY_FILE": f"{folder}/{QDRANT_API_KEY}"}
    if chosen is None:
        scheme = "https" if context.certificates.is_on else "http"
        own = f"{scheme}://{_own(context, Component.QDRANT)}"
        return {"QDRANT_URL": own, **key, **_ours(context, QDRANT_TLS_CERT=TRUST_FILE)}
    scheme = "https" if chosen.tls.enabled else "http"
    has_ca = chosen.tls.enabled and chosen.tls.ca_secret is not None
    return {
        "QDRANT_URL": f"{scheme}://{chosen.host}:{chosen.port}",
        **(key if chosen.secret_ref else {}),
        **_trusted("QDRANT_TLS_CERT", Component.QDRANT, has_ca, folder),
    }


def _kafka(context: Context, folder: str) -> Variables:
    chosen: ExternalKafka | None = context.spec.kafka.external
    if chosen is None:
        return {
            "KAFKA_BOOTSTRAP_SERVERS": _own(context, Component.KAFKA),
            "KAFKA_MEMORY_EVENTS_TOPIC": "memory.events",
            **_ours(
                context,
                KAFKA_SECURITY_PROTOCOL="SASL_SSL",
                KAFKA_SSL_CA_LOCATION=TRUST_FILE,
                KAFKA_SASL_MECHANISM=kafka.MECHANISM,
                KAFKA_SASL_PASSWORD_FILE=f"{folder}/{KAFKA_LOGIN}",
            ),
        }
    protocol = ("SASL_" if chosen.sasl else "") + ("SSL" if chosen.tls.enabled else "PLAINTEXT")
    login: Variables = {}
    if chosen.sasl is not None:
        login = {
            "KAFKA_SASL_MECHANISM": chosen.sasl.mechanism,
            "KAFKA_SASL_USERNAME": chosen.sasl.username,
            "KAFKA_SASL_PASSWORD_FILE": f"{folder}/{external.KAFKA_PASSWORD}",
        }
        if (oauth := chosen.sasl.oauth) is not None:
            login["KAFKA_SASL_OAUTH_TOKEN_URL"] = oauth.token_url
            login |= {"KAFKA_SASL_OAUTH_SCOPE": oauth.scope} if oauth.scope else {}
    has_ca = chosen.tls.enabled and chosen.tls.ca_secret is not None
    return {
        "KAFKA_BOOTSTRAP_SERVERS": chosen.bootstrap_servers,
        "KAFKA_MEMORY_EVENTS_TOPIC": chosen.events_topic,
        "KAFKA_MEMORY_DLQ_TOPIC": chosen.dead_letter_topic,
        "KAFKA_TOPIC_PARTITIONS": str(chosen.partitions),
        "KAFKA_TOPIC_REPLICATION": str(chosen.replication),
        "KAFKA_SECURITY_PROTOCOL": protocol,
        **login,
        **_trusted("KAFKA_SSL_CA_LOCATION", Component.KAFKA, has_ca, folder),
        **_client(chosen.tls, Component.KAFKA, folder, "KAFKA_SSL_CERTIFICATE_LOCATION", "KAFKA_SSL_KEY_LOCATION"),
    }


def _ours(context: Context, **variables: str) -> Variables:
    """What TLS to a store of our own needs; nothing in plain text."""
    return variables if context.certificates.is_on else {}


def _client(tls: ExternalTls, store: Component, folder: str, certificate: str, key: str) -> Variables:
    """Where our own certificate for a store is, if it asks for one."""
    if external.client_secret(tls) is None:
        return {}
    files = {certificate: "crt", key: "key"}
    return {name: f"{folder}/{external.client_file(store, kind)}" for name, kind in files.items()}


def _trusted(variable: str, store: Component, has_ca: bool, folder: str) -> Variables:
    return {variable: f"{folder}/{external.ca_file(store)}"} if has_ca else {}
