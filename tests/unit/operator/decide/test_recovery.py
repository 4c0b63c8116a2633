"""Restore: once per dump, never over memories unasked, and nobody writes meanwhile."""

from datetime import UTC, datetime
from typing import Any

import pytest

from somamemory_operator.decide.checks import first_refusal
from somamemory_operator.model import names
from somamemory_operator.model.observed import Key, Obj, component_of
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.status.status import status
from tests.unit.operator.fakes import SETTINGS, FakeCluster, memory, pod_of

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
API, CONSUMER = Key("Deployment", "demo-api"), Key("Deployment", "demo-consumer")
VOLUME = {"persistence": {"enabled": True}}


def wanted(**restore: Any) -> SomaMemory:
    chosen = {"from": "a.dump"} | restore
    return memory({"postgres": VOLUME, "backup": {}, "restore": chosen, "api": {"replicas": 2}})


def serving() -> FakeCluster:
    """A SomaMemory that runs."""
    cluster = FakeCluster()
    cluster.settle(memory({"postgres": VOLUME, "backup": {}, "api": {"replicas": 2}}))
    return cluster


def jobs(cluster: FakeCluster, component: str) -> list[Obj]:
    return [obj for key, obj in cluster.objects.items() if key.kind == "Job" and component_of(obj) == component]


def pods(cluster: FakeCluster) -> int:
    """Of API and consumer."""
    return sum(component_of(obj) in ("api", "consumer") for key, obj in cluster.objects.items() if key.kind == "Pod")


def condition(cluster: FakeCluster, about: SomaMemory, kind: str) -> Obj:
    desired, plan = cluster.look(about)
    found = status(about, desired=desired, plan=plan, world=cluster.world, problem=None, now=NOW)
    return next((dict(each) for each in found["conditions"] if each["type"] == kind), {})


def test_the_steps_come_in_order_and_clients_have_no_pods_meanwhile() -> None:
    """Stop, restore, migrate once more, index anew, start (X-10)."""
    cluster, about = serving(), wanted(replaceExisting=True)
    seen: list[str] = []

    for _ in range(12):
        cluster.step(about)
        for component in ("restore", "migration", "reindex"):
            if any(not job["status"] for job in jobs(cluster, component)):
                seen.append(component)
                assert cluster.objects[API]["spec"]["replicas"] == 0
                assert component != "restore" or pods(cluster) == 0
        cluster.run_controllers()

    assert seen == ["restore", "migration", "reindex"]
    assert (cluster.objects[API]["spec"]["replicas"], pods(cluster)) == (2, 3)
    assert condition(cluster, about, "Restored")["status"] == condition(cluster, about, "Ready")["status"] == "True"


def test_it_happens_once() -> None:
    """Afterwards the Jobs are gone, and a new operator, or one Deployment lost, changes nothing (X-10)."""
    cluster, about = serving(), wanted(replaceExisting=True)
    cluster.settle(about)
    cluster.settle(about)
    assert jobs(cluster, "restore") == []

    cluster.applied.clear()
    cluster.delete(API)
    for _ in range(4):
        cluster.step(about)
        assert jobs(cluster, "restore") == []
        cluster.run_controllers()

    assert cluster.objects[API]["spec"]["replicas"] == 2


def test_the_same_dump_is_restored_again_only_when_told_so() -> None:
    """(X-10)"""
    cluster = serving()
    cluster.settle(wanted(replaceExisting=True))

    cluster.step(wanted(replaceExisting=True, run=2))

    assert cluster.objects[API]["spec"]["replicas"] == 0
    assert condition(cluster, wanted(run=2), "Restored")["status"] == "False"


def test_memories_that_are_served_are_not_replaced_unasked() -> None:
    """And nothing is interrupted to find out (X-10)."""
    refusal = first_refusal(wanted(), serving().world, SETTINGS)

    assert refusal is not None
    assert (refusal.reason, refusal.retry) == ("RestoreRefused", False)
    assert "spec.restore.replaceExisting" in refusal.message
    assert first_refusal(wanted(replaceExisting=True), serving().world, SETTINGS) is None


def test_a_new_resource_may_start_with_a_dump_and_is_not_refused_on_the_way() -> None:
    """(X-10)"""
    cluster, about = FakeCluster(), wanted()

    for _ in range(12):
        assert first_refusal(about, cluster.world, SETTINGS) is None
        cluster.step(about)
        cluster.run_controllers()

    assert condition(cluster, about, "Restored")["status"] == "True"
    assert cluster.objects[API]["metadata"]["annotations"][names.RESTORED_ANNOTATION] == "a.dump #1"
    assert cluster.objects[CONSUMER]["metadata"]["annotations"][names.RESTORED_ANNOTATION] == "a.dump #1"


def failing() -> FakeCluster:
    """The Job has given up; its pod says why."""
    cluster, about = serving(), wanted(replaceExisting=True)
    while not jobs(cluster, "restore"):
        cluster.step(about)
        if not jobs(cluster, "restore"):
            cluster.run_controllers()
    [job] = jobs(cluster, "restore")
    job["status"] = {"conditions": [{"type": "Failed", "status": "True"}]}
    ended = {"state": {"terminated": {"exitCode": 64, "message": "There is no dump a.dump.\nThere are: b.dump "}}}
    said = {"phase": "Failed", "containerStatuses": [{"name": "restore", "ready": False} | ended]}
    cluster.objects[Key("Pod", "demo-restore-x")] = pod_of("demo-restore-x", "restore", said)
    return cluster


def test_a_restore_that_fails_says_why_and_stalls() -> None:
    """(X-10)"""
    cluster, about = failing(), wanted(replaceExisting=True)

    ready = condition(cluster, about, "Ready")

    assert ready["reason"] == "RestoreFailed"
    assert "There is no dump a.dump. There are: b.dump" in ready["message"]
    assert "kubectl delete job -n space demo-restore-" in ready["message"]
    assert condition(cluster, about, "Stalled")["status"] == "True"


def test_taking_the_restore_away_brings_the_clients_back() -> None:
    """(X-10)"""
    cluster, about = failing(), memory({"postgres": VOLUME, "backup": {}, "api": {"replicas": 2}})

    cluster.settle(about)

    assert pods(cluster) == 3
    assert jobs(cluster, "restore") == jobs(cluster, "reindex") == []
    assert condition(cluster, about, "Ready")["status"] == "True"
    assert condition(cluster, about, "Restored") == {}


def test_a_hibernating_memory_is_restored_when_it_wakes_up() -> None:
    """(X-10)"""
    cluster = FakeCluster()
    asleep = memory({"hibernated": True, "backup": {}, "restore": {"from": "a.dump"}})
    cluster.settle(asleep)
    assert jobs(cluster, "restore") == []

    cluster.settle(wanted())

    assert condition(cluster, wanted(), "Restored")["status"] == "True"


def test_an_autoscaler_does_not_start_pods_meanwhile() -> None:
    """(X-10)"""
    scaled = {"api": {"autoscaling": {"minReplicas": 3}}, "postgres": VOLUME, "backup": {}}
    cluster, about = FakeCluster(), memory({**scaled, "restore": {"from": "a.dump", "replaceExisting": True}})
    cluster.settle(memory(scaled))

    cluster.step(about)
    assert Key("HorizontalPodAutoscaler", "demo-api") not in cluster.objects
    assert cluster.objects[API]["spec"]["replicas"] == 0

    cluster.settle(about)
    assert Key("HorizontalPodAutoscaler", "demo-api") in cluster.objects
    assert cluster.objects[API]["spec"]["replicas"] == 3


def test_only_postgres_and_the_index_let_the_jobs_in() -> None:
    """(X-10)"""
    cluster = FakeCluster()
    cluster.settle(memory({"networkPolicy": {"enabled": True}}))
    admitted = {
        store: cluster.objects[Key("NetworkPolicy", f"demo-{store}")]["spec"]["ingress"][0]["from"][0]["podSelector"][
            "matchExpressions"
        ][0]["values"]
        for store in ("postgres", "redis", "qdrant", "kafka")
    }

    assert [store for store, among in admitted.items() if "restore" in among] == ["postgres"]
    assert [store for store, among in admitted.items() if "reindex" in among] == ["postgres", "qdrant"]


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a b", "$(id)", "", "-x"])
def test_a_dump_is_a_name_and_nothing_else(name: str) -> None:
    """(X-10)"""
    with pytest.raises(Exception, match=r"spec\.restore\.from"):
        wanted(**{"from": name})


def test_a_restore_needs_the_volume_of_the_backup() -> None:
    """(X-10)"""
    refusal = first_refusal(memory({"restore": {"from": "a.dump"}}), FakeCluster().world, SETTINGS)

    assert refusal is not None
    assert "there is no spec.backup" in refusal.message
