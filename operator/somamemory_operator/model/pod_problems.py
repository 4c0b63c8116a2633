"""Why a pod does not run, in words that say what to do. Messages are stable: the same trouble, the same sentence."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from somamemory_operator.model.observed import Obj, at, is_terminating
from somamemory_operator.model.reasons import Reason
from somamemory_operator.model.sentences import steady


@dataclass(frozen=True)
class Finding:
    """A reason and its sentence."""

    reason: Reason
    message: str


_PATIENCE = timedelta(seconds=20)
"""How long after its start a container may be without an answer before that is worth telling."""

_PULL = frozenset({"ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError"})
_CONFIG = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})


def worst(pods: list[Obj], now: datetime) -> Finding | None:
    """The finding about these pods that a person should see first, None when nothing is wrong."""
    findings = [found for pod in pods if (found := finding(pod, now)) is not None]
    return min(findings, key=lambda found: _URGENCY.index(found.reason), default=None)


def finding(pod: Obj, now: datetime) -> Finding | None:
    """What is wrong with one pod, None when it is well, or only starting."""
    if is_terminating(pod):
        return None
    return _unscheduled(pod) or _container(pod, now)


def lacks_image(pod: Obj) -> bool:
    """Whether a container of the pod has never run, because its image is not to be had under that name."""
    return any(
        at(status, "state", "waiting", "reason") in (*_PULL, "InvalidImageName")
        and not (status.get("lastState") or status.get("restartCount"))
        for status in at(pod, "status", "containerStatuses") or ()
    )


def _unscheduled(pod: Obj) -> Finding | None:
    for condition in at(pod, "status", "conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            said = steady(condition.get("message", "no node fits"))
            if "PersistentVolumeClaim" in said or "volume" in said.lower():
                return Finding(
                    Reason.VOLUME_PENDING,
                    f"{_start(pod)} waits for its volume ({said}): look at `kubectl describe pvc -n {_space(pod)}`; "
                    "a storage class with a working provisioner, or a fitting volume, is missing.",
                )
            return Finding(
                Reason.UNSCHEDULABLE,
                f"No node takes {_title(pod)} ({said}): add nodes, or ask for less in resources and node rules.",
            )
    return None


def _container(pod: Obj, now: datetime) -> Finding | None:
    statuses = at(pod, "status", "containerStatuses") or ()
    return next((found for status in statuses if (found := _of_container(pod, status, now)) is not None), None)


def _of_container(pod: Obj, status: Obj, now: datetime) -> Finding | None:
    waiting = at(status, "state", "waiting", "reason")
    if waiting in _PULL:
        return _image(pod, status)
    if waiting == "InvalidImageName":
        text = f"{_image_name(pod, status)} is not the name of an image: correct image.repository, tag or digest."
        return Finding(Reason.INVALID_IMAGE_NAME, text)
    if waiting in _CONFIG:
        said = steady(at(status, "state", "waiting", "message") or waiting)
        text = f"The container of {_title(pod)} cannot be created ({said}): create what is missing."
        return Finding(Reason.CONTAINER_CONFIG_INVALID, text)
    return _stopped(pod, status, waiting) or _unready(pod, status, now)


def _image(pod: Obj, status: Obj) -> Finding:
    return Finding(
        Reason.IMAGE_PULL_FAILED,
        f"The node cannot pull image {_image_name(pod, status)} for {_title(pod)}: check that the image exists and "
        f"that the registry lets the node in (imagePullSecrets); `kubectl describe pod -n {_space(pod)} {_choice(pod)}`"
        " shows what the registry says.",
    )


def _stopped(pod: Obj, status: Obj, waiting: str | None) -> Finding | None:
    ended = at(status, "state", "terminated") or (at(status, "lastState", "terminated") if waiting else None)
    if ended and ended.get("reason") == "OOMKilled":
        return Finding(
            Reason.OUT_OF_MEMORY,
            f"The container of {_title(pod)} used more memory than its limit and was stopped: raise "
            "resources.limits.memory of the component.",
        )
    if waiting == "CrashLoopBackOff":
        code = f" with exit code {ended['exitCode']}" if ended else ""
        return Finding(
            Reason.CRASH_LOOP_BACK_OFF,
            f"The container of {_title(pod)} stops again and again{code}: "
            f"`kubectl logs -n {_space(pod)} {_place(pod)} --previous` says why.",
        )
    return None


def _unready(pod: Obj, status: Obj, now: datetime) -> Finding | None:
    """A container that does not answer although it has had the time to start."""
    running = at(status, "state", "running")
    if running is None or status.get("ready") or not status.get("started"):
        return None
    if "startedAt" in running and now - datetime.fromisoformat(running["startedAt"]) < _PATIENCE:
        return None
    return Finding(
        Reason.NOT_READY,
        f"{_start(pod)} runs but does not answer its readiness probe: "
        f"`kubectl logs -n {_space(pod)} {_place(pod)}` may say why.",
    )


def _image_name(pod: Obj, status: Obj) -> str:
    """As the spec has it: the status may show another name of the same image."""
    containers = at(pod, "spec", "containers") or ()
    named = (c["image"] for c in containers if c["name"] == status["name"])
    return next(named, None) or str(status.get("image"))


def _place(pod: Obj) -> str:
    """What kubectl finds the pod's log by: its own name, or that of its maker where its own is random."""
    name = str(pod["metadata"]["name"])
    labels = pod["metadata"].get("labels") or {}
    for owner in pod["metadata"].get("ownerReferences") or ():
        if owner["kind"] == "ReplicaSet" and (suffix := labels.get("pod-template-hash")):
            return f"deployment/{owner['name'].removesuffix(f'-{suffix}')}"
        if owner["kind"] == "Job":
            return f"job/{owner['name']}"
    return name


def _title(pod: Obj) -> str:
    """The pod in a sentence that stays the same when another takes its place."""
    place = _place(pod)
    return f"a pod of {place}" if "/" in place else f"pod {place}"


def _start(pod: Obj) -> str:
    """The same, to begin a sentence; names stay as they are."""
    title = _title(pod)
    return title[0].upper() + title[1:]


def _choice(pod: Obj) -> str:
    """What `kubectl describe pod` finds it by."""
    if "/" not in _place(pod):
        return _place(pod)
    labels = pod["metadata"].get("labels") or {}
    chosen = (f"{key}={labels[key]}" for key in sorted(labels) if key.endswith(("/instance", "/component")))
    return f"-l {','.join(chosen)}"


def _space(pod: Obj) -> str:
    return str(pod["metadata"].get("namespace", "default"))


_URGENCY = (
    Reason.INVALID_IMAGE_NAME,
    Reason.IMAGE_PULL_FAILED,
    Reason.CONTAINER_CONFIG_INVALID,
    Reason.OUT_OF_MEMORY,
    Reason.CRASH_LOOP_BACK_OFF,
    Reason.VOLUME_PENDING,
    Reason.UNSCHEDULABLE,
    Reason.NOT_READY,
)
