"""Everything that helps to understand a SomaMemory from afar, in one archive, and no secret."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj
from somamemory_operator.plugin.kubectl import Kubectl, KubectlFailed

KINDS = (
    "deployments.apps,statefulsets.apps,jobs.batch,cronjobs.batch,services,configmaps,secrets,"
    "persistentvolumeclaims,serviceaccounts,networkpolicies.networking.k8s.io,horizontalpodautoscalers.autoscaling"
)
LINES = 2000


def write(kubectl: Kubectl, name: str, file: Path) -> list[str]:
    """Write the archive; the names of what is in it. What may not be read is named in there instead. Raises OSError."""
    held: list[str] = []
    with tarfile.open(file, "w:gz") as archive:
        for inside, text in _files(kubectl, name):
            data = text.encode()
            entry = tarfile.TarInfo(f"{name}/{inside}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
            held.append(inside)
    return held


def redacted(obj: Obj) -> Obj:
    """Without the values of a Secret, and without what was applied by a client, which repeats the whole object."""
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    if annotations := metadata.get("annotations"):
        kept = {key: value for key, value in annotations.items() if not key.endswith("last-applied-configuration")}
        metadata["annotations"] = kept
    found = obj | {"metadata": metadata}
    if obj.get("kind") == "Secret":
        found = {key: value for key, value in found.items() if key not in ("data", "stringData")}
        found["keys"] = sorted(obj.get("data") or ())
    return found


def _files(kubectl: Kubectl, name: str) -> Iterator[tuple[str, str]]:
    selector = f"--selector={names.OWN_INSTANCE_LABEL}={name}"
    of_pods = f"--selector={names.MANAGED_BY_LABEL}={names.FIELD_MANAGER},{names.INSTANCE_LABEL}={name}"
    yield "somamemory.json", _tried(lambda: _dump(redacted(kubectl.memory(name))))
    yield "children.json", _tried(lambda: _dump([redacted(each) for each in kubectl.objects(KINDS, selector)]))
    yield "pods.json", _tried(lambda: _dump([redacted(each) for each in kubectl.objects("pods", of_pods)]))
    yield "events.txt", _tried(lambda: kubectl.run("get", "events", "--sort-by=.lastTimestamp", "--output=wide"))
    yield "nodes.txt", _tried(lambda: kubectl.run("get", "nodes", "--output=wide"))
    yield "version.txt", _tried(lambda: kubectl.run("version"))
    pods = _tried(lambda: kubectl.run("get", "pods", of_pods, "--output=name"))
    for pod in pods.split() if "\n" in pods else ():
        words = ("logs", pod, "--all-containers", f"--tail={LINES}", "--prefix", "--timestamps")
        yield f"logs/{pod.removeprefix('pod/')}.txt", _tried(lambda w=words: kubectl.run(*w))  # type: ignore[misc]


def _tried(read: Callable[[], str]) -> str:
    try:
        return read()
    except KubectlFailed as error:
        return f"not read: {error}"


def _dump(value: object) -> str:
    return json.dumps(value, indent=2, sort_keys=True)
