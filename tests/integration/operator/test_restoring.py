"""Bringing a dump back on a real API server: Jobs one after another, and the clients stopped meanwhile."""

import time

from somamemory_operator.model import names
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import Obj, uid_of
from tests.integration.operator.world import Api, Kubelet, Operator, eventually

RESTORE: Obj = {"backup": {}, "restore": {"from": "demo-20260131T020000Z.dump"}}
REPLACING: Obj = RESTORE | {"restore": {**RESTORE["restore"], "replaceExisting": True}}
VOLUMES: Obj = {store.value: {"persistence": {"enabled": True}} for store in STORES}


def jobs(api: Api, namespace: str, component: Component) -> list[Obj]:
    return api.list("Job", namespace, names.selector_string("demo", component))


def clients(api: Api, namespace: str) -> int:
    return sum(
        len(api.list("Pod", namespace, names.selector_string("demo", part)))
        for part in (Component.API, Component.CONSUMER)
    )


def test_a_dump_is_brought_back_while_nobody_works_and_only_once(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    """Stop, restore, migrate, index anew, start (X-10)."""
    api.make_memory(namespace)
    api.wait_ready(namespace)
    [migration] = jobs(api, namespace, Component.MIGRATION)

    kubelet.hold |= {Component.RESTORE, Component.REINDEX}
    api.merge(names.KIND, "demo", namespace, {"spec": REPLACING})
    eventually("the dump is being restored", lambda: jobs(api, namespace, Component.RESTORE) or None, 30)
    assert clients(api, namespace) == 0
    assert eventually("it is told", lambda: api.condition(namespace).get("reason")) == "Restoring"

    kubelet.hold.discard(Component.RESTORE)
    eventually("the index is being made anew", lambda: jobs(api, namespace, Component.REINDEX) or None, 30)
    [again] = jobs(api, namespace, Component.MIGRATION)
    assert uid_of(again) != uid_of(migration)
    assert clients(api, namespace) == 0

    kubelet.hold.clear()
    api.wait_ready(namespace)
    assert api.condition(namespace, kind="Restored")["status"] == "True"
    eventually("the Jobs are pruned", lambda: not jobs(api, namespace, Component.RESTORE))
    assert clients(api, namespace) == 2

    api.merge(names.KIND, "demo", namespace, {"spec": {"restore": None}})
    api.wait_ready(namespace)
    assert clients(api, namespace) == 2


def test_a_restore_that_is_asked_for_while_hibernated_runs_after_waking(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    """Also when it is put to sleep once more in the middle."""
    api.make_memory(namespace, spec=VOLUMES)
    api.wait_ready(namespace)
    asleep, awake = {"spec": {"hibernated": True}}, {"spec": {"hibernated": False}}
    api.merge(names.KIND, "demo", namespace, asleep)
    eventually("it hibernates", lambda: api.condition(namespace).get("reason") == "Hibernated", 40)

    api.merge(names.KIND, "demo", namespace, {"spec": REPLACING})
    waiting = eventually("it waits", lambda: api.condition(namespace, kind="Restored") or None)
    assert (waiting["status"], waiting["reason"]) == ("False", "Hibernated")

    kubelet.hold.add(Component.RESTORE)
    api.merge(names.KIND, "demo", namespace, awake)
    eventually("the dump is being restored", lambda: jobs(api, namespace, Component.RESTORE) or None, 40)
    assert clients(api, namespace) == 0

    api.merge(names.KIND, "demo", namespace, asleep)
    eventually("the Job ends", lambda: not jobs(api, namespace, Component.RESTORE), 40)
    again = eventually("it waits again", lambda: _because(api.condition(namespace, kind="Restored"), "Hibernated"))
    assert again["status"] == "False"

    api.merge(names.KIND, "demo", namespace, awake)
    eventually("it is restored again", lambda: jobs(api, namespace, Component.RESTORE) or None, 40)
    kubelet.hold.clear()
    api.wait_ready(namespace)
    assert api.condition(namespace, kind="Restored")["status"] == "True"


def test_a_restore_taken_away_in_the_middle_is_finished_by_migration_and_index(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    """Nobody can tell whether the Job had committed."""
    api.make_memory(namespace, spec=VOLUMES)
    api.wait_ready(namespace)
    kubelet.hold |= {Component.RESTORE, Component.REINDEX}
    api.merge(names.KIND, "demo", namespace, {"spec": REPLACING})
    eventually("the dump is being restored", lambda: jobs(api, namespace, Component.RESTORE) or None, 40)

    api.merge(names.KIND, "demo", namespace, {"spec": {"restore": None}})

    eventually("the index is made anew", lambda: jobs(api, namespace, Component.REINDEX) or None, 40)
    assert jobs(api, namespace, Component.RESTORE) == []
    assert clients(api, namespace) == 0
    kubelet.hold.clear()
    api.wait_ready(namespace)
    eventually("the Jobs are pruned", lambda: not jobs(api, namespace, Component.REINDEX))
    eventually("it is over", lambda: api.condition(namespace, kind="Restored") == {})


def test_a_restore_that_refused_to_begin_is_taken_away_at_once(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    """It has changed nothing, so the clients wait for no index (X-10)."""
    api.make_memory(namespace, spec=VOLUMES)
    api.wait_ready(namespace)
    kubelet.hold |= {Component.RESTORE, Component.REINDEX}
    api.merge(names.KIND, "demo", namespace, {"spec": REPLACING})
    selector = names.selector_string("demo", Component.RESTORE)
    pod = eventually("its pod is there", lambda: next(iter(api.list("Pod", namespace, selector)), None), 40)

    api.merge("Pod", pod["metadata"]["name"], namespace, {"status": _refusing(pod)}, "status")
    eventually("it is told", lambda: _because(api.condition(namespace), "RestoreFailed"), 40)
    assert "There is no dump" in api.condition(namespace, kind="Restored")["message"]

    api.merge(names.KIND, "demo", namespace, {"spec": {"restore": None}})
    api.wait_ready(namespace)
    assert clients(api, namespace) == 2


def test_a_running_restore_is_given_more_time(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> None:
    """The deadline of a Job may be raised while it runs."""
    api.make_memory(namespace, spec=VOLUMES)
    api.wait_ready(namespace)
    kubelet.hold.add(Component.RESTORE)
    api.merge(names.KIND, "demo", namespace, {"spec": REPLACING})
    [job] = eventually("the dump is being restored", lambda: jobs(api, namespace, Component.RESTORE) or None, 40)
    assert job["spec"]["activeDeadlineSeconds"] == 86_400

    api.merge(names.KIND, "demo", namespace, {"spec": {"restore": {"activeDeadlineSeconds": 172_800}}})

    def raised() -> bool:
        [live] = jobs(api, namespace, Component.RESTORE)
        return (uid_of(live), live["spec"]["activeDeadlineSeconds"]) == (uid_of(job), 172_800)

    eventually("it has more time", raised)
    kubelet.hold.clear()
    api.wait_ready(namespace)


def test_a_restore_over_memories_in_use_is_refused_and_interrupts_nothing(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    """(X-10)"""
    api.make_memory(namespace)
    api.wait_ready(namespace)

    api.merge(names.KIND, "demo", namespace, {"spec": RESTORE})

    stalled = eventually("it is refused", lambda: _because(api.condition(namespace, kind="Stalled"), "RestoreRefused"))
    assert stalled["status"] == "True"
    assert clients(api, namespace) == 2
    api.merge(names.KIND, "demo", namespace, {"spec": {"restore": None}})
    api.wait_ready(namespace)


def test_a_restore_without_a_volume_is_refused_by_the_api_server(api: Api, namespace: str) -> None:
    """(X-10)"""
    metadata = {"name": "demo", "namespace": namespace}

    words = api.refusal({"kind": names.KIND, "metadata": metadata, "spec": {"restore": RESTORE["restore"]}})

    assert "restore needs backup" in words


def _because(condition: Obj, reason: str) -> Obj | None:
    return condition if condition.get("reason") == reason else None


def _refusing(pod: Obj) -> Obj:
    """The status of a pod whose script found no dump, as the kubelet would write it."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    ended = {"exitCode": 64, "reason": "Error", "startedAt": now, "finishedAt": now}
    ended["message"] = "There is no dump demo-20260131T020000Z.dump. There are: "
    [container] = pod["spec"]["containers"]
    image = {"image": container["image"], "imageID": container["image"]}
    status = {"name": container["name"], "ready": False, "restartCount": 0, "state": {"terminated": ended}, **image}
    return {"phase": "Failed", "startTime": now, "containerStatuses": [status]}
