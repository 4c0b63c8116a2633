"""Entries of lists that nobody wants, and how our applies get the right to take them out.

Kubernetes tells the entries of most lists apart by a key: a port by its number, a mount by its path, a container by its
name. When somebody edits such a key, server-side apply sees two entries: ours, which is missing, and another, which
is theirs. A forced apply adds ours and leaves theirs, so that the two stand beside each other, or are refused as
duplicates for ever.

An entry is a stray when we want entries in that list, but not this one, and

- only people own it, by `kubectl edit` and the like: lists of ours are not edited by hand, the spec is; or
- it is ours under another key: one that we want is missing, and this one is like it. Then it does not matter who says
  so, unless it was applied by somebody, which is a wish of its own.

All others stay: Reloader's variables, containers that a mesh injects, whatever a controller adds or somebody applies.

The keys are not written down here. The API server tells them in `managedFields`, for kinds of others as well. There
the strays are handed over: their owners' entries lose them and ours gets them, which changes nothing of the object
itself. The apply that follows does not name them, so the API server removes them and puts ours back in one write.
Moving them by hand instead would make us owners by updates, whom no later apply can take anything from.
"""

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from somamemory_operator.model import names
from somamemory_operator.model.desired import Handover
from somamemory_operator.model.observed import Obj, key_of

_HANDS = re.compile(
    r"(kubectl|k9s|(open|free)?lens|node-fetch|headlamp|octant|kubernetes-dashboard|dashboard|mozilla|curl|wget"
    r"|postman|unknown)",
    re.IGNORECASE,
)
"""How the names of managers begin behind which a person sits: tools, browsers, and who does not say its name."""

Path = tuple[str, ...]
"""Where a field is, in the tokens of `fieldsV1`: `f:spec`, `f:ports`, `k:{"port":80}`."""


def handover(wanted: Obj, live: Obj) -> Handover | None:
    """What has to be handed over before `wanted` is applied to `live`, None when there is nothing."""
    fields: list[Obj] = list(live["metadata"].get("managedFields") or ())
    owners: dict[Path, list[int]] = {}
    for number, entry in enumerate(fields):
        if _concerns(entry, wanted):
            for path in _unwanted(entry["fieldsV1"], wanted, ()):
                owners.setdefault(path, []).append(number)
    by = {path: [fields[number] for number in numbers] for path, numbers in owners.items()}
    strays = [path for path in owners if _is_stray(path, by[path], wanted, live)]
    if not strays:
        return None
    kept = _handed_over({path: owners[path] for path in strays}, fields, wanted)
    told = tuple(sorted(_told(path, by[path]) for path in strays))
    return Handover(key_of(live), live["metadata"]["resourceVersion"], kept, told)


def _handed_over(strays: Mapping[Path, list[int]], fields: list[Obj], wanted: Obj) -> tuple[Obj, ...]:
    """The managed fields with these entries taken from their owners and given to us."""
    made = deepcopy(fields)
    ours = next((entry for entry in made if _concerns(entry, wanted) and _is_ours(entry)), None)
    if ours is None:
        ours = _new_entry(wanted)
        made.append(ours)
    for path, owners in strays.items():
        for number in owners:
            _give(path, made[number]["fieldsV1"], ours["fieldsV1"])
    return tuple(entry for entry in made if entry.get("fieldsV1") != {})


def _concerns(entry: Obj, wanted: Obj) -> bool:
    """Whether the entry is about the object itself, in the version that we speak."""
    spoken = entry.get("apiVersion") == wanted["apiVersion"]
    return spoken and not entry.get("subresource") and isinstance(entry.get("fieldsV1"), Mapping)


def _is_ours(entry: Obj) -> bool:
    return entry.get("manager") == names.FIELD_MANAGER and entry.get("operation") == "Apply"


def _new_entry(wanted: Obj) -> Obj:
    """For an object of which we own nothing any more."""
    about = {"manager": names.FIELD_MANAGER, "operation": "Apply", "apiVersion": wanted["apiVersion"]}
    return about | {"fieldsType": "FieldsV1", "fieldsV1": {}}


def _unwanted(fields: Mapping[str, Any], wanted: Any, path: Path) -> Iterator[Path]:
    """The entries that these fields name in lists of which we want entries, but not these."""
    for token, below in fields.items():
        if token.startswith("f:") and isinstance(wanted, Mapping) and token[2:] in wanted:
            yield from _unwanted(below, wanted[token[2:]], (*path, token))
        elif token.startswith("k:") and isinstance(wanted, list) and wanted:
            item = _item(wanted, _keys(token))
            if item is None:
                yield (*path, token)
            else:
                yield from _unwanted(below, item, (*path, token))


def _is_stray(path: Path, owners: list[Obj], wanted: Obj, live: Obj) -> bool:
    there = _at(live, path)
    if there is None or any(owner.get("operation") == "Apply" for owner in owners):
        return False
    if all(_HANDS.match(str(owner.get("manager"))) for owner in owners):
        return True
    wishes, present = _at(wanted, path[:-1]), _at(live, path[:-1])
    keys = _keys(path[-1])
    missing = [wish for wish in wishes if _item(present, {key: wish.get(key) for key in keys if key in wish}) is None]
    return any(_is_like(wish, there, frozenset(keys)) for wish in missing)


def _is_like(wish: Obj, there: Obj, keys: frozenset[str]) -> bool:
    """Whether at least half of what we want of an entry beside its keys stands in another one."""
    leaves = [leaf for key, value in wish.items() if key not in keys for leaf in _leaves(value, there.get(key))]
    return sum(leaves) * 2 >= len(leaves)


def _leaves(wish: Any, there: Any) -> Iterator[bool]:
    """For each value that we want whether it is there."""
    if isinstance(wish, Mapping):
        for key, value in wish.items():
            yield from _leaves(value, there.get(key) if isinstance(there, Mapping) else None)
    else:
        yield wish == there


def _give(path: Path, giver: Obj, taker: Obj) -> None:
    """Move what is at a path from one tree of fields to another; nothing empty is left, for it would mean a field."""
    token, *rest = path
    if rest:
        _give(tuple(rest), giver[token], taker.setdefault(token, {}))
    else:
        _join(taker.setdefault(token, {}), giver[token] | {".": {}})
        giver[token] = {}
    if not giver[token]:
        del giver[token]


def _join(into: Obj, more: Mapping[str, Any]) -> None:
    for token, below in more.items():
        _join(into.setdefault(token, {}), below)


def _at(obj: Any, path: Path) -> Any:
    """What stands at a path of fields, None when nothing does."""
    for token in path:
        if token.startswith("k:"):
            obj = _item(obj, _keys(token))
        else:
            obj = obj.get(token[2:]) if isinstance(obj, Mapping) else None
    return obj


def _item(entries: Any, keys: Mapping[str, Any]) -> Obj | None:
    """The entry with these keys. One that we want may leave a key to its default; then the others tell it."""
    for each in entries if isinstance(entries, list) else ():
        if isinstance(each, dict) and all(each.get(key, value) == value for key, value in keys.items()):
            return each
    return None


def _keys(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(token[2:])
    return found


def _told(path: Path, owners: list[Obj]) -> str:
    """`spec.ports[port=80] (kubectl-edit)`."""
    place = ""
    for token in path:
        keys = ",".join(f"{key}={value}" for key, value in _keys(token).items()) if token.startswith("k:") else ""
        place += f"[{keys}]" if keys else f".{token[2:]}"
    return f"{place[1:]} ({', '.join(sorted(str(owner.get('manager')) for owner in owners))})"
