"""Autoscaling: the autoscaler decides about the number of pods, and the operator does not quarrel with it."""

import pytest

from somamemory_operator.decide.checks import first_refusal
from somamemory_operator.model.observed import Key, Obj
from somamemory_operator.resource.somamemory import SomaMemory
from tests.unit.operator.fakes import SETTINGS, FakeCluster, memory

API = Key("Deployment", "demo-api")
SCALER = Key("HorizontalPodAutoscaler", "demo-api")


def scaled(**autoscaling: int | bool) -> SomaMemory:
    return memory({"api": {"replicas": 2, "autoscaling": autoscaling}})


def pods(cluster: FakeCluster) -> int:
    return int(cluster.objects[API]["spec"]["replicas"])


def fields(cluster: FakeCluster, about: SomaMemory) -> Obj:
    """What the operator wants of the API's Deployment."""
    wanted = cluster.look(about)[0].get(*API)
    assert wanted is not None
    spec: Obj = wanted.obj["spec"]
    return spec


def test_the_autoscaler_is_made_for_the_deployment_of_its_component() -> None:
    """The old chart's HorizontalPodAutoscaler, with its bounds and its aim (X-10)."""
    cluster = FakeCluster()
    cluster.settle(scaled(minReplicas=3, maxReplicas=10, targetCPU=60))

    spec = cluster.objects[SCALER]["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "demo-api"}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 10)
    assert spec["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 60}


def test_what_the_autoscaler_says_is_left_alone() -> None:
    """`replicas` is not applied while an autoscaler owns it (X-10, defect 18)."""
    cluster, about = FakeCluster(), scaled()
    cluster.settle(about)

    cluster.scale("demo-api", 4)
    cluster.settle(about)

    assert pods(cluster) == 4
    assert "replicas" not in fields(cluster, about)
    cluster.writes.clear()
    assert cluster.step(about).is_settled
    assert cluster.writes == []


def test_turning_autoscaling_on_takes_no_pod_away() -> None:
    """A field that nobody applies any more falls back to one pod: it is kept until the autoscaler writes it (X-10)."""
    cluster = FakeCluster()
    cluster.settle(memory({"api": {"replicas": 4}}))

    cluster.settle(scaled())

    assert pods(cluster) == 4


def test_turning_autoscaling_off_removes_the_autoscaler_and_gives_the_number_back() -> None:
    """(X-10)"""
    cluster = FakeCluster()
    cluster.settle(scaled())
    cluster.scale("demo-api", 5)

    cluster.settle(scaled(enabled=False))

    assert SCALER not in cluster.objects
    assert pods(cluster) == 2


def test_hibernation_stops_the_autoscaler_and_waking_up_starts_it_again() -> None:
    """An autoscaler never wakes a Deployment of no pods, so the operator does (X-10)."""
    cluster, about = FakeCluster(), scaled()
    cluster.settle(about)
    cluster.scale("demo-api", 5)

    cluster.settle(memory({"hibernated": True, "api": {"replicas": 2, "autoscaling": {}}}))
    assert (pods(cluster), SCALER in cluster.objects) == (0, False)

    cluster.settle(about)
    assert (pods(cluster), SCALER in cluster.objects) == (2, True)


def test_no_pods_at_all_are_brought_back_to_the_least() -> None:
    """(X-10)"""
    cluster, about = FakeCluster(), scaled(minReplicas=3)
    cluster.settle(about)

    cluster.scale("demo-api", 0)
    cluster.settle(about)

    assert pods(cluster) == 3


@pytest.mark.parametrize(
    ("replicas", "autoscaling", "bounds"),
    [(0, {}, (1, 5)), (3, {}, (3, 5)), (3, {"minReplicas": 1}, (1, 5)), (9, {"maxReplicas": 4}, (4, 4))],
)
def test_replicas_are_the_least_unless_another_number_is_given(
    replicas: int, autoscaling: Obj, bounds: tuple[int, int]
) -> None:
    """So `kubectl scale somamemory` keeps a meaning (X-10)."""
    cluster = FakeCluster()
    cluster.settle(memory({"consumer": {"replicas": replicas, "autoscaling": autoscaling}}))

    spec = cluster.objects[Key("HorizontalPodAutoscaler", "demo-consumer")]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == bounds


def test_without_the_field_there_is_no_autoscaler() -> None:
    """(X-10)"""
    cluster, about = FakeCluster(), memory({"profile": "production"})
    assert first_refusal(about, cluster.world, SETTINGS) is None

    cluster.settle(about)

    assert not [key for key in cluster.objects if key.kind == "HorizontalPodAutoscaler"]
