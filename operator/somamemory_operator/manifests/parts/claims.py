"""Volume claims: how they begin, and what we write on those that are there, which is as little as can be."""

from collections.abc import Iterable, Iterator

from somamemory_operator.decide.births import births, volume_templates
from somamemory_operator.decide.volumes import Volume, volumes
from somamemory_operator.manifests.parts.context import Context, compact
from somamemory_operator.model import names
from somamemory_operator.model.desired import Gate, Wanted
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import Obj, at, component_of, instance_of, key_of, uid_of
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.backup import BackupVolume
from somamemory_operator.resource.stores import Persistence

_KIND = "PersistentVolumeClaim"
_USERS = frozenset({"StatefulSet", "CronJob", _KIND})


def of_store(context: Context, component: Component, name: str) -> list[Obj]:
    """The volume templates of a store's StatefulSet; there the claim is called `name`.

    Those of the live StatefulSet, to the letter, while claims made from them are there: templates cannot be changed,
    and a claim does not follow them. New ones where nothing follows from the old, or where they ask for too much.
    """
    persistence = context.store(component).persistence
    if not persistence.enabled:
        return []
    metadata = {"name": name, **_lasting(context, component)}
    wanted: list[Obj] = [{"metadata": metadata, "spec": _spec(persistence)}]
    live = context.world.get("StatefulSet", names.child(context.name, component))
    now, then = births(live), births({"spec": {"volumeClaimTemplates": wanted}})
    fits = now.keys() == then.keys() and all(now[key].size <= then[key].size for key in now)
    keeps = fits and bool(context.world.claims_of(component))
    return volume_templates(live) if keeps or now == then else wanted


def of_backup(context: Context, volume: BackupVolume) -> Obj:
    """The claim for dumps, without an owner: they are for the day when everything else is gone."""
    component = Component.BACKUP
    claims = context.world.claims_of(component)
    if not claims:
        metadata = {"name": names.child(context.name, component), "namespace": context.memory.namespace}
        marks = _lasting(context, component)
        annotations = marks["annotations"] | {names.SIZE_ANNOTATION: volume.size}
        return _claim(metadata | marks | {"annotations": annotations}, _spec(volume))
    [found] = [found for found in volumes(context.memory, context.world) if found.component is component]
    there = claims[0]["spec"]  # what cannot be changed is applied as it is: left out, it would be taken away
    spec = {key: there.get(key) for key in ("accessModes", "storageClassName", "resources")}
    return _claim(_metadata(context, component, found.claim, found), compact(spec))


def adopted(context: Context) -> list[Wanted]:
    """Our marks on the stores' claims, whoever made them, and on nothing else of theirs."""
    found = {volume.name: volume for volume in volumes(context.memory, context.world)}
    claims = [(store, claim) for store in STORES for claim in context.world.claims_of(store)]
    metadata = (_metadata(context, store, claim, found.get(key_of(claim).name)) for store, claim in claims)
    return [Wanted(_claim(each)) for each in metadata]


def unless_foreign(context: Context, objects: Iterable[Obj]) -> Iterator[Wanted]:
    """The objects; what would use a claim that belongs to another SomaMemory waits until somebody has said whose."""
    for obj in objects:
        foreign = context.world.foreign_claims_of(component_of(obj) or "") if obj["kind"] in _USERS else []
        yield Wanted(obj, Gate(False, Reason.CONFLICT, _conflict(foreign[0])) if foreign else None)


def _claim(metadata: Obj, spec: Obj | None = None) -> Obj:
    return {"apiVersion": "v1", "kind": _KIND, "metadata": metadata} | ({"spec": spec} if spec else {})


def _spec(volume: Persistence | BackupVolume) -> Obj:
    spec = {
        "accessModes": list(volume.access_modes),
        "storageClassName": volume.storage_class_name,
        "resources": {"requests": {"storage": volume.size}},
    }
    return compact(spec)


def _lasting(context: Context, component: Component) -> Obj:
    annotations = {names.SYNC_OPTIONS_ANNOTATION: names.SPARED}
    return {"labels": names.lasting_labels(context.name, component), "annotations": annotations}


def _metadata(context: Context, component: Component, claim: Obj, volume: Volume | None) -> Obj:
    """For a claim that is there. It may stand in Git, or belong to a chart: common marks of others stay theirs."""
    marks, live = _lasting(context, component), claim["metadata"]
    own = {names.OWN_INSTANCE_LABEL, names.OWN_COMPONENT_LABEL}
    size = {} if volume is None else {names.SIZE_ANNOTATION: volume.requested if volume.is_receding else volume.wanted}
    return {
        "name": live["name"],
        "namespace": context.memory.namespace,
        "uid": uid_of(claim),  # so that one that goes meanwhile is not made anew by this
        "labels": {k: v for k, v in marks["labels"].items() if k in own or _is_free(live, "labels", k, v)},
        "annotations": size | {k: v for k, v in marks["annotations"].items() if _is_free(live, "annotations", k, v)},
    }


def _is_free(metadata: Obj, field: str, key: str, value: str) -> bool:
    return at(metadata, field, key) in (None, value)


def _conflict(claim: Obj) -> str:
    name, namespace = key_of(claim).name, at(claim, "metadata", "namespace")
    said = f"SomaMemory {instance_of(claim)}, component {component_of(claim)}"
    return (
        f"Volume claim {name} is labelled as that of another ({said}). If it is meant for this one, take the labels "
        f"off: `kubectl label pvc -n {namespace} {name} {names.OWN_INSTANCE_LABEL}- {names.OWN_COMPONENT_LABEL}- "
        f"{names.MANAGED_BY_LABEL}-`. If not, give one of the two another name."
    )
