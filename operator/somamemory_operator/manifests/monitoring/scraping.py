"""What Prometheus is told: what to scrape, and what to warn of. Objects of kinds that not every cluster serves."""

from somamemory_operator.decide.tls.pairs import TRUST
from somamemory_operator.manifests.clients import consumer
from somamemory_operator.manifests.monitoring import alerts
from somamemory_operator.manifests.parts.context import Context, compact
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj
from somamemory_operator.resource.monitoring import ServiceMonitor
from somamemory_operator.resource.relabeling import Relabelings

_API_VERSION = "monitoring.coreos.com/v1"
_KEEP_ROUTES = {"action": "labeldrop", "regex": "endpoint"}
"""The Prometheus operator calls the name of the port `endpoint`, which would hide the API's label of that name."""
_PORTS = {Component.API: "http", Component.CONSUMER: consumer.PORT}


def build(context: Context) -> list[Obj]:
    """ServiceMonitors of API and consumer, and the PrometheusRule."""
    return [*_monitors(context), *_rule(context)]


def _monitors(context: Context) -> list[Obj]:
    chosen = context.spec.monitoring.service_monitor
    if chosen is None or not chosen.enabled:
        return []
    parts = [Component.API, *([Component.CONSUMER] if context.spec.consumer.enabled else [])]
    return [_monitor(context, part, chosen) for part in parts]


def _monitor(context: Context, component: Component, chosen: ServiceMonitor) -> Obj:
    endpoint = {
        "port": _PORTS[component],
        **_tls(context, component),
        "path": "/metrics",
        "interval": chosen.interval,
        "scrapeTimeout": chosen.scrape_timeout,
        "relabelings": [_KEEP_ROUTES, *_plain(chosen.relabelings)],
        "metricRelabelings": _plain(chosen.metric_relabelings),
    }
    # What our own builders put on the Service, so that the two cannot disagree.
    spec = {"selector": {"matchLabels": names.pod_labels(context.name, component)}, "endpoints": [compact(endpoint)]}
    name = names.child(context.name, component)
    obj = context.obj(_API_VERSION, "ServiceMonitor", name, component, spec=spec)
    return _marked(obj, context.spec.monitoring.labels | chosen.labels, chosen.annotations)


def _tls(context: Context, component: Component) -> Obj:
    """The consumer has no certificate: nothing of memories is at its port."""
    if component is not Component.API or not context.certificates.is_on:
        return {}
    authority = {"configMap": {"name": names.trust(context.name), "key": TRUST}}
    server = names.host(context.name, component, context.memory.namespace)
    return {"scheme": "https", "tlsConfig": {"ca": authority, "serverName": server}}


def _rule(context: Context) -> list[Obj]:
    """None while hibernated: nothing runs that could be slow or stand still."""
    chosen = context.spec.monitoring.prometheus_rule
    if chosen is None or not chosen.enabled or context.spec.hibernated:
        return []
    found = alerts.rules(context, chosen)
    if not found:
        return []
    groups = [{"name": f"{context.memory.namespace}.{context.name}", "rules": found}]
    component = Component.MONITORING
    name = names.child(context.name, component)
    obj = context.obj(_API_VERSION, "PrometheusRule", name, component, spec={"groups": groups})
    return [_marked(obj, context.spec.monitoring.labels | chosen.labels, chosen.annotations)]


def _marked(obj: Obj, labels: dict[str, str], annotations: dict[str, str]) -> Obj:
    """With the labels by which Prometheus looks for it; those by which we look for it stay."""
    metadata = obj["metadata"]
    return obj | {"metadata": compact(metadata | {"labels": labels | metadata["labels"], "annotations": annotations})}


def _plain(relabelings: Relabelings) -> list[Obj]:
    return [each.model_dump(by_alias=True, exclude_none=True) for each in relabelings]
