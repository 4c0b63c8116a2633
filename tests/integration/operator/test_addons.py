"""What a SomaMemory may have beside its components: made, restored, pruned, and at peace with other controllers."""

from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj, uid_of
from tests.integration.operator.world import Api, Kubelet, Operator, eventually

RESTORED_SECONDS = 30.0
INGRESS = {"host": "memory.example.org", "className": "nginx", "annotations": {"example.org/a": "b"}}
ADDONS: dict[tuple[str, str], Obj] = {
    ("HorizontalPodAutoscaler", "demo-api"): {"spec": {"maxReplicas": 50}},
    ("HorizontalPodAutoscaler", "demo-consumer"): {"spec": {"maxReplicas": 50}},
    ("Ingress", "demo-api"): {"spec": {"ingressClassName": "spoilt"}},
    ("CronJob", "demo-backup"): {"spec": {"schedule": "@hourly"}},
}
WANTED: Obj = {
    "api": {"autoscaling": {"minReplicas": 2, "maxReplicas": 6}, "ingress": INGRESS},
    "consumer": {"autoscaling": {}},
    "backup": {"keep": 3, "volume": {"size": "1Gi"}},
}
UNWANTED: Obj = {
    "api": {"autoscaling": None, "ingress": {"enabled": False}},
    "consumer": {"autoscaling": {"enabled": False}},
    "backup": None,
}


def test_addons_are_made_restored_and_pruned(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> None:
    """A real API server takes them, and they are repaired like every other child (X-10)."""
    api.make_memory(namespace, spec=WANTED)
    api.wait_ready(namespace)

    for (kind, name), spoilt in ADDONS.items():
        before = api.get(kind, name, namespace)
        assert before is not None, f"{kind} {name}"
        api.merge(kind, name, namespace, spoilt)
        eventually(f"{kind} {name} is restored", lambda b=before: _is_as(api, b), RESTORED_SECONDS)  # type: ignore[misc]
        api.delete(kind, name, namespace)
        eventually(f"{kind} {name} is made anew", lambda b=before: _is_another(api, b), RESTORED_SECONDS)  # type: ignore[misc]

    api.merge(names.KIND, "demo", namespace, {"spec": UNWANTED})
    for kind, name in ADDONS:
        eventually(f"{kind} {name} is gone", lambda k=kind, n=name: api.get(k, n, namespace) is None)  # type: ignore[misc]
    api.wait_ready(namespace)
    claim = api.get("PersistentVolumeClaim", "demo-backup", namespace)
    assert claim is not None, "dumps are never pruned"
    assert "deletionTimestamp" not in claim["metadata"]


def test_the_pods_that_an_autoscaler_asks_for_stay(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    """Turning autoscaling on takes no pod away, and later the operator leaves the number alone (X-10, defect 18)."""
    api.make_memory(namespace, spec={"api": {"replicas": 3}})
    api.wait_ready(namespace)

    api.merge(names.KIND, "demo", namespace, {"spec": {"api": {"autoscaling": {"minReplicas": 1}}}})
    eventually("the autoscaler is there", lambda: api.get("HorizontalPodAutoscaler", "demo-api", namespace))
    api.wait_ready(namespace)
    assert _pods(api, namespace) == 3

    api.merge("Deployment", "demo-api", namespace, {"spec": {"replicas": 4}}, "scale")
    api.merge("Deployment", "demo-api", namespace, {"metadata": {"labels": {names.PART_OF_LABEL: "spoilt"}}})
    eventually("our label is back", lambda: _label(api, namespace) == "somamemory", RESTORED_SECONDS)
    api.wait_ready(namespace)
    assert _pods(api, namespace) == 4

    api.merge(names.KIND, "demo", namespace, {"spec": {"api": {"autoscaling": None}}})
    eventually("replicas counts again", lambda: _pods(api, namespace) == 3)


def test_a_kind_that_nobody_serves_is_reported_and_used_once_it_comes(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    """Without the Prometheus operator memories are served all the same, and a condition says what is missing (X-10)."""
    api.make_memory(namespace, spec={"monitoring": {"labels": {"release": "x"}, "serviceMonitor": {}}})

    api.wait_ready(namespace)
    missing = api.condition(namespace, kind="MonitoringReady")
    assert (missing["status"], missing["reason"]) == ("False", "KindMissing")
    assert "ServiceMonitor" in missing["message"]

    api.bring_kind("ServiceMonitor")
    try:
        eventually("it is told to be there", lambda: _monitoring(api, namespace) == "True")
        monitor = api.get("ServiceMonitor", "demo-api", namespace)
        assert monitor is not None
        assert monitor["metadata"]["labels"]["release"] == "x"
        found = api.list("Service", namespace, _selector(monitor["spec"]["selector"]["matchLabels"]))
        assert [service["metadata"]["name"] for service in found] == ["demo-api"]
    finally:
        api.take_kind_away("ServiceMonitor")
    eventually("it is missed again", lambda: _monitoring(api, namespace) == "False")
    assert operator.answers("/healthz") == operator.answers("/readyz") == 200


def test_nonsense_is_refused_by_the_api_server(api: Api, namespace: str) -> None:
    """(X-10)"""
    refusals = {
        "maxReplicas must not be less than minReplicas": {"api": {"autoscaling": {"minReplicas": 6}}},
        "scrapeTimeout must not be longer than interval": {"monitoring": {"serviceMonitor": {"interval": "4s"}}},
        "existingClaim is a volume of your own": {"backup": {"volume": {"existingClaim": "a", "size": "1Gi"}}},
        "spec.backup.schedule": {"backup": {"schedule": "nightly"}},
        "spec.api.ingress.host": {"api": {"ingress": {"className": "nginx"}}},
    }

    for words, spec in refusals.items():
        assert words in api.refusal({"kind": names.KIND, "metadata": _metadata(namespace), "spec": spec})


def _metadata(namespace: str) -> Obj:
    return {"name": "demo", "namespace": namespace}


def _is_as(api: Api, before: Obj) -> bool:
    now = api.get(before["kind"], before["metadata"]["name"], before["metadata"]["namespace"])
    return now is not None and now["spec"] == before["spec"]


def _is_another(api: Api, before: Obj) -> bool:
    now = api.get(before["kind"], before["metadata"]["name"], before["metadata"]["namespace"])
    return now is not None and uid_of(now) != uid_of(before) and now["spec"] == before["spec"]


def _monitoring(api: Api, namespace: str) -> str | None:
    return api.condition(namespace, kind="MonitoringReady").get("status")


def _selector(labels: Obj) -> str:
    return ",".join(f"{key}={value}" for key, value in labels.items())


def _pods(api: Api, namespace: str) -> int:
    deployment = api.get("Deployment", "demo-api", namespace)
    assert deployment is not None
    return int(deployment["spec"]["replicas"])


def _label(api: Api, namespace: str) -> str:
    deployment = api.get("Deployment", "demo-api", namespace)
    return str(deployment and deployment["metadata"]["labels"][names.PART_OF_LABEL])
