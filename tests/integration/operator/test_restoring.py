"""Bringing a dump back on a real API server: Jobs one after another, and the clients stopped meanwhile."""

from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, uid_of
from tests.integration.operator.world import Api, Kubelet, Operator, eventually

RESTORE: Obj = {"backup": {}, "restore": {"from": "demo-20260131T020000Z.dump"}}


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
    allowed = {"restore": {**RESTORE["restore"], "replaceExisting": True}}
    api.merge(names.KIND, "demo", namespace, {"spec": RESTORE | allowed})
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


def test_a_restore_over_memories_in_use_is_refused_and_interrupts_nothing(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    """(X-10)"""
    api.make_memory(namespace)
    api.wait_ready(namespace)

    api.merge(names.KIND, "demo", namespace, {"spec": RESTORE})

    stalled = eventually("it is refused", lambda: _refused(api.condition(namespace, kind="Stalled")))
    assert stalled["status"] == "True"
    assert clients(api, namespace) == 2
    api.merge(names.KIND, "demo", namespace, {"spec": {"restore": None}})
    api.wait_ready(namespace)


def test_a_restore_without_a_volume_is_refused_by_the_api_server(api: Api, namespace: str) -> None:
    """(X-10)"""
    metadata = {"name": "demo", "namespace": namespace}

    words = api.refusal({"kind": names.KIND, "metadata": metadata, "spec": {"restore": RESTORE["restore"]}})

    assert "restore needs backup" in words


def _refused(condition: Obj) -> Obj | None:
    return condition if condition.get("reason") == "RestoreRefused" else None
