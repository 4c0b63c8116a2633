# ruff: noqa: RUF012 - pydantic copies the defaults of a field
"""The custom resource SomaMemory: the one source of the CRD, and the only thing the core knows about what people want.

The fields' defaults are those of the profile `development`; other profiles are laid below the user's spec by `parse`
(see `profiles`). They are never written into the CRD: a server-side default would show up as drift in GitOps tools.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, ValidationError

from somamemory_operator.addons import Autoscaling, Ingress
from somamemory_operator.backups import Backup, Restore
from somamemory_operator.errors import InvalidSpec
from somamemory_operator.model import Annotations, DnsName, Line, Model, Quantity, rules
from somamemory_operator.monitoring import Monitoring
from somamemory_operator.podfields import EnvVar, Workload
from somamemory_operator.profiles import preset
from somamemory_operator.reasons import Reason

ImagePart = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][-a-zA-Z0-9._/:]*$", min_length=1, max_length=255)]
Tag = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_][-a-zA-Z0-9._]*$", min_length=1, max_length=128)]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[a-f0-9]{64}$", max_length=71)]
SettingName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][-A-Za-z0-9_.]*$", max_length=256)]
Environment = Annotated[
    list[EnvVar],
    Field(max_length=64, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}),
]


class Image(Model):
    """Which image a container runs; what is not said comes from the operator's settings."""

    repository: ImagePart | None = None
    """Registry and repository, such as docker.io/library/postgres."""
    tag: Tag | None = None
    """Tag, such as 16.4."""
    digest: Digest | None = None
    """Digest; wins over the tag."""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    """When the node pulls the image (default IfNotPresent)."""


class Persistence(Model):
    """The volume of a store."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                (
                    "!(has(oldSelf.enabled) && oldSelf.enabled) || !has(oldSelf.size) || !has(self.size) || "
                    "quantity(self.size).compareTo(quantity(oldSelf.size)) >= 0"
                ),
                "a volume cannot be made smaller: set size back to what it was, or larger",
            ),
            (
                (
                    "!(has(oldSelf.enabled) && oldSelf.enabled) || !has(oldSelf.storageClassName) || "
                    "(has(self.storageClassName) && self.storageClassName == oldSelf.storageClassName)"
                ),
                "the storage class of an existing volume cannot change: set storageClassName back to what it was",
            ),
        )
    )
    enabled: bool = False
    """Whether the data is kept on a volume; without one it is lost when the pod goes."""
    size: Quantity = "5Gi"
    """Size of the volume; can grow later where the storage class allows it, never shrink."""
    storage_class_name: DnsName | None = None
    """Storage class; the cluster's default when absent. Fixed once the volume exists."""
    access_modes: Annotated[
        list[Literal["ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"]], Field(min_length=1, max_length=3)
    ] = ["ReadWriteOnce"]
    """Access modes of the volume."""


class Store(Workload):
    """One of the four stores, run by the operator."""

    image: Image = Image()
    """Image of the store."""
    persistence: Persistence = Persistence()
    """Volume of the store."""
    config: Annotated[dict[str, Line], Field(max_length=64)] = {}
    """Settings in the store's own words; those that the operator needs cannot be overridden."""


class Postgres(Store):
    """Postgres holds the truth: memories, links, versions, outbox. `config` are server settings (`-c name=value`)."""


class Redis(Store):
    """Redis holds caches, locks and rate limits and may be lost. `config` are lines of redis.conf."""


class Qdrant(Store):
    """Qdrant is the index; it can be rebuilt from Postgres. `config` are QDRANT__… environment variables."""


class Kafka(Store):
    """Kafka carries the events of memories. `config` are broker properties."""


class RateLimit(Model):
    """How many requests a token may make."""

    max: Annotated[int, Field(ge=0, le=100_000_000)] = 60
    """Requests per window; 0 means no limit."""
    window_seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
    """Length of the window in seconds."""


class ApiService(Model):
    """How the API is reached."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!has(self.nodePort) || (has(self.type) && self.type in ['NodePort', 'LoadBalancer'])",
                "nodePort needs type NodePort or LoadBalancer",
            )
        )
    )
    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """Type of the Service."""
    port: Annotated[int, Field(ge=1, le=65535)] = 9595
    """Port of the Service."""
    node_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Port on every node; the cluster picks one when absent."""
    annotations: Annotations = {}
    """Annotations of the Service."""


class Grpc(Model):
    """How the API is reached over gRPC."""

    enabled: bool = True
    """Whether the API also answers gRPC."""
    port: Annotated[int, Field(ge=1, le=65535)] = 50053
    """Port of the Service for gRPC."""


class Api(Workload):
    """The API, over HTTP and gRPC."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                (
                    "(has(self.grpc) && has(self.grpc.enabled) && !self.grpc.enabled) || "
                    "(has(self.grpc) && has(self.grpc.port) ? self.grpc.port : 50053) != "
                    "(has(self.service) && has(self.service.port) ? self.service.port : 9595)"
                ),
                "grpc.port and service.port are ports of one Service: they differ",
            )
        )
    )
    replicas: Annotated[int, Field(ge=0, le=100)] = 1
    """How many pods serve the API; with autoscaling, how many at least."""
    autoscaling: Autoscaling | None = None
    """How the number of pods follows the load; it is fixed when absent."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """How many processes serve inside each pod; this release uses one, which is faster, and says so: add replicas."""
    service: ApiService = ApiService()
    """How the API is reached."""
    ingress: Ingress | None = None
    """How the HTTP API is reached from outside of the cluster; not by an Ingress when absent."""
    grpc: Grpc = Grpc()
    """How the API is reached over gRPC."""
    rate_limit: RateLimit = RateLimit()
    """How many requests a token may make."""
    env: Environment = []
    """Further environment variables."""


class Consumer(Workload):
    """The consumer of memory events."""

    enabled: bool = True
    """Whether the consumer runs."""
    replicas: Annotated[int, Field(ge=0, le=100)] = 1
    """How many pods consume; with autoscaling, how many at least."""
    autoscaling: Autoscaling | None = None
    """How the number of pods follows the load; it is fixed when absent."""
    group: Annotated[str, StringConstraints(pattern=r"^[-a-zA-Z0-9._]+$", min_length=1, max_length=249)] = (
        "soma-consumer-group"
    )
    """Kafka consumer group."""
    env: Environment = []
    """Further environment variables."""


class DecayLevel(Model):
    """Fields that fade together."""

    after_seconds: Annotated[int, Field(ge=0, le=10_000_000_000)]
    """How long after it was last stored a memory loses them."""
    keys: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[^,;\[\]]+$", min_length=1, max_length=256)]],
        Field(min_length=1, max_length=64),
    ]
    """Names of top-level fields."""


class Memory(Model):
    """What is remembered, and how."""

    namespace: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][-A-Za-z0-9._:]*$", max_length=128)] = "api_ns"
    """Namespace of memories that a request without one uses."""
    vector_dim: Annotated[int, Field(ge=16, le=8192)] = 768
    """Number of dimensions of the vectors; a change rebuilds the index."""
    max_memories: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    """Most memories of a namespace; beyond it the least important, oldest first, are deleted. 0 means no limit."""
    decay: Annotated[list[DecayLevel], Field(max_length=16)] = []
    """Which fields of memories fade, and when; none when empty."""


class Secrets(Model):
    """Where passwords and tokens come from."""

    source: Literal["generated"] = "generated"
    """`generated`: the operator makes them once and keeps them in the Secret NAME-credentials."""


class PodDisruptionBudget(Model):
    """Protection from draining too many pods at once."""

    enabled: bool = False
    """Whether API and consumer have a PodDisruptionBudget."""


class NetworkPolicy(Model):
    """Who may connect to what."""

    enabled: bool = False
    """Whether only API, consumer and migration may reach the stores."""


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
    """Whether everything is scaled to zero; volumes and credentials stay."""
    deletion_policy: Literal["Retain", "Delete"] = "Retain"
    """What happens to the volumes when the SomaMemory is deleted."""
    image_registry: ImagePart | None = None
    """Registry (and folder) that replaces the registry of all images, for mirrors."""
    image_pull_secrets: Annotated[list[DnsName], Field(max_length=8)] = []
    """Names of Secrets with which images are pulled."""
    image: Image = Image()
    """Image of API, consumer and migration."""
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


class Metadata(Model):
    """The part of the metadata that decisions need."""

    model_config = ConfigDict(extra="ignore")
    name: str
    namespace: str = "default"
    uid: str = ""
    generation: int = 0
    deletion_timestamp: str | None = None


class SomaMemory(Model):
    """One SomaMemory with its profile applied: `spec` has a value for everything."""

    metadata: Metadata
    spec: Spec
    status: dict[str, Any] = {}
    """The status as it was observed, raw: times of conditions and the version before live there."""

    @classmethod
    def parse(cls, obj: Mapping[str, Any]) -> "SomaMemory":
        """Read an object as the API server sends it. Raises InvalidSpec for what the schema lets through."""
        spec = obj.get("spec") or {}
        try:
            chosen = Spec.model_validate({key: spec[key] for key in ("profile",) if key in spec}).profile
            return cls(
                metadata=Metadata.model_validate(obj["metadata"]),
                spec=Spec.model_validate(merge(preset(chosen), spec)),
                status=obj.get("status") or {},
            )
        except ValidationError as error:
            raise InvalidSpec(Reason.INVALID_SPEC, _sentence(error)) from error

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def namespace(self) -> str:
        return self.metadata.namespace

    @property
    def uid(self) -> str:
        return self.metadata.uid


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`: objects are merged field by field, anything else is replaced; null means unset."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(value, Mapping) and isinstance(under, Mapping):
            merged[key] = merge(under, value)
        elif value is not None:
            merged[key] = value
    return merged


def _sentence(error: ValidationError) -> str:
    """The first thing that is wrong, with its place and without the value: a value could be a secret."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in ("spec", *first["loc"]))
    return f"{place}: {first['msg']}. Correct the field and apply the SomaMemory again."
