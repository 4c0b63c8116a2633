"""How many pods API and consumer have, and the autoscaler that may decide about it."""

from somamemory_operator.manifests.parts.context import Context
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, at
from somamemory_operator.resource.clients import Api, Consumer
from somamemory_operator.resource.exposure import Autoscaling


def replicas(context: Context, component: Component) -> int | None:
    """How many pods the Deployment is to have; None where the autoscaler has taken that over.

    A field that its only applier no longer applies goes back to its default, and that is one pod. So we keep saying
    what is there until the autoscaler has written the field once: then it is the autoscaler's, and we are silent.
    It never wakes a Deployment of none, so we do.
    """
    part, autoscaling = _part(context, component), _autoscaling(context, component)
    if context.is_asleep:
        return 0
    if autoscaling is None:
        return part.replicas
    live = context.world.get("Deployment", names.child(context.name, component))
    there, least = at(live, "spec", "replicas") or 0, _least(part, autoscaling)
    if there and not _is_ours(live):
        return None
    return min(max(there, least), autoscaling.max_replicas)


def autoscalers(context: Context, component: Component) -> list[Obj]:
    """The HorizontalPodAutoscaler, if one is wanted and there is anything to scale."""
    autoscaling = _autoscaling(context, component)
    if autoscaling is None or context.is_asleep:
        return []
    name = names.child(context.name, component)
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": autoscaling.target_cpu}}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": _least(_part(context, component), autoscaling),
        "maxReplicas": autoscaling.max_replicas,
        "metrics": [{"type": "Resource", "resource": cpu}],
    }
    return [context.obj("autoscaling/v2", "HorizontalPodAutoscaler", name, component, spec=spec)]


def _part(context: Context, component: Component) -> Api | Consumer:
    return context.spec.api if component is Component.API else context.spec.consumer


def _autoscaling(context: Context, component: Component) -> Autoscaling | None:
    chosen = _part(context, component).autoscaling
    return chosen if chosen is not None and chosen.enabled else None


def _least(part: Api | Consumer, autoscaling: Autoscaling) -> int:
    least = autoscaling.min_replicas or max(part.replicas, 1)
    return min(least, autoscaling.max_replicas)


def _is_ours(live: Obj | None) -> bool:
    """Whether the API server credits the number of pods to our applies."""
    entries = at(live, "metadata", "managedFields") or ()
    ours = (entry for entry in entries if entry.get("manager") == names.FIELD_MANAGER and "subresource" not in entry)
    return any(at(entry, "fieldsV1", "f:spec", "f:replicas") is not None for entry in ours)
