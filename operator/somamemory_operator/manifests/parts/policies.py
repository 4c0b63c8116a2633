"""Disruption budgets and network policies."""

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
    return [*inside, *(_policy(context, component, []) for component in enabled)]


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


def _clients(context: Context, store: Component) -> Obj:
    """The clients, and the store itself: its pods talk to each other."""
    labels = {key: value for key, value in names.selector(context.name, store).items() if key != names.COMPONENT_LABEL}
    among = [component.value for component in (*_CLIENTS, *_MORE_CLIENTS.get(store, ()), store)]
    return {
        "matchLabels": labels,
        "matchExpressions": [{"key": names.COMPONENT_LABEL, "operator": "In", "values": among}],
    }
