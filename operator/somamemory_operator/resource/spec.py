# ruff: noqa: RUF012 - pydantic copies the defaults of a field
"""`spec`: what is wanted. Its parts are the modules beside this one."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from somamemory_operator.resource.backup import Backup, Restore
from somamemory_operator.resource.base import Distinct, DnsName, Model, rules
from somamemory_operator.resource.clients import Api, Consumer
from somamemory_operator.resource.image import Image, ImagePart, Tag
from somamemory_operator.resource.memory import Memory
from somamemory_operator.resource.monitoring import Monitoring
from somamemory_operator.resource.secrets import Secrets
from somamemory_operator.resource.stores import Kafka, Postgres, Qdrant, Redis
from somamemory_operator.resource.tls import Tls
from somamemory_operator.resource.upgrade import Upgrade


class PodDisruptionBudget(Model):
    """Protection from draining too many pods at once."""

    enabled: bool = False
    """Whether API and consumer have a PodDisruptionBudget."""


class NetworkPolicy(Model):
    """Who may connect to what."""

    enabled: bool = False
    """Whether only API, consumer and migration may reach the stores."""
    egress: bool = False
    """Whether they in turn may reach nothing but the stores, those that somebody else runs included, and DNS."""
    egress_ports: Annotated[list[Annotated[int, Field(ge=1, le=65535)]], Field(max_length=16)] = []
    """Ports of other places that they may reach, too: of an identity provider, or an embedding service."""


class Spec(Model):
    """What is wanted. Everything is optional: an empty spec is a working memory service for development."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("!has(self.restore) || has(self.backup)", "restore needs backup, on whose volume the dump is")
        )
    )
    profile: Literal["development", "production"] = "development"
    """Preset of all other fields: `development` is small and keeps nothing, `production` has volumes and replicas."""
    version: Tag | None = None
    """Release of API and consumer (default: the operator's own)."""
    paused: bool = False
    """Whether the operator leaves everything as it is, until it is false again."""
    hibernated: bool = False
    """Whether everything is scaled to zero; volumes and credentials stay. Refused while memories are on no volume."""
    allow_data_loss: bool = False
    """Whether a change of this spec may drop memories that are on no volume; without it such a change is refused."""
    deletion_policy: Literal["Retain", "Delete"] = "Retain"
    """What happens to the volumes when the SomaMemory is deleted."""
    image_registry: ImagePart | None = None
    """Registry (and folder) that replaces the registry of all images, for mirrors."""
    image_pull_secrets: Annotated[
        list[DnsName], Field(max_length=8), Distinct("imagePullSecrets names a Secret twice: once is enough")
    ] = []
    """Names of Secrets with which images are pulled."""
    image: Image = Image()
    """Image of API, consumer and migration."""
    upgrade: Upgrade = Upgrade()
    """When the stores take the images that a new release of the operator brings."""
    api: Api = Api()
    """The HTTP API."""
    consumer: Consumer = Consumer()
    """The consumer of memory events."""
    memory: Memory = Memory()
    """What is remembered, and how."""
    postgres: Postgres = Postgres()
    """Postgres, the truth."""
    redis: Redis = Redis()
    """Redis, caches and limits."""
    qdrant: Qdrant = Qdrant()
    """Qdrant, the index."""
    kafka: Kafka = Kafka()
    """Kafka, the events."""
    secrets: Secrets = Secrets()
    """Where passwords and tokens come from."""
    tls: Tls = Tls()
    """TLS between the parts and towards the clients."""
    pod_disruption_budget: PodDisruptionBudget = PodDisruptionBudget()
    """Protection from draining too many pods at once."""
    network_policy: NetworkPolicy = NetworkPolicy()
    """Who may connect to what."""
    monitoring: Monitoring = Monitoring()
    """How Prometheus watches it."""
    backup: Backup | None = None
    """Dumps of Postgres by a schedule; none when absent."""
    restore: Restore | None = None
    """A dump to be brought back, once."""
