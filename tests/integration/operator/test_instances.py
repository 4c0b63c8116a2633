"""Several SomaMemories beside each other, unwanted children, foreign objects, and the end of a SomaMemory."""

from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj, uid_of
from tests.integration.operator.world import Api, Kubelet, Operator, eventually, owned


def test_a_broken_resource_does_not_hold_up_the_others(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    other = f"{namespace}-other"
    api.make_namespace(other)

    api.make_memory(namespace, "first")
    api.make_memory(namespace, "broken", {"postgres": {"persistence": {"enabled": True, "storageClassName": "none"}}})
    api.make_memory(other, "first")

    api.wait_ready(namespace, "first")
    api.wait_ready(other, "first")
    ready = eventually(
        "the broken one says so", lambda: _reason(api.condition(namespace, "broken"), "StorageClassUnknown")
    )
    assert "spec.postgres.persistence.storageClassName" in ready["message"]
    tokens = [api.get("Secret", "first-credentials", space) for space in (namespace, other)]
    assert tokens[0] is not None
    assert tokens[1] is not None
    assert tokens[0]["data"] != tokens[1]["data"]


def test_what_is_no_longer_wanted_is_pruned_and_nothing_else(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    api.make_memory(namespace)
    api.wait_ready(namespace)
    foreign = [
        _foreign(namespace, "plain", {}),
        _foreign(namespace, "alike", names.labels("demo", names.Component.API)),
    ]
    for obj in foreign:
        api.create(obj)

    api.merge(names.KIND, "demo", namespace, {"spec": {"consumer": {"enabled": False}}})

    eventually("the consumer is gone", lambda: _of_consumer(api, namespace) == [])
    api.wait_ready(namespace)
    assert api.get("ConfigMap", "plain", namespace) is not None
    assert api.get("ConfigMap", "alike", namespace) is not None
    assert api.get("Deployment", "demo-api", namespace) is not None

    api.merge(names.KIND, "demo", namespace, {"spec": {"consumer": {"enabled": True}}})
    eventually("the consumer is back", lambda: api.get("Deployment", "demo-consumer", namespace))


def test_a_foreign_object_with_our_name_is_neither_taken_nor_changed(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    foreign = api.create(_foreign(namespace, "demo-kafka-config", {}))

    api.make_memory(namespace)

    ready = eventually("the conflict is told", lambda: _reason(api.condition(namespace), "Conflict"))
    assert "demo-kafka-config" in ready["message"]
    assert api.get("ConfigMap", "demo-kafka-config", namespace) == foreign
    api.delete("ConfigMap", "demo-kafka-config", namespace)
    api.wait_ready(namespace)


def test_a_deleted_resource_takes_its_children_along(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    api.make_memory(namespace)
    api.wait_ready(namespace)

    api.delete(names.KIND, "demo", namespace)

    eventually("the resource is gone", lambda: api.get(names.KIND, "demo", namespace) is None, 5)
    eventually("its children are gone", lambda: owned(api, namespace) == [] and api.list("Pod", namespace) == [], 30)


def test_a_resource_made_anew_becomes_ready_again(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    first = api.make_memory(namespace)
    api.wait_ready(namespace)

    api.delete(names.KIND, "demo", namespace)
    second = api.make_memory(namespace)

    api.wait_ready(namespace)
    assert uid_of(first) != uid_of(second)
    eventually("all children belong to the new one", lambda: _owners(api, namespace) == {uid_of(second)}, 30)


def _foreign(namespace: str, name: str, labels: dict[str, str]) -> Obj:
    return {
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "data": {"theirs": "stays"},
    }


def _of_consumer(api: Api, namespace: str) -> list[Obj]:
    return [obj for obj in owned(api, namespace) if "consumer" in obj["metadata"]["name"]]


def _owners(api: Api, namespace: str) -> set[str]:
    return {owner["uid"] for obj in owned(api, namespace) for owner in obj["metadata"]["ownerReferences"]}


def _reason(condition: Obj, reason: str) -> Obj | None:
    return condition if condition.get("reason") == reason else None
