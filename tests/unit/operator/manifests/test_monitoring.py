"""Monitoring: what is scraped is there, what is alerted on is exported, and without Prometheus nothing breaks."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client.metrics import MetricWrapperBase

from somafractalmemory import telemetry
from somamemory_operator.model.observed import Key, Obj
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.status.status import status
from somamemory_operator.telemetry.metrics import Metrics
from tests.unit.operator.fakes import FakeCluster, memory

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RULE = Key("PrometheusRule", "demo-monitoring")
VOLUMES = {store: {"persistence": {"enabled": True}} for store in ("postgres", "redis", "qdrant", "kafka")}
OF_THE_TARGET = {"namespace", "pod", "persistentvolumeclaim", "exported_endpoint", "exported_namespace"}
KUBELET = {"kubelet_volume_stats_used_bytes", "kubelet_volume_stats_capacity_bytes"}


def watched(**monitoring: Any) -> SomaMemory:
    chosen = {"serviceMonitor": {}, "prometheusRule": {}} | monitoring
    return memory({"networkPolicy": {"enabled": True}, "backup": {}, "monitoring": chosen, **VOLUMES})


def settled(about: SomaMemory) -> FakeCluster:
    cluster = FakeCluster()
    cluster.settle(about)
    return cluster


def alerts(about: SomaMemory) -> dict[str, Obj]:
    [group] = settled(about).objects[RULE]["spec"]["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def exported() -> dict[str, set[str]]:
    """Every series that API, consumer and operator export, with the names of its labels."""
    suffixes = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
    operators = [
        each for value in vars(Metrics()).values() for each in (value.values() if isinstance(value, dict) else [value])
    ]
    metrics = [value for value in (*vars(telemetry).values(), *operators) if isinstance(value, MetricWrapperBase)]
    return {
        f"{metric._name}{suffix}": set(metric._labelnames)
        for metric in metrics
        for suffix in suffixes[str(metric._type)]
    }


def selected(expr: str) -> list[tuple[str, set[str]]]:
    """The series that an expression reads, with the labels that it asks for."""
    found = re.findall(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{([^}]*)\}", expr)
    return [(name, set(re.findall(r"([a-z_]+)(?:=|!=|=~|!~)\"", labels))) for name, labels in found]


def test_every_alert_reads_metrics_that_the_programs_export() -> None:
    """A renamed metric would silence its alert for ever (X-10)."""
    series = exported()

    read = [each for rule in alerts(watched()).values() for each in selected(rule["expr"])]

    assert {name for name, _ in read} - KUBELET <= series.keys()
    assert {name for name, _ in read} >= KUBELET
    for name, labels in read:
        assert labels - OF_THE_TARGET <= series.get(name, set()), name


def test_there_are_the_alerts_of_the_old_chart_and_those_for_volumes_and_dumps() -> None:
    """(X-10)"""
    assert alerts(watched()).keys() == {
        "SomaAPIHighLatency",
        "SomaAPIHighErrorRate",
        "SomaConsumerProcessingFailures",
        "SomaConsumerStalled",
        "SomaVolumeAlmostFull",
        "SomaBackupOverdue",
    }


def test_texts_say_the_numbers_that_were_set() -> None:
    """Not `p0` and `0 ms` (X-10, defect 22)."""
    latency = {"percentile": 0.999, "thresholdSeconds": 0.25, "window": "10m"}

    rule = alerts(watched(prometheusRule={"latency": latency}))["SomaAPIHighLatency"]

    assert "99.9% of its requests should be answered within 250 ms; over 10m" in rule["annotations"]["description"]
    assert rule["expr"].startswith("histogram_quantile(0.999, sum by (le) (rate(api_request_latency_seconds_bucket{")
    assert rule["expr"].endswith("[10m]))) > 0.25")


@pytest.mark.parametrize("alert", ["latency", "errorRate", "failures", "stall", "volume", "backup"])
def test_each_alert_can_be_set_and_turned_off(alert: str) -> None:
    """(X-10)"""
    plain = alerts(watched())
    off = alerts(watched(prometheusRule={alert: {"enabled": False}}))
    other = alerts(watched(prometheusRule={alert: {"for": "77m", "severity": "page"}}))

    assert len(off) == len(plain) - 1
    [changed] = [rule for name, rule in other.items() if rule != plain[name]]
    assert (changed["for"], changed["labels"]["severity"]) == ("77m", "page")


def test_an_idle_consumer_is_not_called_stalled() -> None:
    """Idle: nothing waits and nothing is tried again, so the left side of `unless` is empty (X-10, defect 22)."""
    expr = alerts(watched(prometheusRule={"stall": {"minMessages": 7}}))["SomaConsumerStalled"]["expr"]

    work, done = expr.split(" unless ")
    assert re.search(r"sum\(consumer_lag_messages\{[^}]*\}\) >= 7 or sum\(increase\(consumer_retries_total", work)
    assert [name for name, _ in selected(done)] == ["consumer_process_success_total", "consumer_dead_letters_total"]


def test_probes_and_scrapes_do_not_count_as_requests() -> None:
    """They are many and quick, and a store that is away makes /readyz answer 503 (X-10)."""
    for name in ("SomaAPIHighLatency", "SomaAPIHighErrorRate"):
        expr = alerts(watched())[name]["expr"]
        for label in (",endpoint", ",exported_endpoint"):
            assert expr.count(f'{label}!~"/|/healthz|/readyz|/health|/metrics"') == len(selected(expr))


def test_an_overdue_dump_is_found_whichever_way_the_operator_is_scraped() -> None:
    """Prometheus may put the operator's own namespace over that of the resource."""
    expr = alerts(watched())["SomaBackupOverdue"]["expr"]

    metric = "somamemory_backup_overdue_timestamp_seconds"
    kept = f'{metric}{{namespace="space",exported_namespace="",name="demo"}}'
    renamed = f'{metric}{{exported_namespace="space",name="demo"}}'
    assert expr == f"time() - max({renamed} or {kept}) > 0"


def test_pods_are_those_of_this_resource_only() -> None:
    """(X-10)"""
    [pattern] = set(re.findall(r'pod=~"([^"]*)"', alerts(watched())["SomaAPIHighErrorRate"]["expr"]))

    assert re.fullmatch(pattern, "demo-api-5c9f8d7b6d-x7k2p")
    assert not re.fullmatch(pattern, "demo-api-api-5c9f8d7b6d-x7k2p")
    assert not re.fullmatch(pattern, "demo-consumer-5c9f8d7b6d-x7k2p")


def test_only_what_is_there_is_alerted_on() -> None:
    """Without volumes and consumer nothing can be said of them; a hibernating memory says nothing (X-10)."""
    about = memory({"consumer": {"enabled": False}, "monitoring": {"prometheusRule": {}, "serviceMonitor": {}}})

    assert alerts(about).keys() == {"SomaAPIHighLatency", "SomaAPIHighErrorRate"}
    assert Key("ServiceMonitor", "demo-consumer") not in settled(about).objects
    assert RULE not in settled(memory({"hibernated": True, "monitoring": {"prometheusRule": {}}})).objects


@pytest.mark.parametrize("component", ["api", "consumer"])
def test_a_service_monitor_finds_its_service_and_prometheus_is_let_in(component: str) -> None:
    """Its labels select one Service, which has the port, to a pod whose policy opens it (X-10, defects 13 and 14)."""
    cluster = settled(watched())
    monitor = cluster.objects[Key("ServiceMonitor", f"demo-{component}")]["spec"]
    wanted = monitor["selector"]["matchLabels"].items()
    services = [obj for key, obj in cluster.objects.items() if key.kind == "Service"]

    [service] = [obj for obj in services if obj["metadata"]["labels"].items() >= wanted]

    [endpoint] = monitor["endpoints"]
    [port] = [port for port in service["spec"]["ports"] if port["name"] == endpoint["port"]]
    pod = cluster.objects[Key("Deployment", f"demo-{component}")]["spec"]["template"]
    assert pod["metadata"]["labels"].items() >= service["spec"]["selector"].items()
    numbers = {each["name"]: each["containerPort"] for each in pod["spec"]["containers"][0]["ports"]}
    [rule] = cluster.objects[Key("NetworkPolicy", f"demo-{component}")]["spec"]["ingress"]
    assert "from" not in rule
    assert numbers[port["targetPort"]] in {each["port"] for each in rule["ports"]}


def test_labels_of_ones_own_lead_prometheus_there_and_hide_nothing() -> None:
    """(X-10)"""
    about = watched(labels={"release": "stack", "app.kubernetes.io/instance": "spoilt"})

    for key, obj in settled(about).objects.items():
        if key.kind in ("ServiceMonitor", "PrometheusRule"):
            assert (
                obj["metadata"]["labels"].items() >= {"release": "stack", "app.kubernetes.io/instance": "demo"}.items()
            )


def test_routes_keep_their_label() -> None:
    """The Prometheus operator's own label `endpoint` would rename that of the API's metrics (X-10)."""
    about = watched(serviceMonitor={"relabelings": [{"targetLabel": "team", "replacement": "ours"}]})

    [endpoint] = settled(about).objects[Key("ServiceMonitor", "demo-api")]["spec"]["endpoints"]

    assert endpoint["relabelings"] == [
        {"action": "labeldrop", "regex": "endpoint"},
        {"targetLabel": "team", "replacement": "ours"},
    ]


def condition(cluster: FakeCluster, about: SomaMemory, kind: str) -> Obj | None:
    desired, plan = cluster.look(about)
    found = status(about, desired=desired, plan=plan, world=cluster.world, problem=None, now=NOW)
    return next((dict(each) for each in found["conditions"] if each["type"] == kind), None)


def test_kinds_that_the_cluster_lacks_are_left_out_and_told() -> None:
    """Everything else is made and Ready (X-10)."""
    cluster, about = FakeCluster(), watched()
    cluster.unserved = frozenset({"ServiceMonitor", "PrometheusRule"})
    cluster.settle(about)

    found = condition(cluster, about, "MonitoringReady")

    assert found is not None
    assert (found["status"], found["reason"]) == ("False", "KindMissing")
    assert "ServiceMonitor and PrometheusRule" in found["message"]
    assert (condition(cluster, about, "Ready") or {})["status"] == "True"


def test_monitoring_that_nobody_asked_for_has_no_condition() -> None:
    """(X-10)"""
    cluster = settled(memory())

    assert condition(cluster, memory(), "MonitoringReady") is None


def test_monitoring_is_ready_once_it_is_there() -> None:
    """(X-10)"""
    about = watched()

    before, after = FakeCluster(), settled(about)

    assert (condition(before, about, "MonitoringReady") or {})["reason"] == "Waiting"
    assert (condition(after, about, "MonitoringReady") or {})["status"] == "True"


def test_braces_are_closed_in_every_text() -> None:
    """Prometheus refuses a whole rule file for one bad template (X-10)."""
    text = json.dumps(list(alerts(watched()).values()))

    for pair in ("()", "{}", "[]"):
        assert text.count(pair[0]) == text.count(pair[1])
    assert "{{{" not in text
