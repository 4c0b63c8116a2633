"""Whatever key of whatever list of ours somebody edits, it is as before within seconds; what others own stays."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from somamemory_operator.model.observed import Obj
from tests.integration.operator.listedits import Edit, Schemas
from tests.integration.operator.world import Api, Kubelet, Operator, eventually, owned

RESTORED_SECONDS = 30.0
ADDONS = ("HorizontalPodAutoscaler", "Ingress", "CronJob")
SPREAD = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
EVERY_LIST: Obj = {
    "imagePullSecrets": ["mirror"],
    "networkPolicy": {"enabled": True},
    "podDisruptionBudget": {"enabled": True},
    "api": {
        "autoscaling": {"minReplicas": 2},
        "ingress": {"host": "memory.example.org"},
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        "topologySpreadConstraints": [SPREAD],
        "env": [{"name": "A_VARIABLE", "value": "of the user"}],
    },
    "redis": {"topologySpreadConstraints": [SPREAD], "persistence": {"enabled": True, "size": "1Gi"}},
    "backup": {"volume": {"size": "1Gi"}, "tolerations": [{"key": "dedicated", "operator": "Exists"}]},
}
UNCHANGEABLE = {"Service spec.clusterIPs", "Service spec.ipFamilies"}
"""Lists that are the API server's own: it lets nobody edit them, nor the templates of Jobs and volume claims."""


@pytest.fixture
def memory(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> str:
    """The namespace of a Ready SomaMemory with every list that its children can have."""
    api.make_memory(namespace, spec=EVERY_LIST)
    api.wait_ready(namespace)
    return namespace


@pytest.mark.timeout(600)
@pytest.mark.parametrize("manager", ["kubectl-edit", "a-script"])
def test_every_edited_list_is_restored(api: Api, operator: Operator, memory: str, manager: str) -> None:
    """A person is known by the tool; of anybody else's entry it is seen that it was ours under another key."""
    edits = every_edit(api, memory)
    restored, refused = set[str](), list[str]()

    for place, edit in edits.items():
        before = _live(api, edit.obj)
        try:
            api.edit(before, edit.operations, manager)
        except httpx.HTTPStatusError:
            refused.append(place)
        else:
            _restored(api, before, what=place)
            restored.add(place)

    assert {"Service spec.ports[port]", "Deployment spec.template.spec.containers[name]"} <= restored
    editable = [place for place in refused if not place.startswith(("Job spec", "StatefulSet spec.volumeClaimT"))]
    assert set(editable) == UNCHANGEABLE
    assert operator.count("somamemory_operator_repairs_total", action="cleaned") > 10
    api.wait_ready(memory)


def test_an_edit_whose_apply_would_be_refused_as_a_duplicate_is_undone(api: Api, memory: str) -> None:
    """A Service's port under another number keeps its name, and two ports of one name are refused."""
    before = _live(api, {"kind": "Service", "metadata": {"name": "demo-postgres", "namespace": memory}})

    api.edit(before, [{"op": "replace", "path": "/spec/ports/0/port", "value": 15432}], "python-requests")

    _restored(api, before)
    api.wait_ready(memory)


def test_what_controllers_and_appliers_add_to_our_lists_stays(api: Api, operator: Operator, memory: str) -> None:
    """A restart of Reloader's kind is a variable; a mesh adds containers; both are made by managers of their own."""
    deployment = _live(api, {"kind": "Deployment", "metadata": {"name": "demo-consumer", "namespace": memory}})
    variable = {"name": "STAKATER_DEMO_CREDENTIALS_SECRET", "value": "1a2b"}
    path = "/spec/template/spec/containers/0/env/-"
    api.edit(deployment, [{"op": "add", "path": path, "value": variable}], "Reloader")
    metadata = {key: deployment["metadata"][key] for key in ("name", "namespace")}
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    sidecar = {"name": "mesh", "image": "example.org/mesh:1", "securityContext": security}
    spec = {"template": {"spec": {"containers": [sidecar]}}}
    applied = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
    api.apply(applied, "a-mesh")

    first = "/spec/template/spec/containers/0/env/0/name"
    api.edit(deployment, [{"op": "replace", "path": first, "value": "SPOILT"}], "kubectl-edit")
    eventually(
        "our variable is back", lambda: _variables(api, deployment) == _variables_of(deployment) | {variable["name"]}
    )

    names = {container["name"] for container in _pod(_live(api, deployment))["containers"]}
    assert names == {"consumer", "mesh"}
    api.wait_ready(memory)
    before, passes = _live(api, deployment)["metadata"]["generation"], _passes(operator)
    eventually("it has looked again", lambda: _passes(operator) > passes + 1, 30)
    assert _live(api, deployment)["metadata"]["generation"] == before, "it fights"


def test_what_a_person_adds_to_a_list_of_ours_is_taken_out(api: Api, memory: str) -> None:
    """Two mounts beside each other, as an edited path left them until now, or a variable for a try."""
    before = _live(api, {"kind": "StatefulSet", "metadata": {"name": "demo-redis", "namespace": memory}})
    place = "/spec/template/spec/containers/0"
    mount = {"op": "add", "path": f"{place}/volumeMounts/-", "value": {"name": "data", "mountPath": "/elsewhere"}}

    api.edit(before, [mount, {"op": "add", "path": f"{place}/env", "value": [{"name": "A"}]}], "kubectl-patch")

    _restored(api, before, lambda live: len(_pod(live)["containers"][0]["volumeMounts"]) == 4)


def every_edit(api: Api, namespace: str) -> dict[str, Edit]:
    """One edit for each list and key of each kind."""
    schemas, children = Schemas(api), owned(api, namespace)
    edits = {edit.place: edit for child in children for edit in schemas.edits(child)}
    assert {edit.obj["kind"] for edit in edits.values()} >= {"Service", "Deployment", "StatefulSet", *ADDONS}
    return {place: edit for place, edit in edits.items() if "ownerReferences" not in place}


def _live(api: Api, obj: Obj) -> Obj:
    live = api.get(obj["kind"], obj["metadata"]["name"], obj["metadata"]["namespace"])
    assert live is not None
    return live | {"kind": obj["kind"]}


def _restored(api: Api, before: Obj, is_as_before: Callable[[Obj], bool] | None = None, what: str = "it") -> None:
    """Wait until an object says what it said."""
    same = is_as_before or (lambda live: _content(live) == _content(before))
    try:
        eventually(f"{what} is as before", lambda: same(_live(api, before)), RESTORED_SECONDS)
    except AssertionError as error:
        raise AssertionError(f"{error}; before: {_content(before)}; now: {_content(_live(api, before))}") from error


def _passes(operator: Operator) -> float:
    return operator.count("somamemory_operator_reconcile_seconds_count")


def _content(obj: Obj) -> Obj:
    return {key: value for key, value in obj.items() if key not in ("metadata", "status", "apiVersion")}


def _pod(obj: Obj) -> Any:
    return obj["spec"]["template"]["spec"]


def _variables(api: Api, deployment: Obj) -> set[str]:
    return _variables_of(_live(api, deployment))


def _variables_of(deployment: Obj) -> set[str]:
    return {each["name"] for each in _pod(deployment)["containers"][0]["env"]}
