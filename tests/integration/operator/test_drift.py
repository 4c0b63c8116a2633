"""What a person deletes or edits by hand is restored within seconds; what others added is left alone."""

import base64
from collections.abc import Callable

import pytest

from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj, uid_of
from tests.integration.operator.world import Api, Kubelet, Operator, eventually, owned

RESTORED_SECONDS = 30.0
"""A deadline, not a figure: how quick it is is measured on the cluster and in benchmarks, not on a busy machine."""
EVERY_KIND = {"networkPolicy": {"enabled": True}, "podDisruptionBudget": {"enabled": True}, "api": {"replicas": 2}}
KINDS = {
    "StatefulSet",
    "Deployment",
    "Service",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "Job",
    "PodDisruptionBudget",
    "NetworkPolicy",
}

Restored = Callable[[Obj, Obj], bool]


@pytest.fixture
def memory(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> str:
    """The namespace of a Ready SomaMemory that has every kind of child."""
    api.make_memory(namespace, spec=EVERY_KIND)
    api.wait_ready(namespace)
    return namespace


def test_every_deleted_child_is_restored(api: Api, memory: str) -> None:
    children = owned(api, memory)
    assert {child["kind"] for child in children} == KINDS

    for child in children:
        api.delete(child["kind"], child["metadata"]["name"], memory)
        _restored(api, child, lambda before, now: uid_of(now) != uid_of(before))
        api.wait_ready(memory)


def test_every_edited_child_is_restored(api: Api, memory: str) -> None:
    for child in owned(api, memory):
        for patch in (_spoilt_label(), _spoilt_field(child)):
            if patch is not None:
                api.merge(child["kind"], child["metadata"]["name"], memory, patch)
                _restored(api, child, _is_as_before)
                api.wait_ready(memory)


@pytest.mark.parametrize("label", [names.MANAGED_BY_LABEL, names.INSTANCE_LABEL, names.OWN_INSTANCE_LABEL])
def test_every_child_gets_back_the_label_by_which_it_is_found(api: Api, memory: str, label: str) -> None:
    """Without it the child is not observed; credentials must not be made anew because of that."""
    children = owned(api, memory)
    values = {name: _data(api, memory, name) for name in (names.credentials("demo"), names.credentials_copy("demo"))}

    for child in children:
        api.merge(child["kind"], child["metadata"]["name"], memory, {"metadata": {"labels": {label: None}}})

    for child in children:
        _restored(api, child, lambda before, now: now["metadata"]["labels"] == before["metadata"]["labels"])
    assert {name: _data(api, memory, name) for name in values} == values


def test_credentials_deleted_by_hand_come_back_with_the_same_values(api: Api, memory: str) -> None:
    both = (names.credentials("demo"), names.credentials_copy("demo"))
    values = {name: _data(api, memory, name) for name in both}

    for name in both:
        api.delete("Secret", name, memory)
        eventually(f"{name} is back", lambda name=name: api.get("Secret", name, memory))  # type: ignore[misc]

    assert {name: _data(api, memory, name) for name in both} == values
    assert base64.b64decode(values[both[0]]["POSTGRES_PASSWORD"]) != b""


def test_a_broken_password_is_repaired_from_the_copy(api: Api, memory: str) -> None:
    name = names.credentials("demo")
    before = _data(api, memory, name)

    api.merge("Secret", name, memory, {"data": {"POSTGRES_PASSWORD": "YnJva2Vu"}})

    eventually("the password is repaired", lambda: _data(api, memory, name) == before, RESTORED_SECONDS)


def test_what_others_add_survives(api: Api, operator: Operator, memory: str) -> None:
    """Reloader's variables, an autoscaler's or a mesh's annotations: fields that we do not mean are not ours."""
    theirs = {"metadata": {"annotations": {"example.com/theirs": "stays"}}}
    api.merge("Deployment", "demo-api", memory, theirs)

    api.merge("Deployment", "demo-api", memory, {"spec": {"revisionHistoryLimit": 9}})
    api.merge("Deployment", "demo-api", memory, {"metadata": {"labels": {names.PART_OF_LABEL: "spoilt"}}})
    eventually("our label is back", lambda: _label(api, memory) == "somamemory", RESTORED_SECONDS)

    deployment = api.get("Deployment", "demo-api", memory)
    assert deployment is not None
    assert deployment["metadata"]["annotations"]["example.com/theirs"] == "stays"


def _label(api: Api, namespace: str) -> str:
    deployment = api.get("Deployment", "demo-api", namespace)
    return str(deployment and deployment["metadata"]["labels"][names.PART_OF_LABEL])


def _data(api: Api, namespace: str, name: str) -> dict[str, str]:
    data: dict[str, str] = (api.get("Secret", name, namespace) or {})["data"]
    return data


def _spoilt_label() -> Obj:
    return {"metadata": {"labels": {names.PART_OF_LABEL: "spoilt"}}}


def _spoilt_field(child: Obj) -> Obj | None:
    """A change of something that matters, None for kinds where nothing of ours can be changed."""
    patches: dict[str, Obj] = {
        "StatefulSet": {"spec": {"replicas": 2}},
        "Deployment": {"spec": {"replicas": 5}},
        "Service": {"spec": {"selector": {names.COMPONENT_LABEL: "spoilt"}}},
        "ServiceAccount": {"automountServiceAccountToken": True},
        "Secret": {"data": dict.fromkeys(list(child.get("data") or {})[-1:], "c3BvaWx0")},
        "ConfigMap": {"data": dict.fromkeys(child.get("data") or {}, "spoilt")},
        "PodDisruptionBudget": {"spec": {"maxUnavailable": 7}},
        "NetworkPolicy": {"spec": {"podSelector": {"matchLabels": {names.COMPONENT_LABEL: "spoilt"}}}},
    }
    return patches.get(child["kind"])


def _restored(api: Api, before: Obj, is_restored: Restored) -> None:
    """Wait until a child is there as it was."""
    kind, metadata = before["kind"], before["metadata"]

    def back() -> bool:
        now = api.get(kind, metadata["name"], metadata["namespace"])
        return now is not None and "deletionTimestamp" not in now["metadata"] and is_restored(before, now)

    eventually(f"{kind} {metadata['name']} is restored", back, RESTORED_SECONDS)


def _is_as_before(before: Obj, now: Obj) -> bool:
    content = [
        {k: v for k, v in obj.items() if k not in ("metadata", "status", "kind", "apiVersion")} for obj in (before, now)
    ]
    return content[0] == content[1] and before["metadata"]["labels"] == now["metadata"]["labels"]
