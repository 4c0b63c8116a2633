"""Memories on no volume: no change of the spec takes them away, and the documented way carries them onto one."""

import json
import re
from typing import Any

import pytest

from tests.e2e.cluster import Cluster, Memory, eventually, recalled, store
from tests.e2e.conftest import NODE_PORT, SMALL_VOLUMES

FACT = "nothing that was acknowledged vanishes"


@pytest.fixture(scope="module")
def fleeting(cluster: Cluster, namespace: str) -> Memory:
    """A Ready SomaMemory without volumes, with one memory."""
    memory = Memory(cluster, "fleeting", namespace)
    memory.apply(NODE_PORT)
    cluster.wait_ready(memory)
    with memory.api() as api:
        store(api, "8,2", FACT)
    return memory


def test_having_no_volumes_is_told(cluster: Cluster, fleeting: Memory) -> None:
    assert fleeting.condition("Durable")["reason"] == "NoVolumes"
    wide = cluster.kubectl("get", "sm", fleeting.name, "-n", fleeting.namespace, "-o", "wide").splitlines()
    assert "DURABLE" in wide[0].split()
    told = cluster.list("events.events.k8s.io", fleeting.namespace)
    assert [event["type"] for event in told if event["reason"] == "NoVolumes"] == ["Warning"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "change",
    [
        {"hibernated": True},
        {"profile": "production"},
        {"postgres": {"persistence": {"enabled": True}}},
        {"postgres": {"resources": {"requests": {"cpu": "26m"}}}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_that_would_take_it_away_is_refused_and_it_is_recalled(
    cluster: Cluster, fleeting: Memory, change: dict[str, Any]
) -> None:
    pods = {pod["metadata"]["uid"] for pod in fleeting.children("pods")}

    fleeting.patch(change)

    told = eventually("it is refused", lambda: because(fleeting.condition("Stalled"), "DataWouldBeLost"))
    print(told["message"])
    with fleeting.api() as api:
        assert recalled(api, FACT)
    fleeting.patch(dict.fromkeys(change))
    cluster.wait_ready(fleeting)
    assert {pod["metadata"]["uid"] for pod in fleeting.children("pods")} == pods


@pytest.mark.timeout(900)
def test_the_documented_way_carries_it_onto_a_volume(cluster: Cluster, fleeting: Memory) -> None:
    """docs/operations.md, From development to production: word for word, with volumes of the test's size."""
    fleeting.patch({"backup": {"volume": {"size": "1Gi"}}, "api": {"replicas": 0}})
    eventually("nobody writes", lambda: not pods_of(fleeting, "api"), 120)
    eventually("the consumer has read everything", lambda: lag(fleeting) == 0, 120)
    fleeting.patch({"consumer": {"replicas": 0}})
    eventually("the consumer has stopped", lambda: not pods_of(fleeting, "consumer"), 120)

    dump = last_dump(fleeting)
    restore = {"allowDataLoss": True, "restore": {"from": dump}}
    fleeting.patch({**SMALL_VOLUMES, **restore, "api": {"replicas": None}, "consumer": {"replicas": None}})
    cluster.wait_ready(fleeting)
    fleeting.patch({"allowDataLoss": None, "restore": None})
    cluster.wait_ready(fleeting)

    with fleeting.api() as api:
        assert recalled(api, FACT)
    assert fleeting.condition("Durable")["status"] == "True"


@pytest.mark.timeout(900)
def test_on_a_volume_it_outlives_hibernation(cluster: Cluster, fleeting: Memory) -> None:
    fleeting.patch({"hibernated": True})
    eventually("it sleeps", lambda: because(fleeting.condition("Ready"), "Hibernated", "volumes are kept"), 180)
    eventually("no pods", lambda: not pods_of(fleeting, "postgres"), 120)

    fleeting.patch({"hibernated": None})

    cluster.wait_ready(fleeting)
    with fleeting.api() as api:
        assert recalled(api, FACT)


def because(condition: dict[str, Any], reason: str, words: str = "") -> dict[str, Any] | None:
    """The condition, if this is its reason and its message has these words."""
    is_it = condition.get("reason") == reason and words in condition.get("message", "")
    return condition if is_it else None


def pods_of(memory: Memory, component: str) -> list[dict[str, Any]]:
    """The pods of a component that are there."""
    selector = f"app.kubernetes.io/instance={memory.name},app.kubernetes.io/component={component}"
    return memory.cluster.list("pods", memory.namespace, selector)


def lag(memory: Memory) -> int:
    """How many events the consumer has still to read."""
    consumer = ("-n", memory.namespace, f"deployment/{memory.name}-consumer")
    text = memory.cluster.kubectl("exec", *consumer, "--", "soma", "events", "lag", "--output", "json")
    return int(json.loads(text)["lag"])


def last_dump(memory: Memory) -> str:
    """Make a dump at once, and return its name."""
    where = ("-n", memory.namespace)
    memory.cluster.kubectl("create", "job", *where, f"--from=cronjob/{memory.name}-backup", "last-dump")
    memory.cluster.kubectl("wait", *where, "--for=condition=Complete", "job/last-dump", "--timeout=180s")
    said = memory.cluster.kubectl("logs", *where, "job/last-dump")
    found = re.search(r"to (\S+\.dump)", said)
    assert found is not None, said
    return found[1]
