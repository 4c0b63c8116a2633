"""A cluster in memory: what plans ask for is done, and its controllers do their part when told to."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson

from somamemory_operator.decide.applied import Applied
from somamemory_operator.decide.credentials import credentials
from somamemory_operator.decide.plan import Plan, plan
from somamemory_operator.decide.tls.certificates import certificates
from somamemory_operator.decide.tls.mint import X509Mint
from somamemory_operator.manifests import build
from somamemory_operator.model import names
from somamemory_operator.model.desired import Desired, Growth, Unlabelling
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Blindness, Key, Obj, World, key_of
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.settings import Settings

UID = "5f0c7a52-0000-4000-8000-00000000aaaa"
_ENDED = datetime(2026, 11, 28, 12, 30, tzinfo=UTC)
"""When Jobs end in a world without a clock."""
SETTINGS = Settings.model_construct()
"""The defaults, whatever the environment of the tests says."""


def memory(
    spec: Obj | None = None, *, name: str = "demo", generation: int = 1, status: Obj | None = None
) -> SomaMemory:
    """A SomaMemory as the API server would send it."""
    metadata = {"name": name, "namespace": "space", "uid": UID, "generation": generation}
    return SomaMemory.parse({"metadata": metadata, "spec": spec or {}, "status": status or {}})


def made(key: str) -> str:
    """A made-up credential, the same every time."""
    return f"made-up-{key.lower()}"


class FakeCluster:
    """Objects by key, with the parts of the API server and the controllers that the core can tell."""

    def __init__(self, generate: Callable[[str], str] = made) -> None:
        self.objects: dict[Key, Obj] = {}
        self.applied: dict[Key, Applied] = {}
        self.storage_classes: dict[str, Obj] = {"standard": {"allowVolumeExpansion": True}}
        self.unserved: frozenset[str] = frozenset()
        self.now: datetime | None = None
        self.brought: dict[str, Obj] = {}
        self.unread: dict[str, Blindness] = {}
        self.writes: list[str] = []
        self._generate, self._mint = generate, X509Mint(lambda: self.now or datetime.now(UTC))
        self._numbers = itertools.count(1)

    @property
    def world(self) -> World:
        seen = {key: obj for key, obj in self.objects.items() if key.kind not in self.unread}
        return World(
            {key: _copy(obj) for key, obj in seen.items()},
            self.storage_classes,
            self.unserved,
            self.unread,
            brought=self.brought,
        )

    def blind(self, *kinds: str) -> None:
        """Show these kinds no more, as an API server that refuses to list them."""
        self.unread = {kind: Blindness(Reason.FORBIDDEN, f"list {kind}: forbidden.") for kind in kinds}

    def look(self, memory: SomaMemory, settings: Settings = SETTINGS) -> tuple[Desired, Plan]:
        """What is desired now, and what is to be done for it."""
        world = self.world
        chosen = credentials(world, memory, self._generate, self.now)
        shown = certificates(world, memory, self._mint, self.now)
        desired = build(memory, settings, world, chosen, certificates=shown, now=self.now)
        return desired, plan(desired, world, self.applied)

    def step(self, memory: SomaMemory, settings: Settings = SETTINGS, *, writes: int | None = None) -> Plan:
        """One pass of the operator, or only its first `writes`, as if it had been killed after them."""
        _, todo = self.look(memory, settings)
        actions: list[Callable[[], object]] = [
            *(partial(self._put, body, operation="Update") for body in todo.creates),
            *(partial(self._grow, growth) for growth in todo.growths),
            *(partial(self.delete, gone.key, orphan=gone.propagation == "Orphan") for gone in todo.deletions),
            *(partial(self._apply, body) for body in todo.applies),
            *(partial(self._unlabel, each) for each in todo.unlabellings),
        ]
        for action in actions[:writes]:
            action()
        return todo

    def settle(self, memory: SomaMemory, settings: Settings = SETTINGS) -> None:
        """Passes and controllers in turn, until nothing is left to do."""
        for _ in range(24):  # stores change one after another, and a restore has several steps
            todo = self.step(memory, settings)
            self.run_controllers()
            if todo.is_settled:
                return
        raise AssertionError(f"does not settle: {self.look(memory, settings)[1]}")

    def delete(self, key: Key, *, orphan: bool = False) -> None:
        """Delete an object, and what a controller made of it."""
        del self.objects[key]
        self.writes.append(f"delete {key}")
        if not orphan:
            self.objects = {k: o for k, o in self.objects.items() if o["metadata"].get("fakeOwner") != str(key)}

    def edit(self, kind: str, name: str, change: Callable[[Obj], None]) -> None:
        """Change an object as a person would: fields of ours that are touched become theirs."""
        live = self.objects[Key(kind, name)]
        change(live)
        self._stamp(live, "kubectl-edit", "Update", {})

    def scale(self, name: str, replicas: int) -> None:
        """Change the number of a Deployment's pods as an autoscaler does."""
        self.edit("Deployment", name, lambda live: live["spec"].update(replicas=replicas))

    def run_controllers(self) -> None:
        """Bring every workload to what its spec says."""
        for live in list(self.objects.values()):
            if live["kind"] in ("StatefulSet", "Deployment"):
                self._roll_out(live)
            elif live["kind"] == "Job" and not live.get("status"):
                ended = (self.now or _ENDED).strftime("%Y-%m-%dT%H:%M:%SZ")
                live["status"] = {"conditions": [{"type": "Complete", "status": "True"}], "completionTime": ended}

    def _grow(self, growth: Growth) -> None:
        claim = self.objects[Key("PersistentVolumeClaim", growth.claim)]
        claim["spec"]["resources"]["requests"]["storage"] = growth.size
        self.writes.append(f"grow {growth.claim}")

    def _unlabel(self, unlabelling: Unlabelling) -> None:
        del self.objects[unlabelling.key]["metadata"]["labels"][unlabelling.label]
        self.writes.append(f"unlabel {unlabelling.key}")

    def _apply(self, body: Obj) -> None:
        key = key_of(body)
        before, last = self.objects.get(key), self.applied.get(key)
        self.applied[key] = Applied.of(body, self._put(body, operation="Apply"), before=before, last=last)

    def _put(self, body: Obj, *, operation: str) -> Obj:
        key = key_of(body)
        self.writes.append(f"{operation} {key}")
        before = self.objects.get(key)
        live = _copy(body) if key.kind != "PersistentVolumeClaim" else _merged(before or {}, body)
        fields = _fields(live)
        if key.kind == "Deployment" and "replicas" not in live["spec"]:
            live["spec"]["replicas"] = _kept(before)
        live["metadata"]["uid"] = before["metadata"]["uid"] if before else f"uid-{next(self._numbers)}"
        generation = before["metadata"].get("generation", 0) if before else 0
        changed = before is None or before.get("spec") != live.get("spec")
        live["metadata"]["generation"] = generation + changed
        live["status"] = before.get("status", {}) if before else {}
        self._stamp(live, names.FIELD_MANAGER, operation, fields)
        self.objects[key] = live
        return live

    def _stamp(self, live: Obj, manager: str, operation: str, fields: Obj) -> None:
        number = str(next(self._numbers)) if manager != names.FIELD_MANAGER else "ours"
        live["metadata"]["resourceVersion"] = str(next(self._numbers))
        entry = {"manager": names.FIELD_MANAGER, "operation": operation, "fieldsV1": {"f:without": number} | fields}
        if self.now is not None:
            entry["time"] = self.now.isoformat()
        live["metadata"]["managedFields"] = [entry | {"operation": "Apply" if operation == "Update" else operation}]

    def _roll_out(self, live: Obj) -> None:
        wanted, component = live["spec"]["replicas"], live["metadata"]["labels"][names.COMPONENT_LABEL]
        counts = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas", "updatedReplicas"), wanted)
        revisions = {"currentRevision": "r", "updateRevision": "r"} if live["kind"] == "StatefulSet" else {}
        live["status"] = {"observedGeneration": live["metadata"]["generation"], **counts, **revisions}
        if live["kind"] == "Deployment":
            mine = [key for key, obj in self.objects.items() if obj["metadata"].get("fakeOwner") == str(key_of(live))]
            for key in mine[wanted:]:
                del self.objects[key]
        for number in range(wanted):
            self._pod(live, component, number)
            for template in live["spec"].get("volumeClaimTemplates") or ():
                self._claim(live, template, number)

    def _pod(self, owner: Obj, component: str, number: int) -> None:
        name = f"{owner['metadata']['name']}-{number}"
        pod = pod_of(name, component, {"conditions": [{"type": "Ready", "status": "True"}]})
        if self.now is not None:
            pod["metadata"]["creationTimestamp"] = self.now.isoformat()
        pod["metadata"] |= {"uid": f"uid-{next(self._numbers)}", "fakeOwner": str(key_of(owner))}
        claims = [template["metadata"]["name"] for template in owner["spec"].get("volumeClaimTemplates") or ()]
        pod["spec"]["volumes"] = [
            *(owner["spec"]["template"]["spec"].get("volumes") or ()),
            *({"name": claim, "persistentVolumeClaim": {"claimName": f"{claim}-{name}"}} for claim in claims),
        ]
        self.objects.setdefault(Key("Pod", name), pod)

    def _claim(self, owner: Obj, template: Obj, number: int) -> None:
        name = f"{template['metadata']['name']}-{owner['metadata']['name']}-{number}"
        labels = (
            template["metadata"]["labels"] | owner["spec"]["selector"]["matchLabels"]
        )  # as the real controller does
        annotations = dict(template["metadata"].get("annotations") or {})
        metadata = {"name": name, "labels": labels, "annotations": annotations, "uid": f"uid-{next(self._numbers)}"}
        spec = {"storageClassName": "standard"} | _copy(template["spec"])
        claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}
        live = self.objects.setdefault(Key("PersistentVolumeClaim", name), claim)
        live["status"] = {"phase": "Bound", "capacity": {"storage": live["spec"]["resources"]["requests"]["storage"]}}


def _copy(obj: Obj) -> Obj:
    """As it comes from the API server: JSON, read anew. Many times quicker than a deep copy."""
    copied: Obj = orjson.loads(orjson.dumps(obj))
    return copied


def _merged(before: Obj, body: Obj) -> Obj:
    """What an apply of some fields makes of an object."""
    merged = _copy(before)
    for key, value in body.items():
        there = merged.get(key)
        merged[key] = _merged(there, value) if isinstance(there, dict) and isinstance(value, dict) else value
    return _copy(merged)


def _fields(body: Obj) -> Obj:
    """The fields that an apply makes ours, as far as the core looks at them."""
    return {"f:spec": {"f:replicas": {}}} if "replicas" in (body.get("spec") or {}) else {}


def _kept(before: Obj | None) -> int:
    """What remains of the number of pods that an apply leaves out: others' word, else the default."""
    entries = before["metadata"]["managedFields"] if before else []
    ours = any("f:spec" in entry["fieldsV1"] for entry in entries)
    return 1 if before is None or ours else int(before["spec"]["replicas"])


def pod_of(name: str, component: str, status: Any, memory_name: str = "demo") -> Obj:
    """A pod of a component with a status."""
    labels = names.labels(memory_name, Component(component))
    spec = {"containers": [{"name": component, "image": "example.org/some/image:1"}]}
    metadata = {"name": name, "namespace": "space", "labels": labels, "uid": "a-pod"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def claim_of(
    store: str,
    size: str = "5Gi",
    storage_class: str | None = "standard",
    *,
    asked: str | None = "as large",
    capacity: str | None = "as large",
    **metadata: Any,
) -> Obj:
    """A volume claim of a store, bound unless `capacity` is None; `asked` is what the spec asked for last."""
    spec = {"resources": {"requests": {"storage": size}}, "storageClassName": storage_class}
    labels = names.lasting_labels("demo", Component(store))
    about = {"name": f"data-demo-{store}-0", "labels": labels, "uid": f"claim-{store}", **metadata}
    if asked is not None and about["labels"]:
        about["annotations"] = {names.SIZE_ANNOTATION: size if asked == "as large" else asked}
    there = size if capacity == "as large" else capacity
    status = {"phase": "Bound", "capacity": {"storage": there}} if there else {"phase": "Pending"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": about, "spec": spec, "status": status}


def world_of(*objects: Obj, storage_classes: dict[str, Obj] | None = None) -> World:
    """A world with just these."""
    return World({key_of(obj): obj for obj in objects}, storage_classes)
