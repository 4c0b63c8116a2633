"""Whether a workload runs what its spec says, as told by its own status."""

from somamemory_operator.model.observed import Obj, at


def is_rolled_out(live: Obj) -> bool:
    """Whether the controller has seen the newest spec and every wanted pod runs it and is ready."""
    status, wanted = at(live, "status") or {}, at(live, "spec", "replicas")
    wanted = 1 if wanted is None else wanted
    if (status.get("observedGeneration") or 0) < (live["metadata"].get("generation") or 0):
        return False
    counts = {status.get("replicas") or 0, status.get("readyReplicas") or 0, status.get("availableReplicas") or 0}
    counts.add(status.get("updatedReplicas") or 0)
    if live["kind"] == "StatefulSet" and status.get("currentRevision") != status.get("updateRevision"):
        return False
    return counts == {wanted}
