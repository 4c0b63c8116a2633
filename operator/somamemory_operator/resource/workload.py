# ruff: noqa: RUF012 - pydantic copies the defaults of a field
"""The fields of a pod that a person may set on every component: the useful part of Kubernetes' own PodSpec."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from somamemory_operator.resource.base import (
    Annotations,
    DnsName,
    LabelKey,
    Labels,
    LabelValue,
    LooseQuantity,
    Model,
    rules,
)

EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", min_length=1, max_length=256)]
KeyName = Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]+$", min_length=1, max_length=253)]
UserId = Annotated[int, Field(ge=1, le=2147483647)]
Weight = Annotated[int, Field(ge=1, le=100)]


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


class Toleration(Model):
    """A taint of nodes that the pods put up with."""

    key: LabelKey | None = None
    """Key of the taint; without it every key matches (operator Exists)."""
    operator: Literal["Exists", "Equal"] | None = None
    """How key and value are compared."""
    value: LabelValue | None = None
    """Value of the taint."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Effect of the taint; without it every effect matches."""
    toleration_seconds: int | None = None
    """How long a NoExecute taint is put up with."""


class LabelExpression(Model):
    """One requirement on labels."""

    key: LabelKey
    """Key of the label."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    """How the label is compared (Gt and Lt only for nodes)."""
    values: Annotated[list[LabelValue], Field(max_length=32)] | None = None
    """What it is compared with."""


class LabelSelector(Model):
    """A choice of objects by their labels."""

    match_labels: Labels | None = None
    """Labels that must be equal."""
    match_expressions: Annotated[list[LabelExpression], Field(max_length=16)] | None = None
    """Further requirements."""


class NodeSelectorTerm(Model):
    """A choice of nodes; all its requirements must hold."""

    match_expressions: Annotated[list[LabelExpression], Field(max_length=16)] | None = None
    """Requirements on the labels of nodes."""
    match_fields: Annotated[list[LabelExpression], Field(max_length=16)] | None = None
    """Requirements on the fields of nodes, such as metadata.name."""


class NodeSelector(Model):
    """A choice of nodes; one of its terms must hold."""

    node_selector_terms: Annotated[list[NodeSelectorTerm], Field(min_length=1, max_length=16)]
    """The terms."""


class PreferredNode(Model):
    """A wish about nodes and how strong it is."""

    weight: Weight
    """Strength of the wish, 1 to 100."""
    preference: NodeSelectorTerm
    """The wish."""


class NodeAffinity(Model):
    """On which nodes the pods run."""

    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    """Must hold."""
    preferred_during_scheduling_ignored_during_execution: (
        Annotated[list[PreferredNode], Field(max_length=16)] | None
    ) = None
    """Should hold."""


class PodTerm(Model):
    """Nearness to other pods."""

    topology_key: LabelKey
    """Label of nodes that says what near is, such as kubernetes.io/hostname."""
    label_selector: LabelSelector | None = None
    """The other pods."""
    namespaces: Annotated[list[DnsName], Field(max_length=16)] | None = None
    """Namespaces of the other pods; this one when empty."""
    namespace_selector: LabelSelector | None = None
    """Namespaces of the other pods by label."""


class PreferredPod(Model):
    """A wish about nearness and how strong it is."""

    weight: Weight
    """Strength of the wish, 1 to 100."""
    pod_affinity_term: PodTerm
    """The wish."""


class PodAffinity(Model):
    """Which other pods should be near, or far."""

    required_during_scheduling_ignored_during_execution: Annotated[list[PodTerm], Field(max_length=16)] | None = None
    """Must hold."""
    preferred_during_scheduling_ignored_during_execution: Annotated[list[PreferredPod], Field(max_length=16)] | None = (
        None
    )
    """Should hold."""


class Affinity(Model):
    """Where the pods like to run."""

    node_affinity: NodeAffinity | None = None
    """On which nodes."""
    pod_affinity: PodAffinity | None = None
    """Near which pods."""
    pod_anti_affinity: PodAffinity | None = None
    """Far from which pods."""


class TopologySpread(Model):
    """How evenly the pods spread over nodes or zones."""

    max_skew: Annotated[int, Field(ge=1)]
    """By how much the fullest place may differ from the emptiest."""
    topology_key: LabelKey
    """Label of nodes that says what a place is, such as topology.kubernetes.io/zone."""
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"]
    """What to do when it cannot be even."""
    label_selector: LabelSelector | None = None
    """The pods counted; the pods of the component when absent."""
    min_domains: Annotated[int, Field(ge=1)] | None = None
    """How many places there must be at least."""
    node_affinity_policy: Literal["Honor", "Ignore"] | None = None
    """Whether nodes that the pod does not like count."""
    node_taints_policy: Literal["Honor", "Ignore"] | None = None
    """Whether tainted nodes count."""
    match_label_keys: Annotated[list[LabelKey], Field(max_length=8)] | None = None
    """Labels of the pod whose values must be equal too, such as pod-template-hash."""


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
    topology_spread_constraints: Annotated[list[TopologySpread], Field(max_length=8)] = []
    """How evenly the pods spread over nodes or zones."""
    priority_class_name: DnsName | None = None
    """PriorityClass of the pods."""
    pod_annotations: Annotations = {}
    """Further annotations of the pods."""
    pod_labels: Labels = {}
    """Further labels of the pods; those that the operator sets cannot be overridden."""
    pod_security_context: PodSecurity = PodSecurity()
    """Users and groups of the pods."""
    container_security_context: ContainerSecurity = ContainerSecurity()
    """Security of the container."""
