"""How a SomaMemory stands, out of its status: for machines as one object, for people as a tree."""

from collections.abc import Iterator, Mapping
from typing import Any

from somamemory_operator.model.observed import Obj, at

_SAID_BY_READY = {"Ready", "Reconciling", "Stalled"}
_GOOD = {"True"}


def summary(memory: Obj) -> dict[str, Any]:
    """`{name, namespace, ready, stalled, reason, message, components, notices, endpoints}`.

    `components` have name, ready, reason, message, image and capacity; `notices` are conditions of the whole that are
    not True, by their type. What the operator has not looked at since the last change is not ready.
    """
    status = memory.get("status") or {}
    conditions = {each["type"]: each for each in status.get("conditions") or ()}
    ready = _current(conditions.get("Ready"), memory)
    components = [_component(each, conditions) for each in status.get("components") or ()]
    told = {f"{each['name'].capitalize()}Ready" for each in components}
    notices = {
        kind: {"reason": each["reason"], "message": each["message"]}
        for kind, each in conditions.items()
        if kind not in told | _SAID_BY_READY and each["status"] not in _GOOD
    }
    return {
        "name": memory["metadata"]["name"],
        "namespace": memory["metadata"].get("namespace", ""),
        "ready": ready["status"] in _GOOD,
        "stalled": at(conditions.get("Stalled"), "status") == "True",
        "reason": ready["reason"],
        "message": ready["message"],
        "components": components,
        "notices": notices,
        "endpoints": status.get("endpoints") or {},
    }


def _current(ready: Obj | None, memory: Obj) -> Obj:
    if ready is None:
        return {"status": "Unknown", "reason": "NotSeen", "message": "No operator has looked at it: is one running?"}
    if ready.get("observedGeneration") != memory["metadata"].get("generation"):
        message = "The operator has not looked at the last change yet."
        return {"status": "Unknown", "reason": "NotSeen", "message": message}
    return ready


def _component(each: Obj, conditions: Mapping[str, Obj]) -> dict[str, Any]:
    found = conditions.get(f"{each['name'].capitalize()}Ready") or {}
    kept = {key: each[key] for key in ("name", "mode", "ready", "image", "capacity") if each.get(key)}
    return kept | {"reason": found.get("reason", ""), "message": found.get("message", "")}


def tree(told: Mapping[str, Any]) -> str:
    """The same for people: one line for each component, and below it what is wrong with it."""
    return "\n".join(_lines(told))


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    mark = "Ready" if told["ready"] else ("needs you" if told["stalled"] else "on its way")
    yield f"{told['namespace']}/{told['name']}: {mark}" + ("" if told["ready"] else f" ({told['reason']})")
    if not told["ready"]:
        yield f"│  {told['message']}"
    branches = [*_components(told["components"]), *_notices(told["notices"])]
    for number, (head, *more) in enumerate(branches, 1):
        is_last = number == len(branches)
        yield f"{'└─' if is_last else '├─'} {head}"
        yield from (f"{'  ' if is_last else '│ '}     {line}" for line in more)
    if address := told["endpoints"].get("api"):
        yield f"API: {address}"


def _components(components: list[dict[str, Any]]) -> Iterator[list[str]]:
    for each in components:
        where = each.get("image", "") if each.get("mode") != "external" else "(yours)"
        words = f"{each['name']:<10}{each.get('ready', ''):<6}{each['reason']:<18}{each.get('capacity', ''):<8}{where}"
        yield [words.rstrip()] if each["reason"] == "Ready" else [words.rstrip(), each["message"]]


def _notices(notices: Mapping[str, Mapping[str, str]]) -> Iterator[list[str]]:
    for kind, each in notices.items():
        yield [f"{kind}: {each['reason']}", each["message"]]
