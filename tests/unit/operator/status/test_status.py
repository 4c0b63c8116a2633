"""The status is a pure function of what is seen, and never better than what is seen."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from somamemory_operator.decide.credentials import random_value
from somamemory_operator.model.errors import Problem
from somamemory_operator.model.observed import Key, Obj
from somamemory_operator.model.reasons import Reason
from somamemory_operator.model.rollout import is_rolled_out
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.status.status import refused_status, status
from tests.unit.operator.fakes import FakeCluster, memory, pod_of

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def report(cluster: FakeCluster, about: SomaMemory, *, problem: Problem | None = None, now: datetime = NOW) -> Obj:
    if problem is not None:
        return status(about, desired=None, plan=None, world=cluster.world, problem=problem, now=now)
    desired, plan = cluster.look(about)
    return status(about, desired=desired, plan=plan, world=cluster.world, problem=None, now=now)


def condition(found: Obj, kind: str) -> Obj:
    [only] = [condition for condition in found["conditions"] if condition["type"] == kind]
    return dict(only)


def verdicts(found: Obj) -> dict[str, str]:
    return {condition["type"]: condition["status"] for condition in found["conditions"]}


@pytest.fixture
def settled() -> FakeCluster:
    cluster = FakeCluster()
    cluster.settle(memory())
    return cluster


def test_a_settled_world_is_ready(settled: FakeCluster) -> None:
    found = report(settled, memory(generation=7))

    assert verdicts(found) == {
        "Ready": "True",
        "Reconciling": "False",
        "Stalled": "False",
        "SecretsReady": "True",
        "Durable": "False",
        "PostgresReady": "True",
        "RedisReady": "True",
        "QdrantReady": "True",
        "KafkaReady": "True",
        "ApiReady": "True",
        "ConsumerReady": "True",
        "UpToDate": "True",
    }
    assert {condition["observedGeneration"] for condition in found["conditions"]} == {7}
    assert found["observedGeneration"] == 7
    assert (found["phase"], found["componentsReady"], found["version"]) == ("Ready", "6/6", "0.1.0")
    assert found["endpoints"]["api"] == "http://demo-api.space.svc:9595"
    assert found["endpoints"]["apiGrpc"] == "demo-api.space.svc:50053"
    assert found["replicas"] == 1
    assert "app.kubernetes.io/component=api" in found["selector"]


def test_nothing_is_ready_in_an_empty_world() -> None:
    found = report(FakeCluster(), memory())

    assert set(verdicts(found).values()) == {"False", "True"}
    assert verdicts(found)["Ready"] == "False"
    assert verdicts(found)["Reconciling"] == "True"
    assert found["phase"] == "Progressing"
    assert found["componentsReady"] == "0/6"


def test_a_change_that_is_not_applied_yet_is_not_ready(settled: FakeCluster) -> None:
    found = report(settled, memory({"redis": {"config": {"maxmemory": "1gb"}}}, generation=2))

    assert verdicts(found)["Ready"] == "False"
    assert verdicts(found)["RedisReady"] == "False"
    assert verdicts(found)["PostgresReady"] == "True"


def test_a_change_that_the_controller_has_not_seen_yet_is_not_ready(settled: FakeCluster) -> None:
    """Applied, but the Deployment's status is still about the spec before: the trap of `kubectl wait`."""
    changed = memory({"api": {"rateLimit": {"max": 1000}}}, generation=2)
    while not settled.step(changed).is_settled:
        jobs = [live for key, live in settled.objects.items() if key.kind == "Job"]
        for job in jobs:
            job["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}

    found = report(settled, changed)

    assert condition(found, "ApiReady")["reason"] == "RollingOut"
    assert verdicts(found)["Ready"] == "False"


DEPLOYED: Obj = {
    "kind": "Deployment",
    "metadata": {"generation": 3},
    "spec": {"replicas": 2},
    "status": {"observedGeneration": 3}
    | dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 2),
}


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("all there", {}, True),
        ("an old pod still there", {"replicas": 3}, False),
        ("one not updated", {"updatedReplicas": 1}, False),
        ("one not ready", {"readyReplicas": 1, "availableReplicas": 1}, False),
        ("the status is old", {"observedGeneration": 2}, False),
    ],
)
def test_a_deployment_is_rolled_out_when_all_its_numbers_agree(name: str, change: Obj, expected: bool) -> None:
    live = copy.deepcopy(DEPLOYED)
    live["status"] |= change

    assert is_rolled_out(live) is expected, name


def test_a_stateful_set_is_rolled_out_only_at_one_revision() -> None:
    live = copy.deepcopy(DEPLOYED) | {"kind": "StatefulSet"}
    live["status"] |= {"currentRevision": "a", "updateRevision": "b"}

    assert not is_rolled_out(live)


def waiting(reason: str, message: str = "", **more: Any) -> Obj:
    state = {"waiting": {"reason": reason, "message": message}}
    return {"containerStatuses": [{"name": "redis", "image": "x", "ready": False, "state": state, **more}]}


def ended(code: int, reason: str = "Error") -> Obj:
    return {"lastState": {"terminated": {"exitCode": code, "reason": reason}}}


def unscheduled(message: str) -> Obj:
    return {"conditions": [{"type": "PodScheduled", "status": "False", "message": message}]}


def started(moment: str) -> Obj:
    return {"running": {"startedAt": f"2026-01-02T{moment}Z"}}


PODS = {
    "an image that is not there": (
        waiting("ImagePullBackOff"),
        "ImagePullFailed",
        "cannot pull image example.org/some/image:1",
        "Failed",
    ),
    "a pull that failed just now": (waiting("ErrImagePull"), "ImagePullFailed", "imagePullSecrets", "Failed"),
    "no image name at all": (waiting("InvalidImageName"), "InvalidImageName", "correct image.repository", "Failed"),
    "a missing secret": (
        waiting("CreateContainerConfigError", 'secret "gone" not found'),
        "ContainerConfigInvalid",
        'secret "gone" not found',
        "Failed",
    ),
    "a program that stops": (
        waiting("CrashLoopBackOff", **ended(3)),
        "CrashLoopBackOff",
        "exit code 3: `kubectl logs -n space demo-redis-0 --previous`",
        "Degraded",
    ),
    "too little memory": (
        waiting("CrashLoopBackOff", **ended(137, "OOMKilled")),
        "OutOfMemory",
        "raise resources.limits.memory",
        "Degraded",
    ),
    "no room on any node": (
        unscheduled("0/1 nodes are available: 1 Insufficient cpu."),
        "Unschedulable",
        "Insufficient cpu",
        "Degraded",
    ),
    "no volume": (
        unscheduled("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."),
        "VolumePending",
        "kubectl describe pvc -n space",
        "Degraded",
    ),
    "a program that no longer answers": (
        {"containerStatuses": [{"name": "redis", "ready": False, "started": True, "state": {"running": {}}}]},
        "NotReady",
        "readiness probe",
        "Degraded",
    ),
    "a program that started just now": (
        {"containerStatuses": [{"name": "redis", "ready": False, "started": True, "state": started("03:04:01")}]},
        "RollingOut",
        "0 of 1 pods are ready",
        "Progressing",
    ),
    "a program that started and still does not answer": (
        {"containerStatuses": [{"name": "redis", "ready": False, "started": True, "state": started("03:03:01")}]},
        "NotReady",
        "readiness probe",
        "Degraded",
    ),
    "a program that starts": (
        {"containerStatuses": [{"name": "redis", "ready": False, "started": False, "state": {"running": {}}}]},
        "RollingOut",
        "0 of 1 pods are ready",
        "Progressing",
    ),
}


@pytest.mark.parametrize("case", PODS)
def test_pods_explain_why_a_component_is_not_ready(case: str, settled: FakeCluster) -> None:
    seen, reason, words, phase = PODS[case]
    settled.objects[Key("Pod", "demo-redis-0")] = pod_of("demo-redis-0", "redis", seen)
    settled.objects[Key("StatefulSet", "demo-redis")]["status"] |= {"readyReplicas": 0, "availableReplicas": 0}

    found = report(settled, memory())

    assert condition(found, "RedisReady")["reason"] == reason
    assert words in condition(found, "RedisReady")["message"]
    assert condition(found, "Ready")["reason"] == reason
    assert condition(found, "Ready")["message"].startswith("redis: ")
    assert found["phase"] == phase
    assert verdicts(found)["Stalled"] == ("True" if phase == "Failed" else "False")
    assert verdicts(found)["PostgresReady"] == "True"


def test_a_failing_migration_is_named() -> None:
    cluster = FakeCluster()
    cluster.step(memory())
    cluster.run_controllers()
    cluster.step(memory())
    crashing = waiting("CrashLoopBackOff", **ended(1))
    cluster.objects[Key("Pod", "demo-migrate-x")] = pod_of("demo-migrate-x", "migration", crashing)

    found = condition(report(cluster, memory()), "ApiReady")

    assert found["reason"] == "MigrationFailed"
    assert "kubectl logs -n space job/demo-migrate-" in found["message"]


def test_without_its_migration_nothing_is_ready(settled: FakeCluster) -> None:
    """Also while the pods still look well: their database is a new and empty one."""
    [job] = [live for key, live in settled.objects.items() if key.kind == "Job"]
    job["status"] = {}

    found = report(settled, memory())

    assert condition(found, "ApiReady")["reason"] == condition(found, "ConsumerReady")["reason"] == "MigrationRunning"
    assert verdicts(found)["Ready"] == "False"


def test_an_impossible_image_is_named_although_the_migration_meets_it_first() -> None:
    cluster = FakeCluster()
    cluster.step(memory())
    cluster.run_controllers()
    cluster.step(memory())
    cluster.objects[Key("Pod", "m")] = pod_of("m", "migration", waiting("ErrImagePull"))

    found = report(cluster, memory())

    assert condition(found, "Ready")["reason"] == "ImagePullFailed"
    assert verdicts(found)["Stalled"] == "True"


def test_refused_pods_tell_why(settled: FakeCluster) -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: small"}
    live = settled.objects[Key("Deployment", "demo-api")]
    live["status"] |= {"readyReplicas": 0, "conditions": [failure]}

    found = condition(report(settled, memory()), "ApiReady")

    assert (found["reason"], "exceeded quota" in found["message"]) == ("PodsRefused", True)


def test_the_name_of_a_refused_pod_is_left_out(settled: FakeCluster) -> None:
    """Each try has another name, and a message that moves is written again and again."""
    said = 'pods "demo-api-5c9f8d7b6d-x2k4z" is forbidden: exceeded quota: small'
    failure = {"type": "ReplicaFailure", "status": "True", "message": said}
    live = settled.objects[Key("Deployment", "demo-api")]
    live["status"] |= {"readyReplicas": 0, "conditions": [failure]}

    found = condition(report(settled, memory()), "ApiReady")["message"]

    assert 'pods "demo-api-…" is forbidden' in found


def test_a_refusal_stalls_and_leaves_the_components_as_they_are(settled: FakeCluster) -> None:
    problem = Problem(Reason.VOLUME_SHRINK, "Set it back.")

    found = report(settled, memory(generation=2), problem=problem)

    assert condition(found, "Ready")["reason"] == condition(found, "Stalled")["reason"] == "VolumeShrink"
    assert verdicts(found)["Stalled"] == "True"
    assert verdicts(found)["PostgresReady"] == "True"
    assert found["phase"] == "Failed"


def test_a_problem_that_may_pass_is_no_stall(settled: FakeCluster) -> None:
    found = report(settled, memory(), problem=Problem(Reason.CLUSTER_UNAVAILABLE, "Again.", retry=True))

    assert (verdicts(found)["Stalled"], verdicts(found)["Reconciling"], found["phase"]) == ("False", "True", "Degraded")


@pytest.mark.parametrize("reason", [Reason.APPLY_REFUSED, Reason.FORBIDDEN, Reason.CREDENTIALS_LOST])
def test_a_problem_that_only_a_person_can_end_stalls_although_it_is_tried_again(
    settled: FakeCluster, reason: Reason
) -> None:
    found = report(settled, memory(), problem=Problem(reason, "Do something.", retry=True))

    assert condition(found, "Stalled")["message"] == "Do something."
    assert (verdicts(found)["Stalled"], verdicts(found)["Reconciling"], found["phase"]) == ("True", "False", "Failed")


def test_a_refused_object_costs_its_component_and_no_other(settled: FakeCluster) -> None:
    key = Key("StatefulSet", "demo-redis")
    problems = [
        Problem(Reason.WAITING, "Waits for its Secret.", retry=True, key=key),
        Problem(Reason.APPLY_REFUSED, "Refused.", retry=True, key=Key("Secret", "demo-redis-config")),
    ]

    desired, plan = settled.look(memory())
    world = settled.world
    found = status(memory(), desired=desired, plan=plan, world=world, problem=None, problems=problems, now=NOW)

    assert condition(found, "RedisReady")["message"] == "Waits for its Secret."
    assert condition(found, "Ready")["message"] == "Refused."
    assert (verdicts(found)["PostgresReady"], verdicts(found)["Stalled"]) == ("True", "True")


def test_what_cannot_be_looked_at_is_unknown_and_told(settled: FakeCluster) -> None:
    settled.blind("StatefulSet", "Secret")

    found = report(settled, memory())

    assert (verdicts(found)["PostgresReady"], verdicts(found)["SecretsReady"]) == ("Unknown", "Unknown")
    assert verdicts(found)["Observed"] == "False"
    assert "list StatefulSet: forbidden. list Secret: forbidden." in condition(found, "Observed")["message"]


def test_paused_is_neither_ready_nor_not(settled: FakeCluster) -> None:
    about = memory({"paused": True})

    found = report(settled, about)

    assert (verdicts(found)["Ready"], found["phase"], verdicts(found)["ApiReady"]) == ("Unknown", "Paused", "True")


def test_hibernated_is_not_ready_and_says_how_to_wake_up(settled: FakeCluster) -> None:
    about = memory({"hibernated": True})
    settled.settle(about)

    found = report(settled, about)

    assert (found["phase"], condition(found, "Ready")["reason"]) == ("Hibernated", "Hibernated")
    assert "spec.hibernated to false" in condition(found, "Ready")["message"]
    assert verdicts(found)["Reconciling"] == "False"


def test_a_disabled_consumer_is_not_missed() -> None:
    cluster, about = FakeCluster(), memory({"consumer": {"enabled": False}})
    cluster.settle(about)

    found = report(cluster, about)

    assert (verdicts(found)["Ready"], found["componentsReady"]) == ("True", "5/5")
    assert found["components"][-1] == {"name": "consumer", "mode": "disabled", "ready": "0/0", "reason": "Disabled"}


def test_the_time_of_a_condition_moves_only_when_it_flips(settled: FakeCluster) -> None:
    first = report(settled, memory())
    later = NOW + timedelta(hours=1)

    same = report(settled, memory(status=first), now=later)
    settled.objects[Key("StatefulSet", "demo-kafka")]["status"]["readyReplicas"] = 0
    flipped = report(settled, memory(status=first), now=later)

    assert same == first
    assert condition(flipped, "KafkaReady")["lastTransitionTime"] == "2026-01-02T04:04:05Z"
    assert condition(flipped, "RedisReady")["lastTransitionTime"] == "2026-01-02T03:04:05Z"


def test_a_growing_volume_is_not_ready_before_it_has_grown() -> None:
    cluster, about = FakeCluster(), memory({"redis": {"persistence": {"enabled": True}}})
    cluster.settle(about)
    cluster.objects[Key("PersistentVolumeClaim", "data-demo-redis-0")]["status"]["capacity"]["storage"] = "1Gi"

    assert condition(report(cluster, about), "RedisReady")["reason"] == "VolumeResizing"


def test_a_volume_that_its_class_cannot_enlarge_is_told_and_waits_for_a_person() -> None:
    cluster = FakeCluster()
    cluster.settle(memory({"redis": {"persistence": {"enabled": True}}}))
    cluster.storage_classes["standard"]["allowVolumeExpansion"] = False
    larger = memory({"redis": {"persistence": {"enabled": True, "size": "6Gi"}}})
    cluster.settle(larger)

    found = report(cluster, larger)

    redis = condition(found, "RedisReady")
    assert (redis["status"], redis["reason"]) == ("False", "ExpansionNotSupported")
    assert "cannot enlarge volume claim data-demo-redis-0 from 5Gi to 6Gi" in redis["message"]
    assert condition(found, "Stalled")["status"] == "True"


def test_a_volume_that_is_larger_than_wanted_is_ready_and_its_real_size_is_told() -> None:
    cluster, about = FakeCluster(), memory({"redis": {"persistence": {"enabled": True}}})
    cluster.settle(about)
    claim = cluster.objects[Key("PersistentVolumeClaim", "data-demo-redis-0")]
    claim["spec"]["resources"]["requests"]["storage"] = claim["status"]["capacity"]["storage"] = "9Gi"

    found = report(cluster, about)

    assert condition(found, "RedisReady")["status"] == "True"
    [redis] = [component for component in found["components"] if component["name"] == "redis"]
    assert redis["capacity"] == "9Gi"


def test_no_credential_is_ever_in_the_status() -> None:
    values: dict[str, str] = {}
    cluster = FakeCluster(lambda key: values.setdefault(key, random_value(key)))
    cluster.settle(memory())

    text = str(report(cluster, memory()))

    assert len(values) == 6
    assert not [key for key, value in values.items() if value in text]


def test_what_cannot_be_parsed_is_reported_too() -> None:
    before = report(FakeCluster(), memory())
    obj = {"metadata": {"name": "demo", "generation": 9}, "status": before}

    found = refused_status(obj, Problem(Reason.INVALID_SPEC, "spec.api: no."), NOW)

    assert (found["observedGeneration"], found["phase"]) == (9, "Failed")
    assert condition(found, "Stalled")["message"] == "spec.api: no."
    assert verdicts(found).keys() == verdicts(before).keys()
