"""What a person deletes or edits is restored; where nothing changed the operator writes nothing."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.e2e.cluster import OPERATOR_NAMESPACE, Cluster, Memory, eventually

KINDS = (
    "statefulsets",
    "deployments",
    "services",
    "serviceaccounts",
    "configmaps",
    "secrets",
    "jobs",
    "poddisruptionbudgets",
    "networkpolicies",
)
RESTORED_SECONDS = 5
GRACE_SECONDS = 10  # a slow machine may be late without the operator being wrong; the figures are printed
STEADY_SECONDS = 60

Child = tuple[str, str]


def children(memory: Memory) -> list[Child]:
    """Every object that carries the resource as an owner, as (kind, name)."""
    owned = [
        (kind, child["metadata"]["name"])
        for kind in KINDS
        for child in memory.children(kind)
        if any(owner["kind"] == "SomaMemory" for owner in child["metadata"].get("ownerReferences", []))
    ]
    assert {kind for kind, _ in owned} == set(KINDS)
    return owned


@pytest.mark.timeout(900)
def test_every_deleted_child_is_restored(cluster: Cluster, memory: Memory) -> None:
    late = dict(timed(memory, child, delete) for child in children(memory))

    report("deleted", late)
    cluster.wait_ready(memory)


@pytest.mark.timeout(900)
def test_every_edited_child_is_restored(cluster: Cluster, memory: Memory) -> None:
    late = dict(timed(memory, child, edit) for child in children(memory))

    report("edited", late)
    cluster.wait_ready(memory)


def timed(memory: Memory, child: Child, spoil: Any) -> tuple[Child, float]:
    """Spoil one child and return the seconds until it is as it was."""
    is_restored = spoil(memory, *child)
    start = time.monotonic()
    eventually(f"{child} restored", is_restored, RESTORED_SECONDS + GRACE_SECONDS)
    return child, time.monotonic() - start


def delete(memory: Memory, kind: str, name: str) -> Any:
    """Delete a child; restored means that there is another one."""
    there = eventually(f"{kind} {name}", lambda: memory.cluster.get(kind, name, memory.namespace))
    uid = there["metadata"]["uid"]
    how = ("--wait=false", "--cascade=background", "--ignore-not-found")
    memory.cluster.kubectl("delete", kind, name, "-n", memory.namespace, *how)

    def is_restored() -> bool:
        found = memory.cluster.get(kind, name, memory.namespace)
        return found is not None and found["metadata"]["uid"] != uid

    return is_restored


def edit(memory: Memory, kind: str, name: str) -> Any:
    """Change a label that the operator set; restored means that the label is right again."""
    label = "app.kubernetes.io/part-of"
    patch = json.dumps({"metadata": {"labels": {label: "somebody-else"}}})
    memory.cluster.kubectl("patch", kind, name, "-n", memory.namespace, "--type=merge", "-p", patch)

    def is_restored() -> bool:
        found = memory.cluster.get(kind, name, memory.namespace)
        return found is not None and found["metadata"]["labels"][label] == "somamemory"

    return is_restored


def report(what: str, seconds: dict[Child, float]) -> None:
    """Print the figures of a matrix."""
    (slowest, longest) = max(seconds.items(), key=lambda item: item[1])
    print(f"{len(seconds)} {what}; slowest {slowest} after {longest:.1f} s")


def test_a_changed_field_of_a_pod_template_is_restored(memory: Memory) -> None:
    name = f"{memory.name}-consumer"
    patch = json.dumps({"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 77}}}})
    memory.cluster.kubectl("patch", "deployment", name, "-n", memory.namespace, "--type=strategic", "-p", patch)

    def is_restored() -> bool:
        found = memory.cluster.get("deployment", name, memory.namespace)
        return found is not None and found["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] != 77

    eventually("the template restored", is_restored, RESTORED_SECONDS + GRACE_SECONDS)
    memory.cluster.wait_ready(memory)


@pytest.mark.timeout(600)
def test_in_a_steady_minute_the_operator_writes_nothing(cluster: Cluster, memory: Memory) -> None:
    cluster.wait_ready(memory)
    settled = eventually("no write for 15 s", lambda: quiet_since(cluster, 15), 180)

    time.sleep(STEADY_SECONDS)  # the minute itself is what is observed

    assert [describe(event) for event in writes(cluster, settled)] == []


def quiet_since(cluster: Cluster, seconds: float) -> datetime | None:
    """Return the time now when the operator has written nothing for so long."""
    now = datetime.now(UTC)
    since = datetime.fromtimestamp(now.timestamp() - seconds, UTC)
    return None if any(True for _ in writes(cluster, since)) else now


def writes(cluster: Cluster, since: datetime) -> Iterator[dict[str, Any]]:
    """Every write of the operator in the audit log, its leases apart."""
    with cluster.audit_log.open(encoding="utf-8") as lines:
        for line in lines:
            if OPERATOR_NAMESPACE not in line or not line.endswith("\n"):  # the last one may be half written
                continue
            event = json.loads(line)
            if is_write(event) and datetime.fromisoformat(event["requestReceivedTimestamp"]) >= since:
                yield event


def is_write(event: dict[str, Any]) -> bool:
    """Tell whether this is a completed write by the operator's ServiceAccount.

    A request that could not be authenticated, as one with the token of a deleted pod, has no user name.
    """
    by_operator = event["user"].get("username", "").startswith(f"system:serviceaccount:{OPERATOR_NAMESPACE}:")
    is_lease = event.get("objectRef", {}).get("resource") == "leases"
    changes = event["verb"] in {"create", "update", "patch", "delete", "deletecollection"}
    return by_operator and changes and not is_lease and event["stage"] == "ResponseComplete"


def describe(event: dict[str, Any]) -> str:
    """Return verb and address of a request."""
    return f"{event['verb']} {event['requestURI']}"
