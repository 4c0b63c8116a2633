"""Beside Stakater's Reloader: one restart for each change, whoever does it, and silence afterwards.

Reloader has no module of Go that can be fetched, so it is played: it writes as its release 1.4 was seen to, either an
environment variable STAKATER_NAME_SECRET with a hash into the container, or an annotation into the pod template.
"""

import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj
from tests.integration.operator.test_secrets import sets, told
from tests.integration.operator.world import Api, Kubelet, Operator, eventually

SECRETS, CONFIG_MAPS = "secret.reloader.stakater.com/reload", "configmap.reloader.stakater.com/reload"
MANAGER = "Reloader"
SILENCE_SECONDS = float(os.environ.get("RELOADER_SILENCE_SECONDS", "0"))
"""How much longer nobody may say anything, beyond some looks of the operator."""
LOOKS = "somamemory_operator_reconcile_seconds_count"


class Reloader(threading.Thread):
    """Restarts what asks for it by annotations of its own metadata, when the data of what these name changes."""

    def __init__(self, api: Api, namespace: str, strategy: str) -> None:
        super().__init__(name="reloader", daemon=True)
        self._api, self._namespace, self._strategy = api, namespace, strategy
        self._known: dict[tuple[str, str], str] = {}
        self._stop_asked = threading.Event()

    def run(self) -> None:
        while not self._stop_asked.wait(0.2):
            with suppress(httpx.HTTPError):
                self._look()

    def stop(self) -> None:
        """End the thread."""
        self._stop_asked.set()
        self.join(10)

    def _look(self) -> None:
        for deployment in self._api.list("Deployment", self._namespace):
            annotations = deployment["metadata"].get("annotations") or {}
            for kind, annotation in (("Secret", SECRETS), ("ConfigMap", CONFIG_MAPS)):
                for name in filter(None, annotations.get(annotation, "").split(",")):
                    self._compare(deployment, kind, name)

    def _compare(self, deployment: Obj, kind: str, name: str) -> None:
        found = self._api.get(kind, name, self._namespace)
        if found is None:
            return
        digest = hashlib.sha256(json.dumps(found.get("data"), sort_keys=True).encode()).hexdigest()
        key = (deployment["metadata"]["name"], f"{kind}/{name}")
        if self._known.setdefault(key, digest) != digest:
            self._known[key] = digest
            time.sleep(1.1)  # or pods could be as old as the change, whose time is told in whole seconds
            self._restart(deployment, kind, name, digest)

    def _restart(self, deployment: Obj, kind: str, name: str, digest: str) -> None:
        if self._strategy == "annotations":
            annotations = deployment["spec"]["template"]["metadata"]["annotations"]
            path, value = (
                "/spec/template/metadata/annotations",
                annotations | {"reloader.stakater.com/last-reloaded-from": json.dumps({"name": name, "hash": digest})},
            )
        else:
            variable = f"STAKATER_{name.replace('-', '_').upper()}_{kind.upper()}"
            there = deployment["spec"]["template"]["spec"]["containers"][0].get("env") or []
            path = "/spec/template/spec/containers/0/env"
            value = [e for e in there if e["name"] != variable] + [{"name": variable, "value": digest}]
        self._api.edit(deployment, [{"op": "replace", "path": path, "value": value}], MANAGER)


@pytest.fixture(params=["env-vars", "annotations"])
def reloader(api: Api, namespace: str, request: pytest.FixtureRequest) -> Iterator[Reloader]:
    played = Reloader(api, namespace, request.param)
    played.start()
    yield played
    played.stop()


def spec(rollout: str) -> Obj:
    reference = {"configMapKeyRef": {"name": "words", "key": "level"}}
    variable = {"name": "LOG_LEVEL", "valueFrom": reference}
    return {"secrets": {"rollout": rollout}, "api": {"env": [variable]}, "consumer": {"env": [variable]}}


def restart_by_hand(api: Api, namespace: str) -> None:
    """`kubectl rollout restart` of both, by a person, once their Secret holds the new values."""
    held = api.get("Secret", "demo-program-credentials", namespace)
    assert held is not None
    time.sleep(2)  # or pods could be as old as the change, whose time is told in whole seconds
    path = "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt"
    for deployment in api.list("Deployment", namespace):
        api.edit(deployment, [{"op": "add", "path": path, "value": "now"}], "kubectl-rollout")


def silence(api: Api, namespace: str, operator: Operator) -> None:
    """Nobody changes a Deployment any more, while the operator goes on looking."""
    before, looks = generations(api, namespace), operator.count(LOOKS)
    eventually("it has looked again", lambda: operator.count(LOOKS) > looks + 3, 60)
    time.sleep(SILENCE_SECONDS)
    assert generations(api, namespace) == before


def generations(api: Api, namespace: str) -> dict[str, int]:
    return {d["metadata"]["name"]: d["metadata"]["generation"] for d in api.list("Deployment", namespace)}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("rollout", ["operator", "reloader", "manual"])
def test_a_rotation_restarts_the_programs_once(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str, reloader: Reloader, rollout: str
) -> None:
    """(S-69)"""
    api.create({"kind": "ConfigMap", "metadata": {"name": "words", "namespace": namespace}, "data": {"level": "INFO"}})
    api.make_memory(namespace, spec=spec(rollout))
    api.wait_ready(namespace)
    before = sets(api, namespace)

    api.merge(names.KIND, "demo", namespace, {"spec": {"secrets": {"rotate": "now"}}})
    told(api, namespace, "False", "Rotating")
    if rollout == "manual":
        restart_by_hand(api, namespace)
    told(api, namespace, "True", "Ready", 240)
    api.wait_ready(namespace)

    assert sets(api, namespace) == {name: count + 1 for name, count in before.items()}
    silence(api, namespace, operator)
    assert sets(api, namespace) == {name: count + 1 for name, count in before.items()}


def test_a_config_map_that_env_refers_to_restarts_once_with_reloader(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str, reloader: Reloader
) -> None:
    words = {"kind": "ConfigMap", "metadata": {"name": "words", "namespace": namespace}, "data": {"level": "INFO"}}
    api.create(words)
    api.make_memory(namespace, spec=spec("reloader"))
    api.wait_ready(namespace)
    before = sets(api, namespace)
    eventually("Reloader knows it", lambda: len(reloader._known) >= 4)

    api.merge("ConfigMap", "words", namespace, {"data": {"level": "DEBUG"}})
    eventually("both restart", lambda: sets(api, namespace) == {name: n + 1 for name, n in before.items()})

    silence(api, namespace, operator)
    assert sets(api, namespace) == {name: count + 1 for name, count in before.items()}


@pytest.mark.parametrize("rollout", ["operator", "manual"])
def test_otherwise_nothing_asks_for_reloader(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str, reloader: Reloader, rollout: str
) -> None:
    words = {"kind": "ConfigMap", "metadata": {"name": "words", "namespace": namespace}, "data": {"level": "INFO"}}
    api.create(words)
    api.make_memory(namespace, spec=spec(rollout))
    api.wait_ready(namespace)
    before = sets(api, namespace)

    api.merge("ConfigMap", "words", namespace, {"data": {"level": "DEBUG"}})

    silence(api, namespace, operator)
    assert sets(api, namespace) == before
    marks = [
        key
        for kind in ("Deployment", "StatefulSet")
        for obj in api.list(kind, namespace)
        for key in obj["metadata"].get("annotations") or {}
    ]
    assert not [key for key in marks if "reloader" in key]


def test_stores_keep_reloader_off(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> None:
    api.make_memory(namespace, spec={"secrets": {"rollout": "reloader"}})
    api.wait_ready(namespace)

    for stateful_set in api.list("StatefulSet", namespace):
        assert stateful_set["metadata"]["annotations"]["reloader.stakater.com/auto"] == "false"
