"""Passwords and tokens come from where the spec says, and are replaced while everything goes on."""

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from somamemory_operator.decide.sources import BROUGHT, decoded
from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj, encoded
from tests.integration.operator.world import Api, Kubelet, Operator, RestartableApiServer, eventually

WHOLE = {key: f"theirs-{key.lower()}-1" for key in BROUGHT}
EXISTING: Obj = {"secrets": {"source": "existing", "existing": {"name": "mine"}}}
FETCHED: Obj = {
    "secrets": {
        "source": "externalSecret",
        "externalSecret": {"secretStoreRef": {"name": "vault"}, "dataFrom": [{"extract": {"key": "soma"}}]},
    }
}
TARGET = "demo-external-secrets"


def put(api: Api, namespace: str, values: dict[str, str], name: str = "mine", **metadata: Any) -> None:
    """Write a Secret as its owner would: what is not given is gone."""
    data = {key: encoded(value) for key, value in values.items()}
    body = {"kind": "Secret", "metadata": {"name": name, "namespace": namespace, **metadata}, "data": data}
    api.apply(body, "somebody")


def values(api: Api, namespace: str, name: str = "demo-credentials") -> dict[str, str]:
    return decoded(api.get("Secret", name, namespace))


def secrets_ready(api: Api, namespace: str) -> tuple[str | None, str | None]:
    found = api.condition(namespace, kind="SecretsReady")
    return found.get("status"), found.get("reason")


def told(api: Api, namespace: str, status: str, reason: str, seconds: float = 60) -> None:
    eventually(
        f"SecretsReady is {status}, {reason}", lambda: secrets_ready(api, namespace) == (status, reason), seconds
    )


def in_force(api: Api, namespace: str, wanted: dict[str, str]) -> None:
    eventually("the values are in force", lambda: wanted.items() <= values(api, namespace).items(), 120)


def sets(api: Api, namespace: str) -> dict[str, int]:
    return {obj["metadata"]["name"]: len(rollouts(api, namespace, obj)) for obj in api.list("Deployment", namespace)}


def rollouts(api: Api, namespace: str, deployment: Obj) -> list[Obj]:
    """The templates that a Deployment has had, as its ReplicaSets."""
    found = api.call("GET", f"/apis/apps/v1/namespaces/{namespace}/replicasets")["items"]
    return [each for each in found if each["metadata"]["ownerReferences"][0]["uid"] == deployment["metadata"]["uid"]]


@pytest.fixture
def existing(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> str:
    """The namespace of a Ready SomaMemory with the values of a user's Secret."""
    put(api, namespace, WHOLE)
    api.make_memory(namespace, spec=EXISTING)
    api.wait_ready(namespace)
    return namespace


def test_a_new_value_of_an_existing_secret_is_a_rotation(api: Api, existing: str) -> None:
    assert WHOLE.items() <= values(api, existing).items()
    before = sets(api, existing)
    newer = {key: f"{value}-newer" for key, value in WHOLE.items()}

    put(api, existing, newer)
    in_force(api, existing, newer)
    told(api, existing, "True", "Ready")
    api.wait_ready(existing)

    assert sets(api, existing) == {name: count + 1 for name, count in before.items()}
    redis = decoded(api.get("Secret", "demo-redis-config", existing))["redis.conf"]
    assert newer["REDIS_PASSWORD"] in redis
    assert not [job for job in api.list("Job", existing) if "rotation" in job["metadata"]["name"]]


def test_what_a_source_loses_costs_nothing(api: Api, existing: str) -> None:
    before = values(api, existing)

    put(api, existing, {key: value for key, value in WHOLE.items() if key != "REDIS_PASSWORD"})
    told(api, existing, "False", "KeyMissing")
    api.delete("Secret", "mine", existing)
    told(api, existing, "False", "SecretMissing")
    assert api.condition(existing)["status"] == "True"
    assert values(api, existing) == before

    put(api, existing, WHOLE)
    told(api, existing, "True", "Ready")


def test_nothing_starts_before_the_source_says_everything(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    api.make_memory(namespace, spec=EXISTING)
    told(api, namespace, "False", "SecretMissing")

    assert api.list("StatefulSet", namespace) == []
    assert api.condition(namespace)["reason"] == "SecretMissing"
    assert api.condition(namespace, kind="Stalled")["status"] == "False"

    put(api, namespace, WHOLE)
    api.wait_ready(namespace)
    assert WHOLE.items() <= values(api, namespace).items()


@pytest.fixture
def external_secrets(api: Api) -> Iterator[None]:
    """The kind of External Secrets, served for the time of a test."""
    api.bring_kind("ExternalSecret")
    yield
    api.take_kind_away("ExternalSecret")


def fetch(api: Api, namespace: str, fetched: dict[str, str]) -> None:
    """Do what External Secrets does: the Secret of the target, with the labels of its template."""
    made = eventually("the ExternalSecret is there", lambda: api.get("ExternalSecret", TARGET, namespace))
    target = made["spec"]["target"]
    put(api, namespace, fetched, target["name"], labels=target["template"]["metadata"]["labels"])


def test_a_secret_that_external_secrets_makes_is_taken_over_and_followed(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str, external_secrets: None
) -> None:
    api.make_memory(namespace, spec=FETCHED)
    told(api, namespace, "False", "SecretMissing")
    fetch(api, namespace, WHOLE)
    api.wait_ready(namespace)
    newer = {key: f"{value}-newer" for key, value in WHOLE.items()}

    fetch(api, namespace, newer)
    in_force(api, namespace, newer)
    api.delete("ExternalSecret", TARGET, namespace)
    eventually("it is made again", lambda: api.get("ExternalSecret", TARGET, namespace))
    api.delete("Secret", TARGET, namespace)
    told(api, namespace, "False", "SecretMissing")
    assert newer.items() <= values(api, namespace).items()
    assert api.condition(namespace)["status"] == "True"


def test_external_secrets_may_come_later(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> None:
    api.make_memory(namespace, spec=FETCHED)
    told(api, namespace, "False", "KindMissing")

    api.bring_kind("ExternalSecret")
    try:
        fetch(api, namespace, WHOLE)
        api.wait_ready(namespace)
    finally:
        api.take_kind_away("ExternalSecret")

    time.sleep(2)
    assert WHOLE.items() <= values(api, namespace).items()
    assert api.condition(namespace)["status"] == "True"


def test_an_operator_that_is_killed_in_a_rotation_ends_it(
    api_server: RestartableApiServer, api: Api, kubelet: Kubelet, namespace: str, tmp_path: Path
) -> None:
    settings = {"SOMAMEMORY_RESYNC_SECONDS": "2", "SOMAMEMORY_WATCH_NAMESPACES": namespace}
    with Operator(api_server, tmp_path, **settings) as operator:
        api.make_memory(namespace)
        api.wait_ready(namespace)
        before = values(api, namespace)
        # Without volumes Postgres must not be restarted, which is told apart from the others in this test.
        postgres = api.get("Pod", "demo-postgres-0", namespace)
        api.merge(names.KIND, "demo", namespace, {"spec": {"secrets": {"rotate": "now"}}})
        for _ in range(5):
            time.sleep(random.uniform(0.2, 1.5))
            operator.kill()
            held = values(api, namespace, "demo-program-credentials")
            now = values(api, namespace)
            for key in ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "QDRANT_API_KEY"):
                assert now[key] in (held[key], held[f"{key}_PREVIOUS"]), key
            operator.start()
        told(api, namespace, "True", "Ready", 240)
        api.wait_ready(namespace)

    assert all(values(api, namespace)[key] != before[key] for key in BROUGHT)
    assert values(api, namespace) == values(api, namespace, "demo-credentials-copy")
    assert api.get("Pod", "demo-postgres-0", namespace)["metadata"]["uid"] == postgres["metadata"]["uid"]  # type: ignore[index]
