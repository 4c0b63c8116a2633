"""Ready and its words while pods come and go: only what touches what we want turns it, and it says what happens."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from somamemory_operator.model.observed import Key, Obj
from somamemory_operator.status.status import status
from tests.unit.operator.fakes import FakeCluster, memory

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
API, REDIS = Key("Deployment", "demo-api"), Key("StatefulSet", "demo-redis")
SCALED = {"api": {"autoscaling": {"minReplicas": 2, "maxReplicas": 6}}}


def settled(spec: Obj | None = None) -> FakeCluster:
    cluster = FakeCluster()
    cluster.settle(memory(spec))
    return cluster


def condition(cluster: FakeCluster, kind: str, spec: Obj | None = None) -> Obj:
    about = memory(spec)
    desired, plan = cluster.look(about)
    found = status(about, desired=desired, plan=plan, world=cluster.world, problem=None, now=NOW)
    return next(dict(each) for each in found["conditions"] if each["type"] == kind)


def annotated(live: Obj) -> None:
    """As the API server does it: the generation of a Deployment moves with its annotations, no other kind's does."""
    live["metadata"].setdefault("annotations", {})["example.org/theirs"] = "x"
    if live["kind"] == "Deployment":
        live["metadata"]["generation"] += 1


def labelled(live: Obj) -> None:
    live["metadata"]["labels"]["example.org/theirs"] = "x"


def finalized(live: Obj) -> None:
    live["metadata"]["finalizers"] = ["example.org/theirs"]


@pytest.mark.parametrize("edit", [annotated, labelled, finalized])
def test_an_edit_of_what_we_do_not_want_leaves_it_ready(edit: Callable[[Obj], None]) -> None:
    """Every child, before any controller has looked at it."""
    cluster = settled()
    for live in cluster.objects.values():
        edit(live)

    found = condition(cluster, "Ready")

    assert (found["status"], found["reason"]) == ("True", "Ready"), found["message"]


def test_our_own_apply_is_awaited_also_when_somebody_annotates_after_it() -> None:
    cluster, changed = settled(), {"api": {"rateLimit": {"max": 1000}}}
    cluster.step(memory(changed))
    annotated(cluster.objects[API])

    found = condition(cluster, "ApiReady", changed)

    assert (found["status"], found["reason"]) == ("False", "RollingOut")
    assert "has not taken up the newest template" in found["message"]


def test_an_operator_that_has_forgotten_waits_for_the_newest_generation() -> None:
    """What it remembers only makes it less strict: after a restart it may have applied the newest one itself."""
    cluster = settled()
    annotated(cluster.objects[API])
    cluster.applied.clear()

    assert condition(cluster, "ApiReady")["status"] == "False"


def paused(live: Obj) -> None:
    live["spec"]["paused"] = True


def partitioned(live: Obj) -> None:
    live["spec"]["updateStrategy"]["rollingUpdate"] = {"partition": 1}


@pytest.mark.parametrize(
    ("key", "hold", "spec", "words"),
    [
        (API, paused, {"api": {"rateLimit": {"max": 9}}}, "`kubectl rollout resume -n space deployment/demo-api`"),
        (REDIS, partitioned, {"redis": {"config": {"maxmemory": "1gb"}}}, "rollingUpdate.partition"),
    ],
)
def test_a_rollout_that_somebody_holds_back_needs_a_person(
    key: Key, hold: Callable[[Obj], None], spec: Obj, words: str
) -> None:
    """It is no rollout, and waiting does not end it."""
    cluster = settled()
    hold(cluster.objects[key])
    cluster.step(memory(spec))
    live = cluster.objects[key]
    hold(live)  # the operator did not mean the field, so the API server keeps it
    live["status"] |= {"observedGeneration": live["metadata"]["generation"], "updatedReplicas": 0}
    if key.kind == "StatefulSet":
        live["status"] |= {"updateRevision": "s"}

    ready, stalled = condition(cluster, "Ready", spec), condition(cluster, "Stalled", spec)

    assert (ready["reason"], stalled["status"], stalled["reason"]) == ("RolloutPaused", "True", "RolloutPaused")
    assert words in stalled["message"]


def test_a_pause_with_nothing_to_roll_out_is_nobodys_concern() -> None:
    cluster = settled()
    paused(cluster.objects[API])

    assert condition(cluster, "Ready")["status"] == "True"


def test_a_suspended_migration_is_told() -> None:
    cluster = settled()
    [job] = [live for key, live in cluster.objects.items() if key.kind == "Job"]
    job["spec"]["suspend"], job["status"] = True, {}

    found = condition(cluster, "ApiReady")

    assert found["reason"] == "JobSuspended"
    assert job["metadata"]["name"] in found["message"]


COUNTS: dict[str, tuple[Obj, Obj, str]] = {
    "pods stop": ({"replicas": 0}, {"replicas": 2, "readyReplicas": 1}, "The pods are being stopped: 2 left."),
    "old pods": ({}, {"updatedReplicas": 1}, "2 of 2 pods are ready, 1 of 2 run the newest template."),
    "unready pods": ({}, {"readyReplicas": 1}, "1 of 2 pods are ready."),
    "one too many": ({}, {"replicas": 3}, "Pods of an older template are being stopped: 1 left."),
    "a fresh one": ({}, {"availableReplicas": 1}, "The newest pods are ready; they count once"),
}


@pytest.mark.parametrize("case", COUNTS)
def test_a_rollout_says_what_is_missing(case: str) -> None:
    """Never `0 of 0 pods`."""
    spec, seen, words = COUNTS[case]
    wanted: Obj = {"hibernated": True} if spec else {"api": {"replicas": 2}}
    cluster = settled({"api": {"replicas": 2}})
    if spec:
        cluster.step(memory(wanted))
    live = cluster.objects[API]
    live["status"] |= {"observedGeneration": live["metadata"]["generation"]} | seen

    found = condition(cluster, "ApiReady", wanted)

    assert found["reason"] == "RollingOut"
    assert found["message"].startswith(words)


def scaled(pods: int, **seen: Any) -> FakeCluster:
    """A memory whose autoscaler has just asked for more pods than there are."""
    cluster = settled(SCALED)
    cluster.scale("demo-api", pods)
    live = cluster.objects[API]
    live["metadata"]["generation"] += 1
    live["status"] |= seen
    cluster.step(memory(SCALED))
    return cluster


@pytest.mark.parametrize(
    ("pods", "seen"),
    [
        (5, {}),
        (5, {"replicas": 5, "updatedReplicas": 5}),
        (2, {"replicas": 5, "updatedReplicas": 5, "readyReplicas": 4, "availableReplicas": 4}),
    ],
)
def test_pods_that_an_autoscaler_adds_or_takes_leave_it_ready(pods: int, seen: Obj) -> None:
    found = condition(scaled(pods, **seen), "ApiReady", SCALED)

    assert (found["status"], found["reason"]) == ("True", "Ready"), found["message"]


@pytest.mark.parametrize("seen", [{"availableReplicas": 1}, {"updatedReplicas": 1}, {"replicas": 3}])
def test_under_an_autoscaler_the_fewest_pods_and_the_newest_template_are_awaited(seen: Obj) -> None:
    assert condition(scaled(4, **seen), "ApiReady", SCALED)["status"] == "False"


def test_an_evicted_pod_makes_it_unready_until_its_successor_is_there() -> None:
    """No edit, but less than what is wanted: Ready says that all of it runs."""
    cluster = settled({"api": {"replicas": 2}})
    cluster.objects[API]["status"] |= {"replicas": 2, "readyReplicas": 1, "availableReplicas": 1}

    found = condition(cluster, "Ready", {"api": {"replicas": 2}})

    assert (found["status"], found["message"]) == ("False", "api: 1 of 2 pods are ready.")
