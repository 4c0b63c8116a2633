# ruff: noqa: RUF012 - pydantic copies the defaults of a field
"""The fields of a pod that a person may set on every component: the useful part of Kubernetes' own PodSpec."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from somamemory_operator.resource.base import (
    Annotations,
    Distinct,
    DnsName,
    Labels,
    LooseQuantity,
    Model,
    rules,
)
from somamemory_operator.resource.scheduling import Affinity, Toleration, TopologySpread

EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", min_length=1, max_length=256)]
KeyName = Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]+$", min_length=1, max_length=253)]
UserId = Annotated[int, Field(ge=1, le=2147483647)]


class Resources(Model):
    """What a container is promised and what it may use at most."""

    requests: Annotated[dict[str, LooseQuantity], Field(max_length=8)] = {}
    """What the scheduler sets aside, such as `cpu: 50m` and `memory: 128Mi`."""
    limits: Annotated[dict[str, LooseQuantity], Field(max_length=8)] = {}
    """What the container may use at most."""


class KeySelector(Model):
    """One key of a Secret or ConfigMap in the same namespace."""

    name: DnsName
    """Name of the Secret or ConfigMap."""
    key: KeyName
    """Key inside it."""
    optional: bool | None = None
    """Whether the container starts although the key is missing."""


class EnvSource(Model):
    """Where the value of an environment variable comes from."""

    model_config = {
        "json_schema_extra": rules(
            ("has(self.secretKeyRef) != has(self.configMapKeyRef)", "set either secretKeyRef or configMapKeyRef")
        )
    }
    secret_key_ref: KeySelector | None = None
    """A key of a Secret."""
    config_map_key_ref: KeySelector | None = None
    """A key of a ConfigMap."""


class EnvVar(Model):
    """One more environment variable of a container."""

    model_config = {
        "json_schema_extra": rules(("!(has(self.value) && has(self.valueFrom))", "set either value or valueFrom"))
    }
    name: EnvName
    """Name of the variable."""
    value: Annotated[str, StringConstraints(max_length=32768)] | None = None
    """Its value, word for word; put secrets into valueFrom instead."""
    value_from: EnvSource | None = None
    """Where its value comes from."""


class PodSecurity(Model):
    """Users and groups of a component's pods; the rest of Pod Security `restricted` is not negotiable."""

    run_as_user: UserId | None = None
    """User id of the processes; must fit the image."""
    run_as_group: UserId | None = None
    """Group id of the processes."""
    fs_group: UserId | None = None
    """Group that volumes are given to."""
    fs_group_change_policy: Literal["OnRootMismatch", "Always"] | None = None
    """When the files of a volume change their group."""
    supplemental_groups: Annotated[list[UserId], Field(max_length=16)] | None = None
    """Further groups of the processes."""


class ContainerSecurity(Model):
    """Security of a component's container; the rest of Pod Security `restricted` is not negotiable."""

    read_only_root_filesystem: bool | None = None
    """Whether the image's files are read-only (default true); an image of your own may need false."""


class Workload(Model):
    """What can be set on the pods of every component."""

    resources: Resources = Resources()
    """CPU and memory of the container."""
    node_selector: Labels = {}
    """Labels that a node must carry to run the pods."""
    tolerations: Annotated[list[Toleration], Field(max_length=16)] = []
    """Taints of nodes that the pods put up with."""
    affinity: Affinity | None = None
    """Where the pods like to run."""
    topology_spread_constraints: Annotated[
        list[TopologySpread],
        Field(max_length=8),
        Distinct(
            "topologySpreadConstraints has two of one topologyKey and whenUnsatisfiable: keep one",
            ("topology_key", "when_unsatisfiable"),
        ),
    ] = []
    """How evenly the pods spread over nodes or zones."""
    priority_class_name: DnsName | None = None
    """PriorityClass of the pods."""
    workload_annotations: Annotations = {}
    """Further annotations of the Deployment or StatefulSet itself, for tools that read them there."""
    workload_labels: Labels = {}
    """Further labels of the Deployment or StatefulSet itself; those of the operator cannot be overridden."""
    pod_annotations: Annotations = {}
    """Further annotations of the pods."""
    pod_labels: Labels = {}
    """Further labels of the pods; those that the operator sets cannot be overridden."""
    pod_security_context: PodSecurity = PodSecurity()
    """Users and groups of the pods."""
    container_security_context: ContainerSecurity = ContainerSecurity()
    """Security of the container."""
