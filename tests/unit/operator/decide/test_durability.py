"""Memories on no volume: what a plan would do to them, and when that is refused, postponed or let through."""

from collections.abc import Callable
from typing import Any

import pytest

from somamemory_operator.decide.credentials import random_value
from somamemory_operator.decide.durability import is_on_volume, spared
from somamemory_operator.decide.plan import Plan
from somamemory_operator.model import names
from somamemory_operator.model.errors import InvalidSpec
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Blindness, Key, Obj, World, key_of
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory
from tests.unit.operator.fakes import SETTINGS, FakeCluster, memory

POSTGRES = Key("StatefulSet", "demo-postgres")
POD = Key("Pod", "demo-postgres-0")
VOLUME = {"postgres": {"persistence": {"enabled": True}}}

CHANGES: dict[str, tuple[Obj, str]] = {
    "hibernated": ({"hibernated": True}, "stopped"),
    "another profile": ({"profile": "production"}, "replaced by one with another volume"),
    "a volume": (VOLUME, "replaced by one with another volume"),
    "an image": ({"postgres": {"image": {"tag": "17"}}}, "restarted"),
    "a registry": ({"imageRegistry": "mirror.example.org"}, "restarted"),
    "a setting": ({"postgres": {"config": {"work_mem": "8MB"}}}, "restarted"),
    "resources": ({"postgres": {"resources": {"limits": {"memory": "1Gi"}}}}, "restarted"),
    "a priority": ({"postgres": {"priorityClassName": "high"}}, "restarted"),
    "an annotation": ({"postgres": {"podAnnotations": {"example.org/a": "b"}}}, "restarted"),
}


def serving(spec: Obj | None = None) -> FakeCluster:
    """A SomaMemory that runs, without a volume unless its spec says so."""
    cluster = FakeCluster()
    cluster.settle(memory(spec))
    return cluster


def judged(cluster: FakeCluster, about: SomaMemory) -> Plan:
    return spared(about, *cluster.look(about), cluster.world)


def touches_postgres(plan: Plan) -> bool:
    return POSTGRES in {*map(key_of, plan.applies), *(deletion.key for deletion in plan.deletions)}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_ends_the_pod_is_refused_with_the_remedy(change: str) -> None:
    spec, how = CHANGES[change]

    with pytest.raises(InvalidSpec) as refusal:
        judged(serving(), memory(spec))

    assert refusal.value.reason is Reason.DATA_WOULD_BE_LOST
    assert how in refusal.value.message
    assert "set spec.allowDataLoss to true" in refusal.value.message


@pytest.mark.parametrize("change", CHANGES)
def test_it_is_refused_by_a_process_that_has_applied_nothing_yet_too(change: str) -> None:
    cluster = serving()
    cluster.applied.clear()

    with pytest.raises(InvalidSpec):
        judged(cluster, memory(CHANGES[change][0]))


@pytest.mark.parametrize("change", CHANGES)
def test_what_may_go_is_not_refused(change: str) -> None:
    cluster, about = serving(), memory({"allowDataLoss": True, **CHANGES[change][0]})

    assert judged(cluster, about) == cluster.look(about)[1]


@pytest.mark.parametrize("change", ["hibernated", "an image", "resources"])
def test_with_a_volume_nothing_is_refused(change: str) -> None:
    about = memory({"postgres": {**VOLUME["postgres"], **CHANGES[change][0].get("postgres", {})}} | CHANGES[change][0])
    cluster = serving(VOLUME)

    assert judged(cluster, about) == cluster.look(about)[1]


@pytest.mark.parametrize(
    "spec",
    [{}, {"api": {"replicas": 3}}, {"redis": {"config": {"maxmemory": "1gb"}}}, {"deletionPolicy": "Delete"}],
    ids=str,
)
def test_what_does_not_touch_the_pod_is_not_refused(spec: Obj) -> None:
    cluster = serving()
    cluster.applied.clear()

    assert judged(cluster, memory(spec)) == cluster.look(memory(spec))[1]


def no_pod(cluster: FakeCluster) -> None:
    cluster.delete(POD)


def dying_pod(cluster: FakeCluster) -> None:
    cluster.objects[POD]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"


def never_ready(cluster: FakeCluster) -> None:
    """As in a first rollout: no migration has been made for this pod."""
    cluster.objects[POD]["status"] = {"phase": "Pending"}
    for key in [key for key in cluster.objects if key.kind == "Job"]:
        cluster.delete(key)


@pytest.mark.parametrize("state", [no_pod, dying_pod, never_ready])
@pytest.mark.parametrize("change", ["hibernated", "a volume", "an image"])
def test_a_postgres_that_holds_nothing_may_be_changed(state: Callable[[FakeCluster], None], change: str) -> None:
    cluster, about = serving(), memory(CHANGES[change][0])
    state(cluster)

    assert judged(cluster, about) == cluster.look(about)[1]


def test_a_postgres_that_is_not_ready_just_now_still_holds_memories() -> None:
    """Its container is started anew in the same pod, and finds its data."""
    cluster = serving()
    cluster.objects[POD]["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}]}

    with pytest.raises(InvalidSpec):
        judged(cluster, memory({"hibernated": True}))


@pytest.mark.parametrize("kind", ["Pod", "Job"])
def test_what_cannot_be_read_may_hold_memories(kind: str) -> None:
    cluster = serving()
    cluster.objects[POD]["status"] = {}
    world = World(
        {key: obj for key, obj in cluster.objects.items() if key.kind != kind},
        unread={kind: Blindness(Reason.FORBIDDEN, "It is forbidden.")},
    )

    with pytest.raises(InvalidSpec):
        spared(memory({"hibernated": True}), *cluster.look(memory({"hibernated": True})), world)


def made_by(cluster: FakeCluster, mark: str | None) -> None:
    """Another release applied a Postgres with more shared memory."""
    live = cluster.objects[POSTGRES]
    container = live["spec"]["template"]["spec"]["containers"][0]
    container["args"] = [part.replace("64MB", "65MB") for part in container["args"]]
    live["metadata"]["annotations"] = {} if mark is None else {names.TEMPLATE_ANNOTATION: mark}
    cluster.applied.clear()


@pytest.mark.parametrize("mark", [None, "0123456789 0.0.9"], ids=["no mark", "an older mark"])
def test_what_only_another_release_of_the_operator_asks_for_waits_and_the_rest_goes_on(mark: str | None) -> None:
    cluster = serving()
    made_by(cluster, mark)

    plan = judged(cluster, memory())

    assert not touches_postgres(plan)
    assert len(plan.applies) == len(cluster.look(memory())[1].applies) - 1
    [waiting] = plan.postponed
    assert (waiting.key, waiting.reason) == (POSTGRES, Reason.DATA_WOULD_BE_LOST)
    assert "spec.allowDataLoss" in waiting.message
    assert touches_postgres(judged(cluster, memory({"allowDataLoss": True})))


def test_an_image_that_the_operator_brings_is_not_taken_for_postgres_although_agreed_to() -> None:
    """It waits with the remedy; the other stores take theirs."""
    newer = SETTINGS.model_copy(update={"image_postgres": "docker.io/library/postgres:16.9", "image_redis": "redis:8"})
    cluster, about = serving(), memory({"upgrade": {"agreedTo": newer.release}})

    cluster.settle(about, newer)

    desired, plan = cluster.look(about, newer)
    assert spared(about, desired, plan, cluster.world) == plan
    [change] = desired.changes
    assert (change.component, change.is_due) == (Component.POSTGRES, False)
    assert "spec.allowDataLoss" in change.why
    settled = memory({"upgrade": {"agreedTo": newer.release}, "allowDataLoss": True})
    cluster.settle(settled, newer)
    assert cluster.look(settled, newer)[0].changes == ()


def test_a_postgres_of_a_release_without_marks_gets_one_when_its_template_is_the_same() -> None:
    cluster = serving()
    cluster.objects[POSTGRES]["metadata"].pop("annotations")
    cluster.applied.clear()

    plan = judged(cluster, memory())

    assert touches_postgres(plan)
    assert not plan.postponed


def test_what_somebody_edited_is_repaired() -> None:
    """The edit has restarted the pod already."""

    def edit(live: Obj) -> None:
        live["spec"]["template"]["spec"]["containers"][0]["image"] = "example.org/postgres:mine"

    cluster = serving()
    cluster.edit(*POSTGRES, edit)

    assert touches_postgres(judged(cluster, memory()))


def test_credentials_that_only_look_lost_are_found_before_anything_is_judged() -> None:
    """Without their labels they are not seen; new ones would restart Postgres with another password."""
    cluster = FakeCluster(generate=random_value)
    cluster.settle(memory())
    for name in (names.credentials("demo"), names.credentials_copy("demo")):
        del cluster.objects[Key("Secret", name)]

    plan = judged(cluster, memory())

    assert [body["kind"] for body in plan.creates] == ["Secret", "Secret"]
    assert plan == Plan(creates=plan.creates)


@pytest.mark.parametrize(("spec", "expected"), [({}, False), (VOLUME, True), ({"profile": "production"}, True)])
def test_it_is_known_whether_memories_are_on_a_volume(spec: Obj, expected: bool) -> None:
    """Before anything is there, while it runs, and while nothing runs."""
    cluster, about = FakeCluster(), memory(spec)
    seen: list[Any] = [is_on_volume(about, cluster.world)]
    cluster.settle(about)
    seen.append(is_on_volume(about, cluster.world))
    cluster.delete(POD)
    seen.append(is_on_volume(about, cluster.world))

    assert seen == [expected] * 3


def test_a_refused_switch_does_not_pretend_that_memories_are_on_a_volume() -> None:
    assert not is_on_volume(memory({"profile": "production"}), serving().world)


def test_a_second_pod_that_somebody_asked_for_goes_without_a_loss() -> None:
    """The memories are with the first; refusing would leave a StatefulSet as somebody edited it."""
    cluster = serving()
    cluster.edit(*POSTGRES, lambda live: live["spec"].update(replicas=2))

    assert touches_postgres(judged(cluster, memory()))
