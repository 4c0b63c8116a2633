"""Every way to edit a list of an object of ours, made from what the API server says about its lists."""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from somamemory_operator.model.kinds import PLACES
from somamemory_operator.model.observed import Obj
from tests.integration.operator.world import Api

Pointer = tuple[str | int, ...]
_OTHER = {
    "TCP": "UDP",
    "DoNotSchedule": "ScheduleAnyway",
    "ScheduleAnyway": "DoNotSchedule",
    "Ingress": "Egress",
    "/": "/elsewhere",
}


class Edit(NamedTuple):
    """One edit of a live object; `place` says which list of which kind, and which key, without numbers."""

    place: str
    obj: Obj
    operations: list[Obj]


class Schemas:
    """The OpenAPI documents of an API server."""

    def __init__(self, api: Api) -> None:
        self._document = cache(lambda root: api.call("GET", f"/openapi/v3/{root}"))

    def edits(self, obj: Obj) -> Iterator[Edit]:
        """One edit for every key of every list in an object, and one for every list that is a whole."""
        schemas = self._schemas(obj["kind"])
        group, _, version = PLACES[obj["kind"]].api_version.rpartition("/")
        wanted = {"group": group, "version": version, "kind": obj["kind"]}
        found = [s for s in schemas.values() if wanted in s.get("x-kubernetes-group-version-kind", ())]
        for pointer, schema, entries in _lists(obj, found[0], schemas, ()):
            if pointer[0] == "status" or "managedFields" in pointer or not entries:
                continue
            place = f"{obj['kind']} {'.'.join(str(part) for part in pointer if isinstance(part, str))}"
            if schema.get("x-kubernetes-list-type") == "map":
                for key in schema["x-kubernetes-list-map-keys"]:
                    yield Edit(f"{place}[{key}]", obj, list(_rekeyed(obj, pointer, entries[0], key)))
            elif schema.get("x-kubernetes-list-type") != "set":
                yield Edit(place, obj, [{"op": "add", "path": _path((*pointer, 0)), "value": _another(entries[0])}])

    def _schemas(self, kind: str) -> dict[str, Any]:
        version = PLACES[kind].api_version
        document = self._document(f"{'apis' if '/' in version else 'api'}/{version}")
        schemas: dict[str, Any] = document["components"]["schemas"]
        return schemas


def _lists(value: Any, schema: Obj, schemas: Obj, pointer: Pointer) -> Iterator[tuple[Pointer, Obj, list[Any]]]:
    """Every list inside of a value, with its schema."""
    schema = _resolved(schema, schemas)
    if isinstance(value, dict):
        for name, part in value.items():
            below = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            if isinstance(below, dict):
                yield from _lists(part, below, schemas, (*pointer, name))
    elif isinstance(value, list):
        yield pointer, schema, value
        for number, part in enumerate(value):
            yield from _lists(part, schema.get("items", {}), schemas, (*pointer, number))


def _resolved(schema: Obj, schemas: Obj) -> Obj:
    parts = [schema, *schema.get("allOf", ())]
    for part in parts:
        if "$ref" in part:
            return {**schemas[part["$ref"].rpartition("/")[2]], **{k: v for k, v in schema.items() if k != "allOf"}}
    return schema


def _rekeyed(obj: Obj, pointer: Pointer, entry: Obj, key: str) -> Iterator[Obj]:
    """The change of a key; a volume takes the mounts that name it along, or it would be refused."""
    other = _other(entry[key])
    yield {"op": "add", "path": _path((*pointer, 0, key)), "value": other}
    if pointer[-1] == "volumes":
        pod: Any = obj
        for part in pointer[:-1]:
            pod = pod[part]
        for number, container in enumerate(pod["containers"]):
            for place, mount in enumerate(container.get("volumeMounts") or ()):
                if mount["name"] == entry["name"]:
                    path = _path((*pointer[:-1], "containers", number, "volumeMounts", place, "name"))
                    yield {"op": "replace", "path": path, "value": other}


def _other(value: Any) -> Any:
    if isinstance(value, int):
        return value + 1
    if value in _OTHER:
        return _OTHER[value]
    return f"{value[:-1]}{'1' if value[-1] != '1' else '2'}"


def _another(entry: Any) -> Any:
    """An entry to be put in front of one in a list that is a whole."""
    if isinstance(entry, dict):
        key = next((key for key, value in entry.items() if isinstance(value, (str, int))), None)
        return entry if key is None or key in ("type", "key") else entry | {key: _other(entry[key])}
    return _other(entry)


def _path(pointer: Pointer) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in pointer)
