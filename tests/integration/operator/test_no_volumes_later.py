"""Memories on no volume under an operator that starts anew: nothing is restarted, refused or told once more."""

from pathlib import Path

import pytest

from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj, at, uid_of
from tests.integration.operator.world import Api, Kubelet, Operator, RestartableApiServer, eventually

RICH: Obj = {
    "image": {"tag": "16"},
    "resources": {"requests": {"cpu": "0.5", "memory": "1024Mi"}, "limits": {"cpu": "2000m", "memory": "1.5Gi"}},
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "spot", "operator": "Exists"}],
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    ],
    "affinity": {
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "namespaces": []}}
            ]
        }
    },
    "podAnnotations": {"example.org/team": "memory"},
    "config": {"work_mem": "8MB"},
}
"""What the API server writes differently from how we send it."""


@pytest.mark.parametrize("mark", [True, False], ids=["of this release", "of the release before the mark"])
def test_a_new_operator_process_neither_refuses_nor_restarts(
    api_server: RestartableApiServer, api: Api, kubelet: Kubelet, namespace: str, tmp_path: Path, mark: bool
) -> None:
    """What the API server makes of a template is not mistaken for a change of it."""
    with Operator(api_server, tmp_path, SOMAMEMORY_WATCH_NAMESPACES=namespace) as operator:
        api.make_memory(namespace, spec={"postgres": RICH})
        api.wait_ready(namespace)
        operator.kill()
        before, version = _postgres(api, namespace), _version(api, namespace)
        if not mark:
            api.merge("StatefulSet", "demo-postgres", namespace, {"metadata": {"annotations": None}})

        operator.start()
        eventually("it has looked", lambda: operator.count("somamemory_operator_reconcile_seconds_count") > 0)
        api.merge(names.KIND, "demo", namespace, {"spec": {"api": {"rateLimit": {"max": 7}}}})
        api.wait_ready(namespace)

        assert _postgres(api, namespace) == before
        assert _version(api, namespace) == version


def test_having_no_volumes_is_told_once(
    api_server: RestartableApiServer, api: Api, kubelet: Kubelet, namespace: str, tmp_path: Path
) -> None:
    """A condition always, a Warning when it begins: not again by the next process of the operator."""
    with Operator(api_server, tmp_path, SOMAMEMORY_WATCH_NAMESPACES=namespace) as operator:
        api.make_memory(namespace)
        api.wait_ready(namespace)
        assert at(api.condition(namespace, kind="Durable"), "status") == "False"
        assert len(_warnings(api, namespace)) == 1
        operator.kill()

        operator.start()
        api.merge(names.KIND, "demo", namespace, {"spec": {"api": {"rateLimit": {"max": 7}}}})
        api.wait_ready(namespace)

        assert len(_warnings(api, namespace)) == 1


def _postgres(api: Api, namespace: str) -> str:
    pod = api.get("Pod", "demo-postgres-0", namespace)
    assert pod is not None
    return uid_of(pod)


def _version(api: Api, namespace: str) -> int:
    """Moves only when the spec of the StatefulSet does."""
    return int((api.get("StatefulSet", "demo-postgres", namespace) or {})["metadata"]["generation"])


def _warnings(api: Api, namespace: str) -> list[Obj]:
    return [event for event in api.list("Event", namespace) if event.get("reason") == "NoVolumes"]
