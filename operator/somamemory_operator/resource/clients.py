# ruff: noqa: RUF012 - pydantic copies the defaults of a field
"""API and consumer: how many, how they are reached, and what they are told."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from somamemory_operator.resource.base import Annotations, Distinct, Model, Rule, rules
from somamemory_operator.resource.exposure import Autoscaling, Ingress
from somamemory_operator.resource.workload import EnvVar, Workload

Environment = Annotated[
    list[EnvVar],
    Field(max_length=64, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}),
    Distinct("env has two variables of one name: keep one", ("name",), in_schema=False),
]


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

    obeys = (
        Rule(
            "(has(self.grpc) && has(self.grpc.enabled) && !self.grpc.enabled) || "
            "(has(self.grpc) && has(self.grpc.port) ? self.grpc.port : 50053) != "
            "(has(self.service) && has(self.service.port) ? self.service.port : 9595)",
            "grpc.port and service.port are ports of one Service: they differ",
            lambda api: not api.grpc.enabled or api.grpc.port != api.service.port,
        ),
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
