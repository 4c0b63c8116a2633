"""Ready follows what is wanted, and nothing else; what holds a rollout back is told with its remedy."""

import pytest

from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj
from tests.integration.operator.world import Api, Kubelet, Operator, RestartableApiServer, eventually, owned

THEIRS = "example.org/theirs"
EDITS: dict[str, Obj] = {
    "annotation": {"metadata": {"annotations": {THEIRS: "x"}}},
    "label": {"metadata": {"labels": {THEIRS: "x"}}},
    "finalizer": {"metadata": {"finalizers": [THEIRS]}},
}
MISSED = ("ServiceAccount", "demo-kafka")
LOOKS = "somamemory_operator_reconcile_seconds_count"


@pytest.fixture
def memory(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> str:
    """The namespace of a Ready SomaMemory."""
    api.make_memory(namespace, spec={"api": {"autoscaling": {"minReplicas": 1, "maxReplicas": 5}}})
    api.wait_ready(namespace)
    return namespace


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_what_nobody_wants_never_turns_ready(
    api: Api, api_server: RestartableApiServer, operator: Operator, memory: str, edit: str
) -> None:
    """Also not until a controller has looked at it: annotations move the generation of a Deployment."""
    with api_server.frozen_controllers():
        children = [child for child in owned(api, memory) if (child["kind"], child["metadata"]["name"]) != MISSED]
        for child in children:
            api.merge(child["kind"], child["metadata"]["name"], memory, EDITS[edit])
        _look_again(api, operator, memory)

        assert api.condition(memory)["status"] == "True", api.condition(memory)["message"]

    if edit == "finalizer":
        for child in children:
            api.merge(child["kind"], child["metadata"]["name"], memory, {"metadata": {"finalizers": None}})


def test_a_service_that_a_cloud_controller_writes_to_stays_as_it_is(api: Api, operator: Operator, memory: str) -> None:
    """Its annotations, finalizer and status are its own, and no drift."""
    api.merge(names.KIND, "demo", memory, {"spec": {"api": {"service": {"type": "LoadBalancer"}}}})
    api.wait_ready(memory)
    written = {"metadata": {"annotations": {THEIRS: "x"}, "finalizers": [f"{THEIRS}-balancer"]}}
    api.merge("Service", "demo-api", memory, written)
    status = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    before = api.merge("Service", "demo-api", memory, status, "status")["metadata"]["resourceVersion"]

    _look_again(api, operator, memory)

    live = api.get("Service", "demo-api", memory)
    assert live is not None
    assert live["metadata"]["resourceVersion"] == before
    assert api.condition(memory)["status"] == "True"
    api.merge("Service", "demo-api", memory, {"metadata": {"finalizers": None}})


def test_pods_that_an_autoscaler_asks_for_do_not_turn_ready(
    api: Api, api_server: RestartableApiServer, operator: Operator, memory: str
) -> None:
    with api_server.frozen_controllers():
        api.merge("Deployment", "demo-api", memory, {"spec": {"replicas": 3}}, "scale")
        _look_again(api, operator, memory)

        assert api.condition(memory)["status"] == "True", api.condition(memory)["message"]


def test_a_paused_deployment_is_told_and_left_to_whoever_paused_it(api: Api, operator: Operator, memory: str) -> None:
    """`kubectl rollout pause` is a person's word; the operator does not set that field, and says what ends it."""
    api.merge("Deployment", "demo-api", memory, {"spec": {"paused": True}})
    _look_again(api, operator, memory)
    assert api.condition(memory)["status"] == "True", "there is nothing to roll out"

    api.merge(names.KIND, "demo", memory, {"spec": {"api": {"podLabels": {THEIRS: "x"}}}})

    eventually("it is told", lambda: api.condition(memory).get("reason") == "RolloutPaused")
    stalled = api.condition(memory, kind="Stalled")
    assert stalled["status"] == "True"
    assert f"`kubectl rollout resume -n {memory} deployment/demo-api`" in stalled["message"]
    assert (api.get("Deployment", "demo-api", memory) or {})["spec"]["paused"] is True
    api.merge("Deployment", "demo-api", memory, {"spec": {"paused": None}})
    api.wait_ready(memory)


def test_a_partition_of_a_store_is_told(api: Api, operator: Operator, memory: str) -> None:
    partition = {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 1}}}}
    api.merge("StatefulSet", "demo-redis", memory, partition)

    api.merge(names.KIND, "demo", memory, {"spec": {"redis": {"podLabels": {THEIRS: "x"}}}})

    eventually("it is told", lambda: api.condition(memory).get("reason") == "RolloutPaused")
    assert "rollingUpdate.partition" in api.condition(memory)["message"]
    partition["spec"]["updateStrategy"]["rollingUpdate"]["partition"] = 0
    api.merge("StatefulSet", "demo-redis", memory, partition)
    api.wait_ready(memory)


def test_a_pod_lost_while_its_template_changes_comes_back(
    api: Api, api_server: RestartableApiServer, operator: Operator, memory: str
) -> None:
    """Where no partition is said, its controller makes it of the old template and takes it away again, for ever."""
    changed = {"spec": {"redis": {"podLabels": {THEIRS: "x"}}}}
    with api_server.frozen_controllers():
        api.merge(names.KIND, "demo", memory, changed)
        eventually("the template has changed", lambda: THEIRS in _pod_labels(api, "demo-redis", memory))
        api.delete("Pod", "demo-redis-0", memory)
        eventually("the pod is gone", lambda: api.get("Pod", "demo-redis-0", memory) is None)

    api.wait_ready(memory)
    pod = api.get("Pod", "demo-redis-0", memory)
    assert pod is not None
    assert THEIRS in pod["metadata"]["labels"]


def test_going_to_sleep_says_what_happens(
    api: Api, api_server: RestartableApiServer, operator: Operator, memory: str
) -> None:
    """Never `0 of 0 pods`."""
    with api_server.frozen_controllers():
        api.merge(names.KIND, "demo", memory, {"spec": {"hibernated": True, "allowDataLoss": True}})
        eventually(
            "it is applied", lambda: (api.get("StatefulSet", "demo-redis", memory) or {})["spec"]["replicas"] == 0
        )
        eventually("it is told", lambda: "taken up" in api.condition(memory, kind="RedisReady").get("message", ""))
    said = set[str]()

    def asleep() -> bool:
        said.add(api.condition(memory, kind="RedisReady").get("message", ""))
        return api.condition(memory).get("reason") == "Hibernated"

    eventually("it sleeps", asleep, 40)
    assert not [each for each in said if "0 of 0" in each]


def _look_again(api: Api, operator: Operator, namespace: str) -> None:
    """Wait for looks at this SomaMemory that began after now: something that is missing is back, and they went on."""
    api.delete(*MISSED, namespace)
    eventually("it has looked", lambda: api.get(*MISSED, namespace) is not None)
    before = operator.count(LOOKS)
    eventually("it has looked again", lambda: operator.count(LOOKS) >= before + 3, 30)


def _pod_labels(api: Api, name: str, namespace: str) -> Obj:
    live = api.get("StatefulSet", name, namespace)
    assert live is not None
    labels: Obj = live["spec"]["template"]["metadata"]["labels"]
    return labels
