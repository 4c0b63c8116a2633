"""From an empty spec to Ready, in the order of readiness; settled, and silent."""

import time

from somamemory_operator.model import names
from tests.integration.operator.world import Api, Kubelet, Operator, eventually, owned, versions

STEADY_SECONDS = 12.0


def test_an_empty_spec_becomes_ready_in_the_order_of_readiness(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    kubelet.hold.add("postgres")
    api.make_memory(namespace)
    eventually("the other stores are ready", lambda: _ready_stores(api, namespace) == {"redis", "qdrant", "kafka"})

    assert api.list("Job", namespace) == []
    assert api.list("Deployment", namespace) == []
    kubelet.hold.add("migration")
    kubelet.hold.discard("postgres")
    eventually("the migration has begun", lambda: api.list("Job", namespace))
    assert api.list("Deployment", namespace) == []
    kubelet.hold.discard("migration")
    api.wait_ready(namespace)
    assert {obj["metadata"]["name"] for obj in api.list("Deployment", namespace)} == {"demo-api", "demo-consumer"}
    assert len(api.list("Job", namespace)) == 1


def test_a_settled_world_gets_no_write_at_all(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> None:
    api.make_memory(namespace)
    api.wait_ready(namespace)
    _settle(api, operator, namespace)

    writes, before = operator.writes(), versions(api, namespace)
    runs = operator.count("somamemory_operator_reconcile_seconds_count")
    time.sleep(STEADY_SECONDS)  # silence can only be listened to

    assert versions(api, namespace) == before
    assert operator.writes() == writes
    assert operator.count("somamemory_operator_reconcile_seconds_count") > runs, "it did look meanwhile"


def test_kopf_leaves_nothing_on_the_resource(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> None:
    api.make_memory(namespace)
    api.wait_ready(namespace)

    memory = api.get(names.KIND, "demo", namespace)

    assert memory is not None
    assert "finalizers" not in memory["metadata"]
    assert "annotations" not in memory["metadata"]
    assert "kopf" not in memory["status"]
    managers = {entry["manager"] for entry in memory["metadata"]["managedFields"]}
    assert {manager for manager in managers if "kopf" in manager} == set()


def test_what_is_owned_is_owned_and_labelled(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> None:
    uid = api.make_memory(namespace)["metadata"]["uid"]
    api.wait_ready(namespace)

    objects = owned(api, namespace)

    assert {obj["kind"] for obj in objects} >= {"StatefulSet", "Deployment", "Service", "Secret", "ConfigMap", "Job"}
    for obj in objects:
        assert obj["metadata"]["labels"][names.MANAGED_BY_LABEL] == names.FIELD_MANAGER
        assert uid in {owner["uid"] for owner in obj["metadata"]["ownerReferences"]}


def _ready_stores(api: Api, namespace: str) -> set[str]:
    sets = api.list("StatefulSet", namespace)
    return {s["metadata"]["name"].removeprefix("demo-") for s in sets if s["status"].get("readyReplicas")}


def _settle(api: Api, operator: Operator, namespace: str) -> None:
    """Wait until the last events of a rollout have been dealt with."""
    last = [-1.0, time.monotonic()]

    def quiet() -> bool:
        if (writes := operator.writes()) != last[0]:
            last[:] = [writes, time.monotonic()]
        return time.monotonic() - last[1] > 2

    eventually("no write for two seconds", quiet, 30)
