"""Pod templates: which one was asked for, by which release, and whether a live one is what is asked for."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj, at
from somamemory_operator.model.quantities import exact_quantity


def mark(workload: Obj, release: str) -> Obj:
    """The workload, carrying the release that asks for it and a hash of the pod template that is asked for."""
    text = json.dumps(workload["spec"]["template"], sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()[: names.HASH_LENGTH]
    annotations = workload["metadata"].get("annotations", {}) | {names.TEMPLATE_ANNOTATION: f"{digest} {release}"}
    return workload | {"metadata": workload["metadata"] | {"annotations": annotations}}


def asks_for(workload: Obj) -> str:
    """The hash of the pod template that was asked for; empty when nobody has left a mark."""
    return _mark(workload)[0]


def is_marked_by(workload: Obj, release: str) -> bool:
    """Whether this release has asked for the template."""
    return _mark(workload)[1] == release


def same_template(wanted: Obj, live: Obj) -> bool:
    """Whether the live template has all that is wanted of it; the API server adds defaults, and writes numbers anew."""
    return _within(*(at(obj, "spec", "template") for obj in (wanted, live)))


def _mark(workload: Obj) -> tuple[str, str]:
    text: str = at(workload, "metadata", "annotations", names.TEMPLATE_ANNOTATION) or ""
    digest, _, release = text.partition(" ")
    return digest, release


def _within(wanted: Any, live: Any) -> bool:
    if live is None:
        return wanted in (None, "", [], {})
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        return all(_within(value, live.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(live, list):
        return _items_within(wanted, live)
    return bool(wanted == live) or _same_quantity(wanted, live)


def _items_within(wanted: list[Any], live: list[Any]) -> bool:
    """Items with a name are told apart by it, and others may have added theirs; other lists are compared whole."""
    if all(isinstance(item, Mapping) and "name" in item for item in wanted):
        there = {item.get("name"): item for item in live}
        return all(_within(item, there.get(item["name"])) for item in wanted)
    return len(wanted) == len(live) and all(_within(*pair) for pair in zip(wanted, live, strict=True))


def _same_quantity(wanted: Any, live: Any) -> bool:
    try:
        return exact_quantity(str(wanted)) == exact_quantity(str(live))
    except (ValueError, ZeroDivisionError):
        return False
