"""The label of earlier releases by which other tools take for their own what must outlive its SomaMemory."""

import json
from collections.abc import Iterable, Iterator

from somamemory_operator.model import names
from somamemory_operator.model.desired import Unlabelling, Wanted
from somamemory_operator.model.observed import Obj, World, at, instance_of, label_of, uid_of

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_LABEL = names.INSTANCE_LABEL


def unlabellings(ready: Iterable[Wanted], world: World) -> Iterator[Unlabelling]:
    """Every object that is to lose the label, once it has ours instead.

    An apply cannot take it off: the StatefulSet controller put it on claims (and does, after the selector, on every
    new one), our own POST on Secrets. Where somebody declares it, in Git for instance, it is theirs and stays.
    """
    for wanted in ready:
        live = world.children.get(wanted.key)
        instance = instance_of(wanted.obj)
        if live is None or label_of(wanted.obj, _LABEL) is not None or label_of(live, _LABEL) != instance:
            continue
        if label_of(live, names.OWN_INSTANCE_LABEL) == instance and not _is_declared(live):
            yield Unlabelling(wanted.key, uid_of(live), _LABEL)


def _is_declared(live: Obj) -> bool:
    """Whether somebody else applies the label, by the server or by the client."""
    entries = at(live, "metadata", "managedFields") or ()
    others = (e for e in entries if e.get("operation") == "Apply" and e.get("manager") != names.FIELD_MANAGER)
    if any(at(entry, "fieldsV1", "f:metadata", "f:labels", f"f:{_LABEL}") is not None for entry in others):
        return True
    try:
        applied = json.loads(at(live, "metadata", "annotations", _LAST_APPLIED) or "{}")
    except ValueError:
        return False
    return at(applied, "metadata", "labels", _LABEL) is not None
