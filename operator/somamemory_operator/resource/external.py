"""Stores that somebody else runs: where they are, what opens them, whom to trust."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, model_validator

from somamemory_operator.resource.base import DnsName, Line, Model, Rule
from somamemory_operator.resource.workload import KeyName

Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$", max_length=253)]
Port = Annotated[int, Field(ge=1, le=65535)]
Word = Annotated[str, StringConstraints(pattern=r"^[^\s/@:?#\[\]%]+$", min_length=1, max_length=128)]
"""A name that stands in an address as it is."""


class SecretRef(Model):
    """What opens the store, in a Secret in the same namespace."""

    name: DnsName
    """Name of the Secret."""
    key: KeyName = "password"
    """Key of the password, or of the API key."""


class CaRef(Model):
    """The authority that signed the store's certificate, in a Secret in the same namespace."""

    name: DnsName
    """Name of the Secret."""
    key: KeyName = "ca.crt"
    """Key of the certificate, in PEM."""


class ExternalTls(Model):
    """How the store is spoken to."""

    enabled: bool = True
    """Whether by TLS."""
    ca_secret: CaRef | None = None
    """Whom to trust (default: the authorities of the image). Host names are always verified."""


class ClientRef(Model):
    """Our own certificate, in a Secret in the same namespace."""

    name: DnsName
    """Name of the Secret, with tls.crt and tls.key."""


class ExternalMutualTls(ExternalTls):
    """How the store is spoken to; it may ask for a certificate of ours."""

    obeys = (
        Rule(
            "!has(self.clientSecret) || !has(self.enabled) || self.enabled",
            "clientSecret needs TLS: take it away, or enabled: false",
            lambda it: it.client_secret is None or it.enabled,
        ),
    )
    client_secret: ClientRef | None = None
    """Our certificate and its key; none when absent."""


_ONE_WAY = Rule(
    "has(self.url) != has(self.host)", "say where it is by url or by host, one of them", lambda it: bool(it.host)
)


def _whole(*fields: str) -> Rule:
    """An address says these parts already. In Python it was taken apart before, and contradictions were refused."""
    said = " || ".join(f"has(self.{field})" for field in fields)
    return Rule(f"!has(self.url) || !({said})", f"url says {', '.join(fields)} already", lambda _: True)


class Addressed(Model):
    """A store that is found by one address, or by its parts."""

    url: Annotated[str, StringConstraints(max_length=512)] | None = None
    """Where it is, as one address without a password, instead of the fields below it."""
    host: Host = ""
    """Where it is."""

    @model_validator(mode="before")
    @classmethod
    def _taken_apart(cls, said: Any) -> Any:
        """The parts of an address as if they had been said."""
        if not isinstance(said, dict) or not said.get("url"):
            return said
        parts = urlsplit(str(said["url"]))
        path = parts.path.removeprefix("/")
        found: dict[str, Any] = {"host": parts.hostname, "port": parts.port}
        if "database" in cls.model_fields:
            found |= {"username": parts.username, "database": path or None}
        if both := sorted({"host", "port", "username", "database"} & said.keys()):
            raise ValueError(f"url says {both[0]} already")
        if parts.scheme in ("http", "redis"):
            found["tls"] = said.get("tls") or {"enabled": False}
        return said | {name: value for name, value in found.items() if value is not None}


class ExternalPostgres(Addressed):
    """A Postgres of yours."""

    obeys = (_ONE_WAY, _whole("port", "username", "database"))
    url: (
        Annotated[
            str, StringConstraints(pattern=r"^postgres(ql)?://([^:@/]+@)?[^:@/?]+(:[0-9]+)?/[^/?]+$", max_length=512)
        ]
        | None
    ) = None
    """Where it is, as postgresql://USER@HOST:PORT/DATABASE, instead of the fields below. No password in it."""
    port: Port = 5432
    """Its port."""
    database: Word = "somamemory"
    """The database; it has to be there."""
    username: Word = "soma"
    """Our user; it has to be there, and may create tables in the database."""
    secret_ref: SecretRef
    """Its password."""
    tls: ExternalMutualTls = ExternalMutualTls()
    """How it is spoken to."""


class Sentinel(Model):
    """Those who know which Redis is the master."""

    service: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$", max_length=128)]
    """Name that they have for it."""
    hosts: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]+(:[0-9]+)?$", max_length=259)]],
        Field(min_length=1, max_length=9),
    ]
    """Where they are, such as a:26379; they are asked without a password."""


class ExternalRedis(Addressed):
    """A Redis of yours."""

    obeys = (
        Rule(
            "[has(self.url), has(self.host), has(self.sentinel)].exists_one(way, way)",
            "say where it is by url, by host or by sentinel, one of them",
            lambda it: bool(it.host) != (it.sentinel is not None),
        ),
        _whole("port", "username", "database"),
        Rule(
            "!has(self.cluster) || !self.cluster || !(has(self.sentinel) || has(self.database) && self.database > 0)",
            "a cluster has neither sentinel nor another database than 0",
            lambda it: not (it.cluster and (it.sentinel is not None or it.database)),
        ),
    )
    sentinel: Sentinel | None = None
    """Sentinels to ask for the master, instead of the host."""
    cluster: bool = False
    """Whether it is a Redis Cluster; the host is one of its servers, or the name of all."""
    url: (
        Annotated[
            str, StringConstraints(pattern=r"^rediss?://([^:@/]+@)?[^:@/?]+(:[0-9]+)?(/[0-9]+)?$", max_length=512)
        ]
        | None
    ) = None
    """Where it is, as rediss://USER@HOST:PORT/DATABASE, instead of the fields below. No password in it."""
    port: Port = 6379
    """Its port."""
    database: Annotated[int, Field(ge=0, le=65535)] = 0
    """Number of the database."""
    username: Word | None = None
    """Our user, where it has access lists."""
    secret_ref: SecretRef | None = None
    """Its password; none when absent."""
    tls: ExternalMutualTls = ExternalMutualTls()
    """How it is spoken to."""


class ExternalQdrant(Addressed):
    """A Qdrant of yours, or one in the cloud."""

    obeys = (_ONE_WAY, _whole("port"))
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^:@/?]+(:[0-9]+)?/?$", max_length=512)] | None = None
    """Where it is, as https://HOST:PORT, instead of the fields below."""
    port: Port = 6333
    """Its REST port."""
    secret_ref: SecretRef | None = None
    """Its API key; none when absent."""
    tls: ExternalTls = ExternalTls()
    """How it is spoken to."""


class OAuth(Model):
    """Where tokens come from (OAuth 2.0, client credentials)."""

    token_url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s@]+$", max_length=1024)]
    """Address that gives them."""
    scope: Line | None = None
    """Scope that they are asked for."""


class Sasl(Model):
    """How we log in at the brokers."""

    obeys = (
        Rule(
            "(self.mechanism == 'OAUTHBEARER') == has(self.oauth)",
            "mechanism: OAUTHBEARER and oauth go together: set both or none",
            lambda it: (it.mechanism == "OAUTHBEARER") == (it.oauth is not None),
        ),
    )
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]
    """Mechanism."""
    username: Line
    """Our user; of OAUTHBEARER the client's ID."""
    secret_ref: SecretRef
    """Its password; of OAUTHBEARER the client's secret."""
    oauth: OAuth | None = None
    """Where OAUTHBEARER gets its tokens."""


class ExternalKafka(Model):
    """Brokers of yours."""

    bootstrap_servers: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9.-]+:[0-9]+(,[A-Za-z0-9.-]+:[0-9]+)*$", max_length=1024)
    ]
    """Where some of them are, such as a:9092,b:9092."""
    tls: ExternalMutualTls = ExternalMutualTls()
    """How they are spoken to."""
    sasl: Sasl | None = None
    """How we log in; not at all when absent."""
    events_topic: Word = "memory.events"
    """Topic of the events."""
    dead_letter_topic: Word = "memory.dlq"
    """Topic of the events that cannot be applied."""
    partitions: Annotated[int, Field(ge=1, le=1000)] = 3
    """Partitions of a topic that has to be created."""
    replication: Annotated[int, Field(ge=1, le=9)] = 3
    """Replicas of a topic that has to be created."""


_MANAGED = ("image", "persistence", "config", "resources")

ONLY_EXTERNAL = Rule(
    "!has(self.external) || !(" + " || ".join(f"has(self.{field})" for field in _MANAGED) + ")",
    f"external excludes {', '.join(_MANAGED)}: those are of a store that the operator runs",
    lambda it: it.external is None or not it.model_fields_set & set(_MANAGED),
)
