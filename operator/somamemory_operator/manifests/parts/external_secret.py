"""The ExternalSecret of a SomaMemory: External Secrets makes a Secret of it, whose values are then taken over.

It never writes into the credentials themselves, so the two do not fight. `template.metadata` is always set: without
it External Secrets would copy the labels of the ExternalSecret, and with them whose it is for GitOps tools. With our
labels the Secret is watched, and a new value is noticed at once. Fields and defaults: the API reference of
external-secrets.io/v1; what the spec does not say is left to them.
"""

from somamemory_operator.decide.sources import target_of
from somamemory_operator.manifests.parts.context import Context, compact
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj
from somamemory_operator.resource.secrets import ExternalSecret, dumped


def build(context: Context) -> list[Obj]:
    """None unless the spec wants one."""
    chosen = context.spec.secrets.external_secret
    if chosen is None:
        return []
    spec = dumped(chosen) | {"target": _target(context, chosen)}
    name = names.external_secrets(context.name)
    return [context.obj("external-secrets.io/v1", "ExternalSecret", name, Component.CREDENTIALS, spec=spec)]


def _target(context: Context, chosen: ExternalSecret) -> Obj:
    template = chosen.target.template
    metadata = {
        "labels": dict(template.metadata.labels) | names.lasting_labels(context.name, Component.CREDENTIALS),
        "annotations": dict(template.metadata.annotations),
    }
    made = {
        "type": template.type,
        "engineVersion": template.engine_version,
        "data": dict(template.data),
        "metadata": compact(metadata),
    }
    target = {
        "name": target_of(context.name, chosen),
        "creationPolicy": chosen.target.creation_policy,
        "deletionPolicy": chosen.target.deletion_policy,
        "template": compact(made),
    }
    return compact(target)
