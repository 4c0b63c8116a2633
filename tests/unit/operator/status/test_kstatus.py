"""Every phase, as kubectl wait, Flux and Argo CD read it: the three overall conditions never contradict each other."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from somamemory_operator.model.errors import Problem
from somamemory_operator.model.observed import Key, Obj
from somamemory_operator.model.reasons import Reason
from somamemory_operator.status.status import refused_status, status
from tests.unit.operator.fakes import UID, FakeCluster, memory, pod_of

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
REDIS = Key("StatefulSet", "demo-redis")


def kstatus(found: Obj, generation: int) -> str:
    """What kstatus makes of a resource that it does not know: its published rules, in their order."""
    if found["observedGeneration"] != generation:
        return "InProgress"
    stands = {each["type"]: each["status"] for each in found["conditions"]}
    if stands["Reconciling"] == "True":
        return "InProgress"
    if stands["Stalled"] == "True":
        return "Failed"
    return "Current" if stands["Ready"] == "True" else "InProgress"


def report(cluster: FakeCluster, spec: Obj | None = None, problem: Problem | None = None) -> Obj:
    about = memory(spec, generation=4)
    desired, plan = (None, None) if problem is not None else cluster.look(about)
    return status(about, desired=desired, plan=plan, world=cluster.world, problem=problem, now=NOW)


def settled(spec: Obj | None = None) -> FakeCluster:
    cluster = FakeCluster()
    cluster.settle(memory(spec))
    return cluster


def waiting(reason: str) -> FakeCluster:
    """Redis has no ready pod, for this reason."""
    cluster = settled()
    state = {"waiting": {"reason": reason}}
    seen = {"containerStatuses": [{"name": "redis", "image": "x", "ready": False, "state": state}]}
    cluster.objects[Key("Pod", "demo-redis-0")] = pod_of("demo-redis-0", "redis", seen)
    cluster.objects[REDIS]["status"] |= {"readyReplicas": 0, "availableReplicas": 0}
    return cluster


def unparsable() -> Obj:
    obj = {"metadata": {"name": "demo", "namespace": "space", "uid": UID, "generation": 4}, "status": {}}
    return refused_status(obj, Problem(Reason.INVALID_SPEC, "spec.api: no."), NOW)


def found_in(case: str) -> Obj:
    asleep: Obj = {"hibernated": True}
    later = Problem(Reason.CLUSTER_UNAVAILABLE, "Again.", retry=True)
    cases: dict[str, Callable[[], Obj]] = {
        "all runs": lambda: report(settled()),
        "nothing is there": lambda: report(FakeCluster()),
        "a change is to be applied": lambda: report(settled(), {"redis": {"config": {"maxmemory": "1gb"}}}),
        "a program stops again and again": lambda: report(waiting("CrashLoopBackOff")),
        "an image is missing": lambda: report(waiting("ImagePullBackOff")),
        "the server is away": lambda: report(settled(), problem=later),
        "the spec is refused": lambda: report(settled(), problem=Problem(Reason.VOLUME_SHRINK, "Set it back.")),
        "the spec cannot be read": unparsable,
        "it goes to sleep": lambda: report(settled(), asleep),
        "it sleeps": lambda: report(settled(asleep), asleep),
        "it is paused": lambda: report(settled(), {"paused": True}),
    }
    return cases[case]()


CASES = {
    # case: phase, Ready, Reconciling, Stalled, kstatus
    "all runs": ("Ready", "True", "False", "False", "Current"),
    "nothing is there": ("Progressing", "False", "True", "False", "InProgress"),
    "a change is to be applied": ("Progressing", "False", "True", "False", "InProgress"),
    "a program stops again and again": ("Degraded", "False", "True", "False", "InProgress"),
    "an image is missing": ("Failed", "False", "False", "True", "Failed"),
    "the server is away": ("Degraded", "False", "True", "False", "InProgress"),
    "the spec is refused": ("Failed", "False", "False", "True", "Failed"),
    "the spec cannot be read": ("Failed", "False", "False", "True", "Failed"),
    "it goes to sleep": ("Progressing", "False", "True", "False", "InProgress"),
    "it sleeps": ("Hibernated", "False", "False", "False", "InProgress"),
    "it is paused": ("Paused", "Unknown", "False", "False", "InProgress"),
}


@pytest.mark.parametrize("case", CASES)
def test_programs_read_every_phase_as_it_is_meant(case: str) -> None:
    found = found_in(case)

    stands = {each["type"]: each["status"] for each in found["conditions"]}
    overall = tuple(stands[kind] for kind in ("Ready", "Reconciling", "Stalled"))

    assert (found["phase"], *overall, kstatus(found, 4)) == CASES[case]


@pytest.mark.parametrize("case", CASES)
def test_what_is_on_its_way_or_stuck_says_why_in_the_words_of_ready(case: str) -> None:
    said = {each["type"]: (each["reason"], each["message"]) for each in found_in(case)["conditions"]}
    abnormal = [each["type"] for each in found_in(case)["conditions"][1:3] if each["status"] == "True"]

    assert [said[kind] for kind in abnormal] == [said["Ready"]] * len(abnormal)


def test_a_status_about_an_older_spec_is_never_current() -> None:
    """The trap of `kubectl wait` right after a change: it would see the Ready of the spec before."""
    assert kstatus(report(settled()), 5) == "InProgress"
