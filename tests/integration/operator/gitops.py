"""What a GitOps tool takes for its own: the rules of Argo CD, as far as they matter here."""

from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj
from tests.integration.operator.volumes import CLAIM
from tests.integration.operator.world import Api

KINDS = (CLAIM, "Secret", "ConfigMap", "Service", "ServiceAccount", "StatefulSet", "Deployment", "CronJob", "Job")
CLAIMS = [names.claim("demo", store) for store in names.STORES]
CREDENTIALS = (names.credentials("demo"), names.credentials_copy("demo"))
RETAINED = {*((CLAIM, name) for name in (*CLAIMS, "demo-backup")), *(("Secret", name) for name in CREDENTIALS)}
"""What stays of a SomaMemory with `deletionPolicy: Retain`."""


def is_taken(obj: Obj, application: str = "demo") -> bool:
    """Under label tracking an object with the application's label and without an owner belongs to the application.

    When it is not in Git automated pruning removes it, and a cascading deletion takes it along.
    """
    metadata = obj["metadata"]
    tracked = (metadata.get("labels") or {}).get("app.kubernetes.io/instance") == application
    return tracked and not metadata.get("ownerReferences")


def is_spared(obj: Obj) -> bool:
    """Whether it is left alone all the same, when the application is pruned and when it is deleted."""
    options = (obj["metadata"].get("annotations") or {}).get("argocd.argoproj.io/sync-options", "")
    return {"Prune=false", "Delete=false"} <= {option.strip() for option in options.split(",")}


def taken(api: Api, namespace: str) -> set[str]:
    """What an application called like the SomaMemory would take for its own now, or once the SomaMemory is gone."""
    found = [obj for kind in KINDS for obj in api.list(kind, namespace)]
    orphans = [{**obj, "metadata": {**obj["metadata"], "ownerReferences": []}} for obj in retained(api, namespace)]
    return {obj["metadata"]["name"] for obj in (*found, *orphans) if is_taken(obj)}


def retained(api: Api, namespace: str) -> list[Obj]:
    """What is there of all that stays."""
    found = [obj for kind in (CLAIM, "Secret") for obj in api.list(kind, namespace)]
    return [obj for obj in found if (obj["kind"], obj["metadata"]["name"]) in RETAINED]
