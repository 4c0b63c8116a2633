"""Disruption budgets and network policies."""

from collections.abc import Iterator
from ipaddress import ip_network

from somamemory_operator.decide import external
from somamemory_operator.manifests.parts.context import Context
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj

_CLIENTS = (Component.API, Component.CONSUMER, Component.MIGRATION)
_MORE_CLIENTS = {
    Component.POSTGRES: (Component.BACKUP, Component.RESTORE, Component.REINDEX, Component.ROTATION),
    Component.QDRANT: (Component.REINDEX,),
    Component.KAFKA: (Component.FEATURES,),
}
_MORE_PROGRAMS = {Component.PREFLIGHT, *(client for clients in _MORE_CLIENTS.values() for client in clients)}
"""Everything else of ours that connects to a store."""


def budgets(context: Context) -> list[Obj]:
    """At most one pod of API and of consumer may be drained at a time."""
    if not context.spec.pod_disruption_budget.enabled:
        return []
    enabled = [Component.API, *([Component.CONSUMER] if context.spec.consumer.enabled else [])]
    return [_budget(context, component) for component in enabled]


def network(context: Context) -> list[Obj]:
    """Stores answer only the parts of their own SomaMemory; API and metrics answer everybody."""
    if not context.spec.network_policy.enabled:
        return []
    own = (store for store in names.STORES if not context.is_external(store))
    inside = [_policy(context, store, [{"podSelector": _clients(context, store)}]) for store in own]
    enabled = [Component.API, *([Component.CONSUMER] if context.spec.consumer.enabled else [])]
    outside = [_egress(context)] if context.spec.network_policy.egress else []
    return [*inside, *(_policy(context, component, []) for component in enabled), *outside]


def _budget(context: Context, component: Component) -> Obj:
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": names.selector(context.name, component)}}
    name = names.child(context.name, component)
    return context.obj("policy/v1", "PodDisruptionBudget", name, component, spec=spec)


def _policy(context: Context, component: Component, sources: list[Obj]) -> Obj:
    """Only ingress: what a component may reach outside (a mirror, an embedding service) is the cluster's affair."""
    ports = [{"port": port, "protocol": "TCP"} for port in context.ports(component).values()]
    spec = {
        "podSelector": {"matchLabels": names.selector(context.name, component)},
        "policyTypes": ["Ingress"],
        "ingress": [{"ports": ports} | ({"from": sources} if sources else {})],
    }
    name = names.child(context.name, component)
    return context.obj("networking.k8s.io/v1", "NetworkPolicy", name, component, spec=spec)


def _egress(context: Context) -> Obj:
    """What our programs may reach: a policy knows addresses and ports, and no host names."""
    own = [_to_own(context, store) for store in names.STORES if not context.is_external(store)]
    theirs = [rule for store in names.STORES if context.is_external(store) for rule in _to_theirs(context, store)]
    resolver = {"ports": [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]}
    more = context.spec.network_policy.egress_ports
    others = [{"ports": [{"port": port, "protocol": "TCP"} for port in more]}] if more else []
    among = sorted({component.value for component in (*_CLIENTS, *_MORE_PROGRAMS)})
    spec = {
        "podSelector": _ours(context, among),
        "policyTypes": ["Egress"],
        "egress": [resolver, *own, *theirs, *others],
    }
    name = names.egress(context.name)
    return context.obj("networking.k8s.io/v1", "NetworkPolicy", name, Component.API, spec=spec)


def _to_own(context: Context, store: Component) -> Obj:
    ports = [{"port": port, "protocol": "TCP"} for port in context.ports(store).values()]
    return {"to": [{"podSelector": {"matchLabels": names.selector(context.name, store)}}], "ports": ports}


def _to_theirs(context: Context, store: Component) -> Iterator[Obj]:
    for host, port in external.targets(context.memory, store):
        rule: Obj = {"ports": [{"port": port, "protocol": "TCP"}]}
        yield rule | ({"to": [{"ipBlock": {"cidr": cidr}}]} if (cidr := _cidr(host)) else {})


def _cidr(host: str) -> str | None:
    try:
        return str(ip_network(host))
    except ValueError:
        return None


def _clients(context: Context, store: Component) -> Obj:
    """The clients, and the store itself: its pods talk to each other."""
    return _ours(context, [component.value for component in (*_CLIENTS, *_MORE_CLIENTS.get(store, ()), store)])


def _ours(context: Context, among: list[str]) -> Obj:
    selector = names.selector(context.name, Component.API)
    labels = {key: value for key, value in selector.items() if key != names.COMPONENT_LABEL}
    return {
        "matchLabels": labels,
        "matchExpressions": [{"key": names.COMPONENT_LABEL, "operator": "In", "values": among}],
    }
