"""How a Job stands, as its own conditions tell, and whether a pod still does anything."""

from somamemory_operator.model.observed import Obj, at


def is_complete(job: Obj | None) -> bool:
    """Whether a Job has succeeded."""
    return _condition(job, "Complete") is not None


def has_failed(job: Obj | None) -> bool:
    """Whether a Job has given up."""
    return _condition(job, "Failed") is not None


def has_ended(job: Obj) -> bool:
    """Whether a Job does nothing any more."""
    return is_complete(job) or has_failed(job)


def failure(job: Obj | None) -> tuple[str, str]:
    """Why a Job has given up, in Kubernetes' word (such as DeadlineExceeded) and sentence; empty ones if it has not."""
    found = _condition(job, "Failed") or {}
    return str(found.get("reason") or ""), str(found.get("message") or "")


def is_at_work(pod: Obj) -> bool:
    """Whether a pod may still do something: also one that was told to go, until it is gone."""
    return at(pod, "status", "phase") not in ("Succeeded", "Failed")


def is_pod_ready(pod: Obj) -> bool:
    """Whether a pod passes its readiness probe and is not on its way out."""
    conditions = at(pod, "status", "conditions") or ()
    ready = any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def _condition(job: Obj | None, kind: str) -> Obj | None:
    conditions: list[Obj] = at(job, "status", "conditions") or []
    return next((each for each in conditions if each["type"] == kind and each["status"] == "True"), None)
