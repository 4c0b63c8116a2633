"""Deleting a SomaMemory removes its children; the volumes stay or go as the spec says."""

import time

import pytest

from tests.e2e.cluster import OPERATOR_NAMESPACE, Cluster, Memory, eventually, recalled, store
from tests.e2e.conftest import NODE_PORT, SMALL_VOLUMES

KINDS = "statefulsets,deployments,services,serviceaccounts,configmaps,jobs,pods,poddisruptionbudgets,networkpolicies"
GONE_SECONDS = 90
FACT = "retained volumes are adopted"
RESTORED_FACT = "volumes are known by their names"


@pytest.fixture(scope="module")
def kept(cluster: Cluster, namespace: str) -> Memory:
    """A SomaMemory with volumes that outlive it."""
    memory = Memory(cluster, "kept", namespace)
    memory.apply({**NODE_PORT, **SMALL_VOLUMES, "deletionPolicy": "Retain"})
    cluster.wait_ready(memory)
    return memory


def delete(memory: Memory) -> float:
    """Delete the resource; return the seconds until every child is gone."""
    start = time.monotonic()
    memory.cluster.kubectl("delete", "somamemory", memory.name, "-n", memory.namespace, "--timeout=30s")
    eventually("no children left", lambda: not memory.children(KINDS), GONE_SECONDS)
    return time.monotonic() - start


@pytest.mark.timeout(600)
def test_volumes_without_labels_are_adopted_by_their_names(cluster: Cluster, kept: Memory) -> None:
    """As claims are that somebody restored from a snapshot."""
    with kept.api() as api:
        store(api, "1,3", RESTORED_FACT)
    delete(kept)
    for claim in cluster.list("pvc", kept.namespace):
        bare = [f"{label}-" for label in claim["metadata"]["labels"]]
        cluster.kubectl("label", "pvc", claim["metadata"]["name"], "-n", kept.namespace, *bare)

    kept.apply({**NODE_PORT, **SMALL_VOLUMES, "deletionPolicy": "Retain"})

    cluster.wait_ready(kept)
    with kept.api() as api:
        assert recalled(api, RESTORED_FACT)
    eventually("the claims are adopted", lambda: len(kept.children("pvc")) == 4, GONE_SECONDS)


@pytest.mark.timeout(600)
def test_retained_volumes_are_adopted_with_their_memories(cluster: Cluster, kept: Memory) -> None:
    with kept.api() as api:
        store(api, "4,2", FACT)
    token = kept.token()

    print(f"children gone after {delete(kept):.0f} s")
    assert len(kept.children("pvc")) == 4

    kept.apply({**NODE_PORT, **SMALL_VOLUMES, "deletionPolicy": "Delete"})
    cluster.wait_ready(kept)
    assert kept.token() == token
    with kept.api() as api:
        assert recalled(api, FACT)


@pytest.mark.timeout(600)
def test_deletion_policy_delete_removes_the_volumes_and_their_credentials(kept: Memory) -> None:
    delete(kept)

    eventually("no claims left", lambda: not kept.children("pvc"), GONE_SECONDS)
    eventually("no credentials left", lambda: not kept.children("secrets"), GONE_SECONDS)


@pytest.mark.timeout(600)
def test_deletion_does_not_hang_without_the_operator(cluster: Cluster, namespace: str) -> None:
    memory = Memory(cluster, "orphan", namespace)
    memory.apply({})
    eventually("children", lambda: memory.children("statefulsets"))
    operator = ("deployment/somamemory-operator", "-n", OPERATOR_NAMESPACE)
    cluster.kubectl("scale", *operator, "--replicas=0")
    try:
        eventually("no operator", lambda: not cluster.operator_pods())
        print(f"children gone after {delete(memory):.0f} s")
    finally:
        cluster.kubectl("scale", *operator, "--replicas=2")
        cluster.kubectl("rollout", "status", *operator, "--timeout=120s")
