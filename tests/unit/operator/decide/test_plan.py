"""The whole core together, against a cluster in memory: order, repair, upgrades, volumes, sleep."""

from typing import Any

import pytest

from somamemory_operator.model.names import WORKLOADS
from somamemory_operator.model.observed import Key
from somamemory_operator.model.reasons import Reason
from somamemory_operator.settings import Settings
from tests.unit.operator.fakes import FakeCluster, memory

VOLUMES = {"postgres": {"persistence": {"enabled": True, "size": "5Gi"}}}


def kinds(cluster: FakeCluster, kind: str) -> list[str]:
    return sorted(key.name for key in cluster.objects if key.kind == kind)


def test_an_empty_spec_settles_with_all_six_components() -> None:
    cluster = FakeCluster()

    cluster.settle(memory())

    assert kinds(cluster, "StatefulSet") == ["demo-kafka", "demo-postgres", "demo-qdrant", "demo-redis"]
    assert kinds(cluster, "Deployment") == ["demo-api", "demo-consumer"]
    assert len(kinds(cluster, "Job")) == 1


def test_a_settled_world_gets_no_write() -> None:
    cluster = FakeCluster()
    cluster.settle(memory())
    cluster.writes.clear()

    todo = cluster.step(memory())

    assert todo.is_settled
    assert cluster.writes == []


def test_after_a_restart_of_the_operator_everything_is_applied_once_more_and_never_again() -> None:
    cluster = FakeCluster()
    cluster.settle(memory())
    cluster.applied.clear()

    again, quiet = cluster.step(memory()), cluster.step(memory())

    assert len(again.applies) == len(cluster.look(memory())[0].wanted)
    assert not again.creates
    assert quiet.is_settled


def test_stores_come_first_then_the_migration_then_its_users() -> None:
    cluster = FakeCluster()
    seen = []
    for _ in range(4):
        cluster.step(memory())
        cluster.run_controllers()
        seen.append((len(kinds(cluster, "StatefulSet")), len(kinds(cluster, "Job")), len(kinds(cluster, "Deployment"))))

    assert seen == [(4, 0, 0), (4, 1, 0), (4, 1, 2), (4, 1, 2)]


def test_every_child_that_is_deleted_comes_back() -> None:
    cluster = FakeCluster()
    cluster.settle(memory(VOLUMES))
    children = [key for key in cluster.objects if key.kind not in ("Pod", "PersistentVolumeClaim")]

    for key in children:
        cluster.delete(key)
        cluster.settle(memory(VOLUMES))

        assert key in cluster.objects, key


def test_every_child_that_is_edited_is_applied_again() -> None:
    cluster = FakeCluster()
    cluster.settle(memory())
    for key in [key for key in cluster.objects if key.kind != "Pod"]:
        cluster.edit(*key, lambda live: live["metadata"]["labels"].update({"app.kubernetes.io/part-of": "else"}))

        cluster.step(memory())

        assert cluster.objects[key]["metadata"]["labels"]["app.kubernetes.io/part-of"] == "somamemory", key


def test_a_new_version_migrates_before_the_api_rolls() -> None:
    cluster = FakeCluster()
    cluster.settle(memory())
    [old_job] = kinds(cluster, "Job")
    newer = memory({"version": "0.2.0"})

    todo = cluster.step(newer)

    held = {entry.key: entry.reason for entry in todo.held}
    assert held == dict.fromkeys(
        (Key("Deployment", "demo-api"), Key("Deployment", "demo-consumer")), Reason.WAITING_FOR_MIGRATION
    )
    assert image_of(cluster, "demo-api").endswith(":0.1.0")
    assert old_job not in kinds(cluster, "Job")
    cluster.run_controllers()
    cluster.step(newer)
    assert image_of(cluster, "demo-api").endswith(":0.2.0")


def image_of(cluster: FakeCluster, deployment: str) -> str:
    template: Any = cluster.objects[Key("Deployment", deployment)]["spec"]["template"]
    return str(template["spec"]["containers"][0]["image"])


def test_the_database_of_a_lost_pod_without_volume_is_migrated_again() -> None:
    cluster = FakeCluster()
    cluster.settle(memory())
    before = job(cluster)

    cluster.delete(Key("Pod", "demo-postgres-0"))
    cluster.run_controllers()
    cluster.settle(memory())

    assert job(cluster)["name"] == before["name"]
    assert job(cluster)["uid"] != before["uid"]


@pytest.mark.parametrize("name", ["demo-api", "demo-consumer"])
def test_pods_are_repaired_while_a_lost_database_is_migrated_again(name: str) -> None:
    """The gate holds back new versions, not repairs."""
    cluster = FakeCluster()
    cluster.settle(memory())
    cluster.delete(Key("Pod", "demo-postgres-0"))
    cluster.delete(Key("Deployment", name))

    cluster.step(memory())

    assert Key("Deployment", name) in cluster.objects


def test_the_database_on_a_volume_is_not_migrated_again_when_its_pod_goes() -> None:
    cluster = FakeCluster()
    cluster.settle(memory(VOLUMES))
    before = job(cluster)

    cluster.delete(Key("Pod", "demo-postgres-0"))
    cluster.run_controllers()
    cluster.settle(memory(VOLUMES))

    assert job(cluster)["uid"] == before["uid"]


def job(cluster: FakeCluster) -> Any:
    [live] = [live for key, live in cluster.objects.items() if key.kind == "Job"]
    return live["metadata"]


def test_what_is_no_longer_wanted_goes() -> None:
    cluster = FakeCluster()
    cluster.settle(memory({"podDisruptionBudget": {"enabled": True}, "networkPolicy": {"enabled": True}}))
    assert kinds(cluster, "NetworkPolicy")
    assert kinds(cluster, "PodDisruptionBudget")

    cluster.settle(memory({"consumer": {"enabled": False}}))

    assert not [key for key in cluster.objects if "consumer" in key.name]
    assert kinds(cluster, "NetworkPolicy") == kinds(cluster, "PodDisruptionBudget") == []


def test_objects_of_another_owner_are_left_alone() -> None:
    cluster = FakeCluster()
    cluster.settle(memory())
    foreign: Any = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "labels": {}, "uid": "u"}}
    cluster.objects[Key("ConfigMap", "x")] = foreign

    assert cluster.step(memory()).is_settled


def test_a_larger_volume_grows_and_its_pod_keeps_running() -> None:
    cluster = FakeCluster()
    cluster.settle(memory(VOLUMES))
    pod = cluster.objects[Key("Pod", "demo-postgres-0")]["metadata"]["uid"]
    cluster.writes.clear()

    cluster.settle(memory({"postgres": {"persistence": {"enabled": True, "size": "8Gi"}}}))

    claim = cluster.objects[Key("PersistentVolumeClaim", "data-demo-postgres-0")]
    assert claim["spec"]["resources"]["requests"]["storage"] == "8Gi"
    assert cluster.objects[Key("Pod", "demo-postgres-0")]["metadata"]["uid"] == pod
    assert cluster.writes[0] == "grow data-demo-postgres-0"
    assert "delete StatefulSet demo-postgres" not in cluster.writes


def test_a_volume_that_is_added_takes_the_pod_with_it() -> None:
    cluster = FakeCluster()
    cluster.settle(memory())
    pod = cluster.objects[Key("Pod", "demo-postgres-0")]["metadata"]["uid"]

    cluster.settle(memory(VOLUMES))

    assert cluster.objects[Key("Pod", "demo-postgres-0")]["metadata"]["uid"] != pod


def test_hibernation_scales_everything_to_zero_and_waking_brings_it_back() -> None:
    cluster = FakeCluster()
    cluster.settle(memory())

    cluster.settle(memory({"hibernated": True}))
    asleep = [live["spec"]["replicas"] for key, live in cluster.objects.items() if key.kind in SCALED]
    cluster.settle(memory())
    awake = [live["spec"]["replicas"] for key, live in cluster.objects.items() if key.kind in SCALED]

    assert asleep == [0] * len(WORKLOADS)
    assert awake == [1] * len(WORKLOADS)


SCALED = ("StatefulSet", "Deployment")


@pytest.mark.parametrize(
    "change", [{"redis": {"config": {"maxmemory": "1gb"}}}, {"kafka": {"config": {"num.io.threads": "4"}}}]
)
def test_a_change_of_configuration_rolls_only_its_component(change: dict[str, Any]) -> None:
    cluster = FakeCluster()
    cluster.settle(memory())
    before = templates(cluster)

    cluster.settle(memory(change))

    [component] = change
    assert [name for name, template in templates(cluster).items() if template != before[name]] == [f"demo-{component}"]


def templates(cluster: FakeCluster) -> dict[str, Any]:
    return {key.name: live["spec"]["template"] for key, live in cluster.objects.items() if key.kind in SCALED}


def test_a_terminating_object_is_waited_for_and_not_applied() -> None:
    cluster = FakeCluster()
    cluster.settle(memory())
    cluster.objects[Key("StatefulSet", "demo-redis")]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    todo = cluster.step(memory())

    assert [(entry.key.name, entry.reason) for entry in todo.held] == [("demo-redis", Reason.REPLACING)]
    assert todo.is_idle


def test_an_image_of_the_settings_is_used_whole() -> None:
    """Also when it has no tag like a version: a local build is named by its content."""
    cluster = FakeCluster()
    local = Settings(image_api="localhost/somamemory/api:0123abcd")

    cluster.settle(memory(), local)

    assert image_of(cluster, "demo-api") == "localhost/somamemory/api:0123abcd"
