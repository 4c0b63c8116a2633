"""What is written about a SomaMemory beside its children: its status, and Events."""

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

from somamemory_operator.model import names
from somamemory_operator.model.kinds import PLACES
from somamemory_operator.model.observed import Obj, at

STATUS_MANAGER = f"{names.FIELD_MANAGER}-status"
"""Our name in managedFields for what we report."""


def status_of(memory: Obj, status: Obj) -> Obj:
    """The body that applies a status to this very SomaMemory, and not to one of its name that came later."""
    metadata = {key: memory["metadata"][key] for key in ("name", "namespace", "uid")}
    return {"apiVersion": names.API_VERSION, "kind": names.KIND, "metadata": metadata, "status": status}


def event_about(memory: Obj, reason: str, note: str, *, warning: bool) -> Obj:
    """A Kubernetes Event about a SomaMemory."""
    metadata = memory["metadata"]
    about = {"apiVersion": names.API_VERSION, "kind": names.KIND}
    return {
        "apiVersion": PLACES["Event"].api_version,
        "kind": "Event",
        "metadata": {"name": f"{metadata['name']}.{secrets.token_hex(8)}", "namespace": metadata["namespace"]},
        "regarding": about | {key: metadata[key] for key in ("name", "namespace", "uid")},
        "reason": reason,
        "note": note[:1024],
        "type": "Warning" if warning else "Normal",
        "action": "Reconcile",
        "reportingController": names.FIELD_MANAGER,
        "reportingInstance": names.FIELD_MANAGER,
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }


def same_report(memory: Obj, wanted: Obj) -> bool:
    """Whether the status of a SomaMemory says what we want to say, and nothing that we said once.

    Conditions of other types belong to others, unless the API server credits them to us.
    """
    live = memory.get("status") or {}
    types = {condition["type"] for condition in wanted.get("conditions") or ()} | set(_told_before(memory))
    ours = [condition for condition in live.get("conditions") or () if condition.get("type") in types]
    return _by_type(live | {"conditions": ours}) == _by_type(wanted)


def _told_before(memory: Obj) -> Iterator[str]:
    """The types of the conditions that our last report made."""
    for entry in memory["metadata"].get("managedFields") or ():
        if entry.get("manager") == STATUS_MANAGER:
            for item in at(entry, "fieldsV1", "f:status", "f:conditions") or ():
                if item.startswith("k:"):
                    yield str(json.loads(item[2:]).get("type"))


def _by_type(status: Obj) -> Obj:
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    return status | {"conditions": conditions}
