"""Another release of the operator, and other images in the spec: stores restart when somebody means it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.cluster import OPERATOR_NAMESPACE, Cluster, Memory, eventually, recalled, store

FACT = "stores keep what they run"
OPERATOR = ("deployment/somamemory-operator", "-n", OPERATOR_NAMESPACE)
STORES = ("postgres", "redis", "qdrant", "kafka")
VARIABLES = {store: f"SOMAMEMORY_IMAGE_{store.upper()}" for store in STORES}
NEWER = {store: f"registry.invalid/nowhere/{store}:99.1.0" for store in STORES}
"""Images that nobody can pull: a store that took one would not come back."""


@pytest.fixture
def newer_operator(cluster: Cluster, memory: Memory) -> Iterator[None]:
    """The operator with other default images for all four stores, as another release of it would have."""
    with memory.api() as api:
        store(api, "5,1", FACT)
    before = {variable: value for variable, value in environment(cluster).items() if variable in VARIABLES.values()}
    set_environment(cluster, {VARIABLES[store]: image for store, image in NEWER.items()})
    yield
    set_environment(cluster, {variable: before.get(variable) for variable in VARIABLES.values()})
    cluster.wait_ready(memory)


@pytest.mark.timeout(600)
def test_other_default_images_of_the_operator_restart_nothing_and_are_pending(
    cluster: Cluster, memory: Memory, newer_operator: None
) -> None:
    before = store_pods(memory)

    changes = eventually("all four changes are pending", lambda: pending(memory, 4), 120)

    assert {change["component"]: change["to"] for change in changes} == NEWER
    assert memory.condition("UpToDate")["reason"] == "ChangesPending"
    cluster.wait_ready(memory)
    assert store_pods(memory) == before
    with memory.api() as api:
        assert recalled(api, FACT)


@pytest.mark.timeout(600)
def test_an_image_that_does_not_exist_is_left_when_the_spec_no_longer_names_it(
    cluster: Cluster, memory: Memory
) -> None:
    memory.patch({"redis": {"image": {"repository": "registry.invalid/nowhere/redis", "tag": "99.1.0"}}})
    eventually("it cannot be pulled", lambda: memory.condition("RedisReady").get("reason") == "ImagePullFailed", 180)

    memory.patch({"redis": {"image": None}})

    cluster.wait_ready(memory)
    assert pending(memory, 0) == []


def environment(cluster: Cluster) -> dict[str, str | None]:
    """The operator's variables."""
    live: Any = cluster.get("deployment", "somamemory-operator", OPERATOR_NAMESPACE)
    [container] = live["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each.get("value") for each in container["env"]}


def set_environment(cluster: Cluster, variables: dict[str, str | None]) -> None:
    """Start the operator with these variables; None takes one away."""
    words = [f"{name}={value}" if value else f"{name}-" for name, value in variables.items()]
    cluster.kubectl("set", "env", *OPERATOR, *words)
    cluster.kubectl("rollout", "status", *OPERATOR, "--timeout=120s")


def store_pods(memory: Memory) -> dict[str, tuple[str, int]]:
    """Identity and restarts of each store's pod."""
    pods = [pod for pod in memory.children("pods") if pod["metadata"]["name"].split("-")[-2] in STORES]
    return {
        pod["metadata"]["name"]: (pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["restartCount"])
        for pod in pods
    }


def pending(memory: Memory, count: int) -> list[dict[str, Any]] | None:
    """The changes that are pending, if there are that many."""
    status = (memory.get() or {}).get("status") or {}
    changes: list[dict[str, Any]] = status.get("pendingChanges") or []
    return changes if len(changes) == count else None
