"""Plays what volumes need of a cluster: storage classes, and the provisioner and the resizer that serve claims."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx

from somamemory_operator.model.names import STORES
from somamemory_operator.model.observed import Obj
from tests.integration.operator.world import Api, eventually

CLAIM = "PersistentVolumeClaim"
POSTGRES = "data-demo-postgres-0"
_DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}


def persistent(*stores: str, **persistence: object) -> Obj:
    """A spec in which these stores, Postgres when none is named, keep their data on volumes of 5Gi."""
    return {
        store: {"persistence": {"enabled": True, "size": "5Gi", **persistence}} for store in stores or ("postgres",)
    }


EVERY_STORE = persistent(*(store.value for store in STORES))


@contextmanager
def storage_class(api: Api, name: str, *, expandable: bool = True, default: bool = False) -> Iterator[str]:
    """A storage class that is there for the time of a test."""
    body = {
        "kind": "StorageClass",
        "metadata": {"name": name, "annotations": _DEFAULT if default else {}},
        "provisioner": "example.org/played",
        "allowVolumeExpansion": expandable,
    }
    api.create(body)
    try:
        yield name
    finally:
        api.delete("StorageClass", name)


def claim(api: Api, namespace: str, name: str = POSTGRES) -> Obj:
    """The live claim; waits until it is there."""
    return eventually(f"claim {name}", lambda: api.get(CLAIM, name, namespace))


def provide(api: Api, namespace: str, *names: str) -> None:
    """Bind the claims, as a provisioner does, or give them what they ask for, as a resizer does."""
    for name in names or (POSTGRES,):
        size = claim(api, namespace, name)["spec"]["resources"]["requests"]["storage"]
        status = {"phase": "Bound", "capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"]}
        api.merge(CLAIM, name, namespace, {"status": status}, "status")


def request(api: Api, namespace: str, size: str, name: str = POSTGRES) -> None:
    """Ask for another size of a claim, as a person or an autoresizer does."""
    api.merge(CLAIM, name, namespace, {"spec": {"resources": {"requests": {"storage": size}}}})


def requested(api: Api, namespace: str, name: str = POSTGRES) -> str:
    """The size that a claim asks for."""
    return str(claim(api, namespace, name)["spec"]["resources"]["requests"]["storage"])


def restore_claim(api: Api, namespace: str, name: str = POSTGRES, *, labels: dict[str, str] | None = None) -> Obj:
    """Put a claim under this name, in the place of the one that is there, as `kubectl apply` of a snapshot does."""
    with suppress(httpx.HTTPStatusError):
        api.delete(CLAIM, name, namespace)
    api.merge_if_there(CLAIM, name, namespace, {"metadata": {"finalizers": None}})
    eventually(f"{name} is gone", lambda: api.get(CLAIM, name, namespace) is None)
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}, "storageClassName": ""}
    metadata = {"name": name, "namespace": namespace, "labels": labels or {}}
    made = api.create({"kind": CLAIM, "metadata": metadata, "spec": spec})
    provide(api, namespace, name)
    return made
