"""Kinds that other operators bring into a cluster, as far as the API server has to know them."""

from somamemory_operator.model.kinds import PLACES
from somamemory_operator.model.observed import Obj


def definition(kind: str) -> Obj:
    """A definition of the kind that takes whatever its objects hold."""
    plural, (group, version) = PLACES[kind].plural, PLACES[kind].api_version.split("/")
    anything = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    spec = {
        "group": group,
        "scope": "Namespaced",
        "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
        "versions": [{"name": version, "served": True, "storage": True, "schema": anything}],
    }
    place = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    return place | {"metadata": {"name": f"{plural}.{group}"}, "spec": spec}
