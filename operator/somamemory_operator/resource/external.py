"""Stores that somebody else runs: where they are, what opens them, whom to trust."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

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


class ExternalPostgres(Model):
    """A Postgres of yours."""

    host: Host
    """Where it is."""
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


class ExternalRedis(Model):
    """A Redis of yours."""

    host: Host
    """Where it is."""
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


class ExternalQdrant(Model):
    """A Qdrant of yours, or one in the cloud."""

    host: Host
    """Where it is."""
    port: Port = 6333
    """Its REST port."""
    secret_ref: SecretRef | None = None
    """Its API key; none when absent."""
    tls: ExternalTls = ExternalTls()
    """How it is spoken to."""


class Sasl(Model):
    """How we log in at the brokers."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
    """Mechanism."""
    username: Line
    """Our user."""
    secret_ref: SecretRef
    """Its password."""


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
