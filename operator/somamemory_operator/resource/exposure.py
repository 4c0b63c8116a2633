# ruff: noqa: RUF012 - pydantic copies the defaults of a field
"""What a SomaMemory may have beside its components; each is off until its field is written."""

from typing import Annotated

from pydantic import ConfigDict, Field

from somamemory_operator.resource.base import Annotations, DnsName, Model, rules


class Autoscaling(Model):
    """How the number of pods follows the load; the cluster needs a metrics server for it."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!has(self.minReplicas) || self.minReplicas <= (has(self.maxReplicas) ? self.maxReplicas : 5)",
                "maxReplicas must not be less than minReplicas",
            )
        )
    )
    enabled: bool = True
    """Whether a HorizontalPodAutoscaler decides about the pods."""
    min_replicas: Annotated[int, Field(ge=1, le=100)] | None = None
    """Fewest pods (default: replicas, but at least 1)."""
    max_replicas: Annotated[int, Field(ge=1, le=100)] = 5
    """Most pods."""
    target_cpu: Annotated[int, Field(ge=1, le=100, alias="targetCPU")] = 70
    """CPU that the pods use on average, in percent of what they request."""


class IngressTls(Model):
    """Encryption of what comes through the Ingress."""

    enabled: bool = True
    """Whether the Ingress asks for HTTPS; without it tokens travel in the clear."""
    secret_name: DnsName | None = None
    """Secret with the certificate (default NAME-api-tls), your own or one that cert-manager makes."""


class Ingress(Model):
    """How the HTTP API is reached from outside of the cluster."""

    enabled: bool = True
    """Whether there is an Ingress."""
    host: DnsName
    """Name under which clients reach the API, such as memory.example.com."""
    class_name: DnsName | None = None
    """IngressClass; the cluster's default when absent."""
    annotations: Annotations = {}
    """Annotations of the Ingress, in the words of its controller."""
    tls: IngressTls = IngressTls()
    """Encryption of what comes through the Ingress."""
