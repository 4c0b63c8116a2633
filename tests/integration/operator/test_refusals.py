"""What the API server refuses costs that object or that kind; everything else goes on, and the status says it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj
from tests.integration.operator.refusing import Account, forbidding_policy, unreachable_webhook
from tests.integration.operator.world import Api, Kubelet, Operator, RestartableApiServer, eventually

EVERY_KIND = {"networkPolicy": {"enabled": True}, "podDisruptionBudget": {"enabled": True}}


@pytest.fixture
def account(api: Api, api_server: RestartableApiServer, tmp_path: Path, namespace: str) -> Account:
    return Account(api, api_server, tmp_path, f"operator-{namespace}")


@pytest.fixture
def restricted(
    account: Account, api_server: RestartableApiServer, tmp_path: Path, kubelet: Kubelet, namespace: str
) -> Iterator[Operator]:
    """An operator with an account of its own, for one namespace."""
    settings = {"SOMAMEMORY_WATCH_NAMESPACES": namespace, "SOMAMEMORY_LEADER_ELECTION": "false"}
    with Operator(api_server, tmp_path, KUBECONFIG=str(account.kubeconfig), **settings) as operator:
        yield operator


def test_a_webhook_that_is_away_costs_a_new_resource_one_kind(api: Api, restricted: Operator, namespace: str) -> None:
    with unreachable_webhook(api, namespace, "NetworkPolicy"):
        api.make_memory(namespace, spec=EVERY_KIND)
        for part in ("PostgresReady", "ApiReady", "ConsumerReady"):
            eventually(f"{part}, although network policies fail", lambda p=part: _is(api, namespace, p, "True"), 40)  # type: ignore[misc]
        ready = eventually("it is told", lambda: _told(api, namespace, "Ready", "ServerError"))

    assert ready["status"] == "False"
    assert "NetworkPolicy demo-" in ready["message"]
    assert "failed calling webhook" in ready["message"]
    api.wait_ready(namespace)


def test_a_webhook_that_is_away_keeps_no_status_old(api: Api, restricted: Operator, namespace: str) -> None:
    api.make_memory(namespace, spec=EVERY_KIND)
    api.wait_ready(namespace)

    with unreachable_webhook(api, namespace, "Service"):
        api.merge(names.KIND, "demo", namespace, {"spec": {"api": {"replicas": 2, "service": {"port": 9999}}}})
        eventually("the status is of this generation", lambda: _told(api, namespace, "Ready", "ServerError"))
        eventually("the API has two pods", lambda: _replicas(api, namespace) == 2)

    api.wait_ready(namespace)


def test_a_kind_that_may_not_be_listed_costs_that_kind_and_names_the_verb(
    api: Api, account: Account, restricted: Operator, namespace: str
) -> None:
    api.make_memory(namespace, spec=EVERY_KIND)
    api.wait_ready(namespace)

    account.lacks({"NetworkPolicy": ("list", "watch")})
    api.merge(names.KIND, "demo", namespace, {"spec": {"podDisruptionBudget": None, "networkPolicy": None}})
    observed = eventually("it is told", lambda: _told(api, namespace, "Observed", "Forbidden"))
    api.delete("Service", "demo-redis", namespace)

    assert "list NetworkPolicy" in observed["message"]
    assert 'cannot list resource "networkpolicies"' in observed["message"]
    eventually("other kinds are repaired", lambda: api.get("Service", "demo-redis", namespace), 5)
    assert api.list("PodDisruptionBudget", namespace), "nothing is pruned by one who does not see all"
    assert restricted.answers("/healthz") == restricted.answers("/readyz") == 200

    account.lacks({})
    eventually("the right is noticed", lambda: not api.condition(namespace, kind="Observed"), 90)
    eventually("what is superfluous goes", lambda: not api.list("NetworkPolicy", namespace), 10)
    api.wait_ready(namespace)


def test_secrets_that_cannot_be_seen_are_not_lost(
    api: Api, account: Account, restricted: Operator, namespace: str
) -> None:
    """Neither is a password made anew, nor a pod restarted; the status is of the new generation all the same."""
    api.make_memory(namespace, spec={"postgres": {"persistence": {"enabled": True, "size": "1Gi"}}})
    api.wait_ready(namespace)
    before = {kind: _specs(api, kind, namespace) for kind in ("Secret", "StatefulSet", "Deployment")}

    account.lacks({"Secret": ("list",)})
    api.merge(names.KIND, "demo", namespace, {"spec": {"networkPolicy": {"enabled": True}}})
    secrets = eventually("it is told", lambda: _told(api, namespace, "SecretsReady", "Forbidden"))
    eventually("a kind that needs no password is made", lambda: api.list("NetworkPolicy", namespace))

    assert secrets["status"] == "Unknown"
    assert api.condition(namespace, kind="Stalled")["status"] == "True"
    assert {kind: _specs(api, kind, namespace) for kind in before} == before

    account.lacks({})
    api.wait_ready(namespace, seconds=90)
    assert _specs(api, "Secret", namespace) == before["Secret"]


def test_every_verb_that_is_missing_costs_only_its_kind(
    api: Api, account: Account, restricted: Operator, namespace: str
) -> None:
    """Deleting, applying and reading back: each with another kind."""
    api.make_memory(namespace, spec=EVERY_KIND)
    api.wait_ready(namespace)

    account.lacks({"PodDisruptionBudget": ("delete",), "Deployment": ("patch",), "Event": ("create",)})
    change = {"podDisruptionBudget": None, "networkPolicy": None, "api": {"replicas": 3}}
    api.merge(names.KIND, "demo", namespace, {"spec": change | {"redis": {"config": {"maxmemory": "1gb"}}}})

    told = eventually("it is told", lambda: _told(api, namespace, "ApiReady", "Forbidden"))
    eventually("another kind is pruned", lambda: not api.list("NetworkPolicy", namespace))
    assert 'cannot patch resource "deployments"' in told["message"]
    assert api.list("PodDisruptionBudget", namespace)
    eventually("Redis has its configuration", lambda: _is(api, namespace, "RedisReady", "True"))

    account.lacks({})
    api.wait_ready(namespace, seconds=90)
    eventually("what is superfluous goes", lambda: not api.list("PodDisruptionBudget", namespace), 10)


def test_a_status_that_cannot_be_written_keeps_nothing_from_being_done(
    api: Api, account: Account, restricted: Operator, namespace: str
) -> None:
    account.lacks({f"{names.KIND}/status": ("patch",)})
    api.make_memory(namespace)

    eventually("the API is there", lambda: api.get("Deployment", "demo-api", namespace), 40)
    assert restricted.count("somamemory_operator_status_failed_total", code="403") > 0

    account.lacks({})
    api.wait_ready(namespace, seconds=90)


def test_a_store_does_not_start_without_its_configuration(api: Api, restricted: Operator, namespace: str) -> None:
    """And a refusal that only a person can end is Stalled, in the words of the server."""
    with forbidding_policy(api, namespace, "ConfigMap", said="no files in this house"):
        api.make_memory(namespace)
        stalled = eventually("it is told", lambda: _told(api, namespace, "Stalled", "ApplyRefused"))
        kafka = eventually("Kafka says what it waits for", lambda: _told(api, namespace, "KafkaReady", "Waiting"))
        eventually("another store runs", lambda: _is(api, namespace, "PostgresReady", "True"))
        assert api.get("StatefulSet", "demo-kafka", namespace) is None

    assert stalled["status"] == "True"
    assert "no files in this house" in stalled["message"]
    assert "ConfigMap demo-kafka-config" in kafka["message"]
    api.wait_ready(namespace, seconds=90)


def test_an_object_of_somebody_else_is_for_a_person(api: Api, restricted: Operator, namespace: str) -> None:
    spec = {"ports": [{"port": 80}], "selector": {"mine": "yes"}}
    api.create({"kind": "Service", "metadata": {"name": "demo-redis", "namespace": namespace}, "spec": spec})

    api.make_memory(namespace)

    stalled = eventually("it is told", lambda: _told(api, namespace, "Stalled", "Conflict"))
    assert stalled["status"] == "True"
    assert "Service demo-redis" in stalled["message"]
    eventually("another store runs", lambda: _is(api, namespace, "PostgresReady", "True"))
    assert api.get("StatefulSet", "demo-redis", namespace) is None
    live = api.get("Service", "demo-redis", namespace)
    assert live is not None
    assert live["spec"]["selector"] == {"mine": "yes"}


ADDONS: dict[str, tuple[str, Obj]] = {
    "PrometheusRule": ("MonitoringReady", {"monitoring": {"prometheusRule": {}, "serviceMonitor": {}}}),
    "CronJob": ("BackupReady", {"backup": {"volume": {"size": "1Gi"}}}),
}


@pytest.fixture
def monitored(api: Api) -> Iterator[None]:
    """The Prometheus operator's kinds are there."""
    kinds = ("ServiceMonitor", "PrometheusRule")
    for kind in kinds:
        api.bring_kind(kind)
    yield
    for kind in kinds:
        api.take_kind_away(kind)


@pytest.mark.parametrize("kind", ADDONS)
def test_a_refused_addon_keeps_nothing_from_ready_and_says_why(
    api: Api, monitored: None, restricted: Operator, namespace: str, kind: str
) -> None:
    condition, spec = ADDONS[kind]
    with forbidding_policy(api, namespace, kind, said="no alarms at night"):
        api.make_memory(namespace, spec=spec)
        api.wait_ready(namespace)
        told = eventually("it is told", lambda: _told(api, namespace, condition, "ApplyRefused"))
        assert api.condition(namespace)["status"] == "True"
        assert api.condition(namespace, kind="Stalled")["status"] == "False"

    assert told["status"] == "False"
    assert f"{kind} demo-" in told["message"]
    assert "no alarms at night" in told["message"]
    eventually("it is made once it may", lambda: _is(api, namespace, condition, "True"), 90)


def test_a_refused_ingress_is_not_ready(api: Api, restricted: Operator, namespace: str) -> None:
    """The API is not reached as the spec says."""
    with forbidding_policy(api, namespace, "Ingress", said="no doors to the street"):
        api.make_memory(namespace, spec={"api": {"ingress": {"host": "memory.example.org"}}})
        stalled = eventually("it is told", lambda: _told(api, namespace, "Stalled", "ApplyRefused"))

    assert "no doors to the street" in stalled["message"]
    api.wait_ready(namespace, seconds=90)


def _told(api: Api, namespace: str, kind: str, reason: str) -> Obj | None:
    found = api.condition(namespace, kind=kind)
    return found if found.get("reason") == reason else None


def _is(api: Api, namespace: str, kind: str, status: str) -> bool:
    return bool(api.condition(namespace, kind=kind).get("status") == status)


def _replicas(api: Api, namespace: str) -> int:
    return int((api.get("Deployment", "demo-api", namespace) or {"spec": {"replicas": 0}})["spec"]["replicas"])


def _specs(api: Api, kind: str, namespace: str) -> dict[str, Obj]:
    return {obj["metadata"]["name"]: obj.get("spec") or obj.get("data") or {} for obj in api.list(kind, namespace)}
