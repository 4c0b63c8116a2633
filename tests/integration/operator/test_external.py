"""Stores that somebody else runs, on a real API server: tried first, then used, and told about."""

import json
import time
from itertools import chain, combinations

import pytest

from somamemory_operator.decide.sources import decoded
from somamemory_operator.model import names
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import Obj, component_of
from tests.integration.operator.test_secrets import put, told
from tests.integration.operator.world import Api, Kubelet, Operator, eventually

EXTERNAL: dict[str, Obj] = {
    "postgres": {"host": "db.example.com", "secretRef": {"name": "db"}, "tls": {"caSecret": {"name": "ca"}}},
    "redis": {"host": "cache.example.com", "secretRef": {"name": "cache"}},
    "qdrant": {"host": "index.example.com", "secretRef": {"name": "index"}},
    "kafka": {"bootstrapServers": "a.example.com:9093"},
}
ALL = list(chain.from_iterable(combinations(EXTERNAL, count) for count in range(5)))


def spec_of(*stores: str) -> Obj:
    return {store: {"external": EXTERNAL[store]} for store in stores}


def bring(api: Api, namespace: str) -> None:
    for name in ("db", "cache", "index"):
        put(api, namespace, {"password": f"password-of-{name}"}, name)
    put(api, namespace, {"ca.crt": "an-authority"}, "ca")


def component(api: Api, namespace: str, name: str) -> Obj:
    status: Obj = (api.get(names.KIND, "demo", namespace) or {}).get("status") or {}
    return next((each for each in status.get("components", ()) if each["name"] == name), {})


@pytest.mark.parametrize("stores", ALL, ids=lambda stores: "+".join(stores) or "none")
def test_each_combination_becomes_ready(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str, stores: tuple[str, ...]
) -> None:
    bring(api, namespace)
    api.make_memory(namespace, spec=spec_of(*stores))
    api.wait_ready(namespace)

    deployed = {obj["metadata"]["name"] for obj in api.list("StatefulSet", namespace)}
    assert deployed == {f"demo-{store.value}" for store in STORES if store.value not in stores}
    modes = {store.value: component(api, namespace, store.value)["mode"] for store in STORES}
    assert modes == {store.value: "external" if store.value in stores else "managed" for store in STORES}


def fail(api: Api, namespace: str, reason: str) -> None:
    """Do what a pod does whose preflight has found something: it ends with a line of JSON."""

    def waiting() -> Obj | None:
        pods = [pod for pod in api.list("Pod", namespace) if component_of(pod) == Component.PREFLIGHT]
        return next((pod for pod in pods if pod["status"].get("phase") == "Pending"), None)

    pod = eventually("a preflight waits", waiting)
    message = json.dumps({"postgres": {"store": "postgres", "reason": reason, "message": f"{reason}: correct it."}})
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    ended = {"exitCode": 1, "reason": "Error", "startedAt": now, "finishedAt": now, "message": message}
    container = pod["spec"]["containers"][0]
    status = {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"terminated": ended},
    }
    body = {"status": {"phase": "Failed", "containerStatuses": [status]}}
    api.merge("Pod", pod["metadata"]["name"], namespace, body, "status")


def reason_of(api: Api, namespace: str, kind: str = "PostgresReady") -> str | None:
    reason: str | None = api.condition(namespace, kind=kind).get("reason")
    return reason


def test_what_a_preflight_finds_is_told_and_tried_again(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    bring(api, namespace)
    kubelet.hold.add(Component.PREFLIGHT)
    api.make_memory(namespace, spec=spec_of("postgres"))
    eventually("it is being tried", lambda: reason_of(api, namespace) == "PreflightRunning")
    assert api.list("Deployment", namespace) == []

    fail(api, namespace, "LoginFailed")
    eventually("it is told", lambda: reason_of(api, namespace) == "LoginFailed")
    assert reason_of(api, namespace, "Ready") == "LoginFailed"
    assert api.condition(namespace, kind="Stalled")["status"] == "True"

    kubelet.hold.clear()
    api.wait_ready(namespace)
    assert api.condition(namespace, kind="Durable")["status"] == "True"


def test_what_opens_it_is_copied_and_outlasts_its_secret(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    api.make_memory(namespace, spec=spec_of("postgres"))
    told(api, namespace, "False", "SecretMissing")
    bring(api, namespace)
    api.wait_ready(namespace)

    api.delete("Secret", "db", namespace)
    told(api, namespace, "False", "SecretMissing")

    held = decoded(api.get("Secret", "demo-external", namespace))
    assert held == {"POSTGRES_PASSWORD": "password-of-db", "postgres-ca.crt": "an-authority"}
    assert api.condition(namespace)["status"] == "True"


def test_memories_are_not_left_behind_unasked(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> None:
    bring(api, namespace)
    api.make_memory(namespace)
    api.wait_ready(namespace)

    api.merge(names.KIND, "demo", namespace, {"spec": spec_of("postgres")})
    eventually("it is refused", lambda: reason_of(api, namespace, "Ready") == "DataLeftBehind")
    assert api.get("StatefulSet", "demo-postgres", namespace) is not None

    api.merge(names.KIND, "demo", namespace, {"spec": {"allowDataLoss": True}})
    api.wait_ready(namespace)
    eventually("its own is gone", lambda: api.get("StatefulSet", "demo-postgres", namespace) is None)
