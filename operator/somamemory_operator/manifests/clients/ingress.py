"""The Ingress: how the HTTP API is reached from outside of the cluster."""

from somamemory_operator.manifests.parts.context import Context, compact
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj
from somamemory_operator.resource.exposure import Ingress

COMPONENT = Component.API
_TO_TLS = {"nginx.ingress.kubernetes.io/backend-protocol": "HTTPS"}
"""That the API is to be asked by TLS: Ingress itself has no field for it. Traefik looks at the Service."""


def build(context: Context) -> list[Obj]:
    """The Ingress of the API, if one is wanted. Its controller may connect: the API's policy admits everybody."""
    ingress = context.spec.api.ingress
    if ingress is None or not ingress.enabled:
        return []
    name = names.child(context.name, COMPONENT)
    backend = {"service": {"name": name, "port": {"name": "http"}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    spec = {
        "ingressClassName": ingress.class_name,
        "tls": _tls(context, ingress),
        "rules": [{"host": ingress.host, "http": {"paths": [path]}}],
    }
    obj = context.obj("networking.k8s.io/v1", "Ingress", name, COMPONENT, spec=compact(spec))
    annotations = (_TO_TLS if context.certificates.is_on else {}) | dict(ingress.annotations)
    obj["metadata"] = compact(obj["metadata"] | {"annotations": annotations})
    return [obj]


def _tls(context: Context, ingress: Ingress) -> list[Obj]:
    if not ingress.tls.enabled:
        return []
    return [{"hosts": [ingress.host], "secretName": ingress.tls.secret_name or names.ingress_tls(context.name)}]
