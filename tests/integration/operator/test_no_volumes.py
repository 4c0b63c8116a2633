"""Memories on no volume: no change of a spec takes them away unasked, and the documented way carries them over."""

from typing import Any

import pytest

from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, uid_of
from tests.integration.operator.world import Api, Kubelet, Operator, eventually

POSTGRES = "demo-postgres-0"


@pytest.fixture
def memory(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> str:
    """The namespace of a Ready SomaMemory without volumes."""
    api.make_memory(namespace)
    api.wait_ready(namespace)
    return namespace


CHANGES: dict[str, Obj] = {
    "hibernated": {"hibernated": True},
    "profile": {"profile": "production"},
    "a volume for Postgres": {"postgres": {"persistence": {"enabled": True}}},
    "resources": {"postgres": {"resources": {"limits": {"memory": "1Gi"}}}},
    "settings": {"postgres": {"config": {"work_mem": "8MB"}}},
    "image": {"postgres": {"image": {"tag": "16.4"}}},
    "annotations": {"postgres": {"podAnnotations": {"example.org/team": "memory"}}},
    "security": {"postgres": {"podSecurityContext": {"supplementalGroups": [7]}}},
    "registry": {"imageRegistry": "mirror.example.org"},
    "pull secrets": {"imagePullSecrets": ["mirror"]},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_would_take_memories_away_is_refused(api: Api, memory: str, change: str) -> None:
    """Nothing of it is applied, and the way out is told; taking it back ends the refusal."""
    before = _surroundings(api, memory)
    spec = CHANGES[change] | {"api": {"podAnnotations": {"example.org/with": "it"}}}
    api.merge(names.KIND, "demo", memory, {"spec": spec})

    told = eventually("it is refused", lambda: _refused(api, memory))

    assert "spec.allowDataLoss" in told["message"]
    assert api.condition(memory)["status"] == "False"
    assert _surroundings(api, memory) == before
    api.merge(names.KIND, "demo", memory, {"spec": dict.fromkeys(spec)})
    api.wait_ready(memory)
    assert _surroundings(api, memory) == before


@pytest.mark.parametrize("change", ["hibernated", "profile", "resources"])
def test_what_may_go_goes(api: Api, memory: str, change: str) -> None:
    pod = _postgres(api, memory)

    api.merge(names.KIND, "demo", memory, {"spec": {"allowDataLoss": True, **CHANGES[change]}})

    eventually("the pod is gone", lambda: _postgres(api, memory) != pod)


def test_a_pod_of_postgres_that_never_ran_holds_nothing(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    """A first spec with a mistake can be corrected."""
    kubelet.hold.add("postgres")
    api.make_memory(namespace, spec={"postgres": {"image": {"tag": "none"}}})
    eventually("the pod", lambda: _postgres(api, namespace))

    api.merge(names.KIND, "demo", namespace, {"spec": {"postgres": {"image": {"tag": "16"}}}})

    eventually("the corrected pod", lambda: _image(api, namespace).endswith(":16"))
    kubelet.hold.clear()
    api.wait_ready(namespace)


def test_the_documented_way_to_volumes_carries_the_memories_over(api: Api, kubelet: Kubelet, memory: str) -> None:
    """Clients stop, the last dump is made, one change switches and restores; clients come back after all of it."""
    api.merge(names.KIND, "demo", memory, {"spec": {"backup": {}, "api": {"replicas": 0}, "consumer": {"replicas": 0}}})
    api.wait_ready(memory)
    eventually("nobody writes", lambda: not _clients(api, memory))

    kubelet.hold |= {Component.RESTORE, Component.REINDEX}
    switch: dict[str, Any] = {"profile": "production", "allowDataLoss": True, "restore": {"from": "demo-last.dump"}}
    api.merge(names.KIND, "demo", memory, {"spec": switch | {"api": None, "consumer": None}})
    eventually("the dump is brought back", lambda: _jobs(api, memory, Component.RESTORE) or None, 40)
    assert _clients(api, memory) == []
    claim = api.get("PersistentVolumeClaim", names.claim("demo", Component.POSTGRES), memory) or {}
    [job] = _jobs(api, memory, Component.RESTORE)
    assert job["metadata"]["annotations"][names.DATABASE_ANNOTATION].startswith(f"{uid_of(claim)} ")

    kubelet.hold.clear()
    api.wait_ready(memory)
    assert api.condition(memory, kind="Restored")["status"] == "True"
    assert api.condition(memory, kind="Durable")["status"] == "True"
    api.merge(names.KIND, "demo", memory, {"spec": {"allowDataLoss": None, "restore": None}})
    api.wait_ready(memory)
    assert len(_clients(api, memory)) == 4


def test_with_volumes_nothing_is_refused(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> None:
    api.make_memory(namespace, spec={"postgres": {"persistence": {"enabled": True}}})
    api.wait_ready(namespace)

    api.merge(names.KIND, "demo", namespace, {"spec": {"hibernated": True}})

    words = "Everything is scaled to zero, volumes are kept"
    eventually("it sleeps", lambda: api.condition(namespace).get("message", "").startswith(words))


def _surroundings(api: Api, namespace: str) -> list[tuple[str, str]]:
    """Every pod, with its identity."""
    return sorted((pod["metadata"]["name"], uid_of(pod)) for pod in api.list("Pod", namespace) if _lives(pod))


def _lives(pod: Obj) -> bool:
    return "deletionTimestamp" not in pod["metadata"] and pod["status"].get("phase") != "Succeeded"


def _postgres(api: Api, namespace: str) -> str | None:
    pod = api.get("Pod", POSTGRES, namespace)
    return uid_of(pod) if pod is not None else None


def _image(api: Api, namespace: str) -> str:
    pod = api.get("Pod", POSTGRES, namespace)
    return str(pod["spec"]["containers"][0]["image"]) if pod is not None else ""


def _clients(api: Api, namespace: str) -> list[Obj]:
    selectors = (names.selector_string("demo", part) for part in (Component.API, Component.CONSUMER))
    return [pod for selector in selectors for pod in api.list("Pod", namespace, selector)]


def _jobs(api: Api, namespace: str, component: Component) -> list[Obj]:
    return api.list("Job", namespace, names.selector_string("demo", component))


def _refused(api: Api, namespace: str) -> Obj | None:
    condition = api.condition(namespace, kind="Stalled")
    return condition if condition.get("reason") == "DataWouldBeLost" else None
