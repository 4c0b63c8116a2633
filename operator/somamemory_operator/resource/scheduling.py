"""Where pods may run and should run: tolerations, affinity, spreading."""

from typing import Annotated, Literal

from pydantic import Field

from somamemory_operator.resource.base import DnsName, LabelKey, Labels, LabelValue, Model

Weight = Annotated[int, Field(ge=1, le=100)]


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
