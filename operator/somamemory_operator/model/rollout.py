"""How far a workload is on its way to what its spec says, as told by its own status."""

from somamemory_operator.model.observed import Obj, at, key_of

WORKLOAD_KINDS = frozenset({"StatefulSet", "Deployment"})
"""Kinds whose controllers say which generation of the spec their status is about."""


def is_rolled_out(live: Obj) -> bool:
    """Whether the controller has seen the newest spec and every wanted pod runs it and is ready."""
    return has_seen(live, generation_of(live)) and runs_newest(live)


def generation_of(live: Obj) -> int:
    """The generation of the spec; a Deployment's moves with its annotations too."""
    return live["metadata"].get("generation") or 0


def has_seen(live: Obj, generation: int) -> bool:
    """Whether the status is about this generation of the spec, or a later one."""
    return (at(live, "status", "observedGeneration") or 0) >= generation


def runs_newest(live: Obj, least: int | None = None) -> bool:
    """Whether every wanted pod runs the template that the controller has seen last, and is ready.

    Where an autoscaler decides about the number, `least` is the fewest that it may choose: the pods that come and go
    above are its affair, and no reason to be unready.
    """
    status = at(live, "status") or {}
    if live["kind"] == "StatefulSet" and status.get("currentRevision") != status.get("updateRevision"):
        return False
    there, newest, ready, available = (status.get(name) or 0 for name in _COUNTS)
    if least is not None:
        return there == newest and min(ready, available) >= least
    return {there, newest, ready, available} == {_wanted(live)}


_COUNTS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")


def progress(live: Obj) -> str:
    """What is still missing until then, in numbers."""
    wanted = _wanted(live)
    there, newest, ready, _ = (at(live, "status", name) or 0 for name in _COUNTS)
    if wanted == 0:
        return f"The pods are being stopped: {there} left."
    if newest < wanted:
        return f"{ready} of {wanted} pods are ready, {newest} of {wanted} run the newest template."
    if ready < wanted:
        return f"{ready} of {wanted} pods are ready."
    return f"Pods of an older template are being stopped: {there - wanted} left." if there > wanted else _SETTLING


_SETTLING = "The newest pods are ready; they count once they have stayed so for a moment."


def paused(live: Obj) -> str | None:
    """How somebody keeps the pods at an older template, and what ends it; None when nobody does."""
    if (at(live, "status", "updatedReplicas") or 0) >= _wanted(live):
        return None
    name, namespace = key_of(live).name, live["metadata"].get("namespace", "default")
    if at(live, "spec", "paused"):
        return (
            f"Deployment {name} is paused, so its pods stay at an older template: `kubectl rollout resume -n "
            f"{namespace} deployment/{name}` lets it go on."
        )
    if at(live, "spec", "updateStrategy", "rollingUpdate", "partition"):
        return (
            f"StatefulSet {name} has a partition, so pods below it stay at an older template: make it 0 at "
            f"spec.updateStrategy.rollingUpdate.partition, with `kubectl edit -n {namespace} statefulset/{name}`."
        )
    return None


def _wanted(live: Obj) -> int:
    wanted = at(live, "spec", "replicas")
    return 1 if wanted is None else wanted
