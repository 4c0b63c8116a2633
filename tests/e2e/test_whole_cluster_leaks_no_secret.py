"""After all that ran before: what stands in Secrets stands nowhere else."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcluster.errors import CommandFailedError
from tests.e2e.cluster import OPERATOR_LABEL, OPERATOR_NAMESPACE, Cluster, Memory

OURS = "app.kubernetes.io/managed-by=somamemory-operator"
PUBLIC = ("KAFKA_CLUSTER_ID", "checksum")
"""Values in our Secrets that are none: an identifier, and a hash that is of use to nobody."""
ENVIRONMENT = (b"QDRANT__SERVICE__API_KEY=",)
"""Qdrant's image takes its key from the environment of its own process, and in no other way without its files."""
SHORTEST = 16


@pytest.fixture(scope="module")
def encrypted(cluster: Cluster, namespace: str) -> None:
    """One that has keys of certificates, too."""
    memory = Memory(cluster, "encrypted", namespace)
    memory.apply({"tls": {"source": "operator"}})
    cluster.wait_ready(memory)


def test_secrets_stand_in_secrets_only(cluster: Cluster, encrypted: None) -> None:
    secrets = dict(_secrets(cluster))
    assert {name.partition(" ")[0] for name in secrets} >= {"POSTGRES_PASSWORD", "KAFKA_LOGIN", "tls.key", "tls.pem"}

    found = [
        f"{name} in {place}"
        for place, text in _places(cluster)
        for name, value in secrets.items()
        if value.encode() in text
    ]

    assert found == []


def test_a_canary_would_be_found(cluster: Cluster) -> None:
    """The search itself: what stands in a Pod's annotation, in a log and on a command line is seen."""
    places = dict(_places(cluster))

    assert any(b'"kind": "Pod"' in text for place, text in places.items() if place.startswith("objects pods"))
    assert any(text for place, text in places.items() if place.startswith("log "))
    assert any(b"somamemory-operator" in text for place, text in places.items() if place.startswith("command line"))
    assert any(b"somamemory_operator_" in text for place, text in places.items() if place.startswith("metrics"))


def _secrets(cluster: Cluster) -> Iterator[tuple[str, str]]:
    items = json.loads(cluster.kubectl("get", "secrets", "-A", "-l", OURS, "-o", "json"))["items"]
    for secret in items:
        for key, value in (secret.get("data") or {}).items():
            text = base64.b64decode(value).decode(errors="replace").strip()
            if key not in PUBLIC and not key.endswith(".crt") and len(text) >= SHORTEST:
                where = secret["metadata"]
                yield f"{key} of {where['namespace']}/{where['name']}", _core(text)


def _core(text: str) -> str:
    """One line that tells a value: of a configuration or a key file the longest word, of a login the password."""
    return max(text.replace(":", " ").split(), key=len)


def _places(cluster: Cluster) -> Iterator[tuple[str, bytes]]:
    yield from _objects(cluster)
    yield from _logs(cluster)
    yield from _metrics(cluster)
    yield from _processes()


def _objects(cluster: Cluster) -> Iterator[tuple[str, bytes]]:
    kinds = cluster.kubectl("api-resources", "--verbs=list", "-o", "name").split()
    for kind in kinds:
        if kind != "secrets":
            yield f"objects {kind}", cluster.kubectl("get", kind, "-A", "-o", "json", "--show-managed-fields").encode()


def _logs(cluster: Cluster) -> Iterator[tuple[str, bytes]]:
    for pod in json.loads(cluster.kubectl("get", "pods", "-A", "-o", "json"))["items"]:
        where = ("-n", pod["metadata"]["namespace"], pod["metadata"]["name"])
        for more in ((), ("--previous",)):
            try:
                text = cluster.kubectl("logs", *where, "--all-containers", "--tail=-1", *more)
            except CommandFailedError:  # it never ran, or never before
                continue
            yield f"log {' '.join(where)}", text.encode()
    if cluster.audit_log.exists():
        yield "audit log", cluster.audit_log.read_bytes()


def _metrics(cluster: Cluster) -> Iterator[tuple[str, bytes]]:
    pods = cluster.list("pods", OPERATOR_NAMESPACE, OPERATOR_LABEL)
    for pod in pods:
        port = next(p["containerPort"] for c in pod["spec"]["containers"] for p in c.get("ports", ()))
        path = f"/api/v1/namespaces/{OPERATOR_NAMESPACE}/pods/{pod['metadata']['name']}:{port}/proxy/metrics"
        yield f"metrics {pod['metadata']['name']}", cluster.kubectl("get", "--raw", path).encode()


def _processes() -> Iterator[tuple[str, bytes]]:
    """Those of the node that this host shows: all of them on a node without Docker."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            yield f"command line {folder.name}", (folder / "cmdline").read_bytes()
            variables = (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # it has ended, or is not ours to look at
            continue
        kept = b"\n".join(each for each in variables if not each.startswith(ENVIRONMENT))
        yield f"environment {folder.name}", kept
