"""What is there: a snapshot of one SomaMemory's surroundings, taken by the rim and only read by the core."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from somamemory_operator.model import names
from somamemory_operator.model.reasons import Reason

Obj: TypeAlias = dict[str, Any]
"""A Kubernetes object as the API server sends it: a plain, JSON-like dictionary."""


class Key(NamedTuple):
    """An object of one namespace, told by its kind and name."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class MemoryKey(NamedTuple):
    """Namespace and name of a SomaMemory."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Blindness(NamedTuple):
    """Why a kind could not be looked at, in the server's words."""

    reason: Reason
    message: str


@dataclass(frozen=True)
class World:
    """Everything the decisions about one SomaMemory may look at.

    `children` are the live objects of its namespace, of the kinds in `OBSERVED_KINDS`, that our labels call its own,
    and the volume claims that have the name of one of its own, whatever their labels say. What an apply has returned
    must be in here before the next decision is taken: a world that is older than our own writes would report Ready
    too early.
    `storage_classes` is None when the operator may not read them: checks that need them are then skipped.
    `unserved` are the kinds of `OPTIONAL_KINDS` that this cluster does not have, or does not show to the operator.
    `unread` are the other kinds that could not be read this time: what there is of them is unknown, not absent.
    `unwatched` are the kinds whose changes are noticed late, because the watch is refused.
    `brought` are the Secrets that the spec names, by name, as far as they are there; `unread_secrets` are those of them
    that could not be read.
    """

    children: Mapping[Key, Obj] = field(default_factory=dict)
    storage_classes: Mapping[str, Obj] | None = None
    unserved: frozenset[str] = frozenset()
    unread: Mapping[str, Blindness] = field(default_factory=dict)
    unwatched: Mapping[str, Blindness] = field(default_factory=dict)
    brought: Mapping[str, Obj] = field(default_factory=dict, repr=False)
    unread_secrets: Mapping[str, Blindness] = field(default_factory=dict)

    def get(self, kind: str, name: str) -> Obj | None:
        """The live object of that kind and name, or None."""
        return self.children.get(Key(kind, name))

    def of_kind(self, kind: str) -> Iterator[Obj]:
        """Every observed object of one kind, in the order of names."""
        return (self.children[key] for key in sorted(self.children) if key.kind == kind)

    def pods_of(self, component: str) -> list[Obj]:
        """The pods of one component that are not being deleted."""
        return [pod for pod in self.of_kind("Pod") if component_of(pod) == component and not is_terminating(pod)]

    def claims_of(self, component: str) -> list[Obj]:
        """The volume claims of one component that are not being deleted: those of the right name, but foreign ones.

        The name decides, because by it the StatefulSet controller takes a claim: one that was restored from a snapshot
        has no labels of ours, and holds the data all the same.
        """
        return [claim for claim in self._claims_named(component) if not is_foreign_claim(claim)]

    def foreign_claims_of(self, component: str) -> list[Obj]:
        """The volume claims in the place of one component's own that belong to another SomaMemory, as labels say."""
        return [claim for claim in self._claims_named(component) if is_foreign_claim(claim)]

    def _claims_named(self, component: str) -> Iterator[Obj]:
        for claim in self.of_kind("PersistentVolumeClaim"):
            name = names.claim_name(key_of(claim).name)
            if name is not None and name.component == component and not is_terminating(claim):
                yield claim


OBSERVED_KINDS = (
    "StatefulSet",
    "Deployment",
    "Service",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "Job",
    "CronJob",
    "Pod",
    "PersistentVolumeClaim",
    "PodDisruptionBudget",
    "NetworkPolicy",
    "HorizontalPodAutoscaler",
    "Ingress",
    "ServiceMonitor",
    "PrometheusRule",
    "ExternalSecret",
    "Certificate",
)
OPTIONAL_KINDS = frozenset({"ServiceMonitor", "PrometheusRule", "ExternalSecret", "Certificate"})
"""Kinds that others bring into a cluster: they may be unserved, and may come at any time."""


def key_of(obj: Obj) -> Key:
    """The key under which `obj` is found in a world."""
    return Key(obj["kind"], obj["metadata"]["name"])


def label_of(obj: Obj, label: str) -> str | None:
    """The value of a label, None on objects without it."""
    value: str | None = (obj["metadata"].get("labels") or {}).get(label)
    return value


def instance_of(obj: Obj) -> str | None:
    """The name of the SomaMemory that the labels speak of: pods, and all that earlier releases made, have the old."""
    return label_of(obj, names.OWN_INSTANCE_LABEL) or label_of(obj, names.INSTANCE_LABEL)


def component_of(obj: Obj) -> str | None:
    """The component that the labels speak of, None on objects without one."""
    return label_of(obj, names.OWN_COMPONENT_LABEL) or label_of(obj, names.COMPONENT_LABEL)


def is_labelled_as_ours(obj: Obj) -> bool:
    """Whether the labels say that a SomaMemory's operator made the object, this one's or another's."""
    has_own = label_of(obj, names.OWN_INSTANCE_LABEL) is not None
    return has_own or label_of(obj, names.MANAGED_BY_LABEL) == names.FIELD_MANAGER


def belongs_to(obj: Obj, memory: str) -> bool:
    """Whether an object is for the SomaMemory of that name: claims are told by their names, the others by labels."""
    if obj["kind"] != "PersistentVolumeClaim":
        return instance_of(obj) == memory
    name = names.claim_name(key_of(obj).name)
    return name is not None and name.memory == memory


def is_restored_secret(secret: Obj, memory: str) -> bool:
    """Whether a Secret with the name of credentials holds some, and its labels do not say that they are another's."""
    free = not is_labelled_as_ours(secret) or instance_of(secret) in (None, memory)
    return free and bool(at(secret, "data", "POSTGRES_PASSWORD"))


def is_foreign_claim(claim: Obj) -> bool:
    """Whether our labels on a volume claim contradict its name: it was copied together with them, or belongs there."""
    name = names.claim_name(key_of(claim).name)
    if name is None or not is_labelled_as_ours(claim):
        return False
    said = (instance_of(claim) or name.memory, component_of(claim) or name.component)
    return said != (name.memory, name.component)


def is_terminating(obj: Obj) -> bool:
    """Whether the object is on its way out; such an object is as good as absent, but its name is still taken."""
    return "deletionTimestamp" in obj["metadata"]


def uid_of(obj: Obj) -> str:
    """The identity that the API server gave the object, empty for one that never was there."""
    return str(obj["metadata"].get("uid", ""))


def is_owned_by(obj: Obj, uid: str) -> bool:
    """Whether an ownerReference of `obj` names the owner with this identity."""
    references: Iterable[Obj] = obj["metadata"].get("ownerReferences") or ()
    return any(reference.get("uid") == uid for reference in references)


def applied_at(obj: Obj) -> datetime | None:
    """When our last apply changed something of the object, None when none is known."""
    entries = obj["metadata"].get("managedFields") or ()
    ours = (e for e in entries if e.get("manager") == names.FIELD_MANAGER and e.get("operation") == "Apply")
    times = [datetime.fromisoformat(entry["time"]) for entry in ours if entry.get("time")]
    return max(times, default=None)


def encoded(text: str) -> str:
    """A value as it stands in the `data` of a Secret."""
    return base64.b64encode(text.encode()).decode()


def holds(secret: Obj | None, data: Mapping[str, str]) -> bool:
    """Whether a Secret has all of this; what others have put beside it is theirs."""
    return secret is not None and data.items() <= (secret.get("data") or {}).items()


def at(obj: Mapping[str, Any] | None, *path: str) -> Any:
    """The value at a path of keys, None as soon as one is missing: `at(pod, "status", "phase")`."""
    for key in path:
        if not isinstance(obj, Mapping):
            return None
        obj = obj.get(key)
    return obj
