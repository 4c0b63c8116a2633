"""Which entries of lists are handed over to our applies, and which are left to others."""

import json
from typing import Any

import pytest

from somamemory_operator.decide.strays import handover
from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj

WANTED: Obj = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "demo"},
    "spec": {"ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]},
}
HTTP, METRICS = WANTED["spec"]["ports"][0], {"name": "metrics", "port": 9000, "targetPort": 9000, "protocol": "TCP"}
MOVED = HTTP | {"port": 8080}


def token(port: Obj) -> str:
    return "k:" + json.dumps({key: port[key] for key in ("port", "protocol")}, separators=(",", ":"))


def owned(manager: str, *ports: Obj, operation: str = "Update", **more: Any) -> Obj:
    fields: Obj = {token(port): {".": {}} | {f"f:{key}": {} for key in port} for port in ports}
    about = {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1"}
    return about | {"fieldsV1": {"f:spec": {"f:ports": fields}} if ports else {"f:spec": {"f:type": {}}}} | more


def ours(*ports: Obj) -> Obj:
    return owned(names.FIELD_MANAGER, *ports, operation="Apply")


def live(*ports: Obj, managed: list[Obj]) -> Obj:
    metadata = {"name": "demo", "resourceVersion": "7", "managedFields": managed}
    return WANTED | {"metadata": metadata, "spec": {"ports": list(ports)}}


STRAYS = {
    "a key that a person edited": live(MOVED, managed=[ours(), owned("kubectl-edit", MOVED)]),
    "a key that anybody edited": live(MOVED, managed=[ours(), owned("a-script", MOVED)]),
    "what an edit left beside ours": live(HTTP, MOVED, managed=[ours(HTTP), owned("kubectl-patch", MOVED)]),
    "what a person added": live(HTTP, METRICS, managed=[ours(HTTP), owned("k9s", METRICS)]),
    "what two people own": live(HTTP, METRICS, managed=[ours(HTTP), owned("kubectl", METRICS), owned("Lens", METRICS)]),
    "an edited key of an object of which we own nothing any more": live(MOVED, managed=[owned("a-script", MOVED)]),
}
KEPT = {
    "nothing but ours": live(HTTP, managed=[ours(HTTP)]),
    "what a controller added": live(HTTP, METRICS, managed=[ours(HTTP), owned("a-mesh", METRICS)]),
    "what a controller added while ours is missing": live(METRICS, managed=[ours(), owned("a-mesh", METRICS)]),
    "what somebody applies": live(HTTP, METRICS, managed=[ours(HTTP), owned("kubectl", METRICS, operation="Apply")]),
    "what looks like ours and is applied": live(MOVED, managed=[ours(), owned("x", MOVED, operation="Apply")]),
    "what a person and a controller own": live(
        HTTP, METRICS, managed=[ours(HTTP), owned("kubectl", METRICS), owned("a-mesh", METRICS)]
    ),
    "what our next apply takes out by itself": live(HTTP, METRICS, managed=[ours(HTTP, METRICS)]),
    "an entry in another version of the kind": live(MOVED, managed=[owned("kubectl", MOVED, apiVersion="v2")]),
    "a subresource": live(MOVED, managed=[owned("kubectl", MOVED, subresource="status")]),
    "an object without managed fields": WANTED | {"metadata": {"name": "demo", "resourceVersion": "7"}},
}


@pytest.mark.parametrize("case", STRAYS)
def test_is_handed_over(case: str) -> None:
    found = handover(WANTED, STRAYS[case])

    assert found is not None
    mine = [entry["fieldsV1"] for entry in found.managed_fields if entry["operation"] == "Apply"]
    others = [entry for entry in found.managed_fields if entry["operation"] != "Apply"]
    assert token(MOVED) in mine[0]["f:spec"]["f:ports"] or token(METRICS) in mine[0]["f:spec"]["f:ports"]
    assert others == [], "who owned nothing else is gone: an empty list of fields would mean the list"


@pytest.mark.parametrize("case", KEPT)
def test_is_left_alone(case: str) -> None:
    assert handover(WANTED, KEPT[case]) is None


def test_what_its_owner_has_beside_it_stays_with_the_owner() -> None:
    both = owned("kubectl-edit", METRICS)
    both["fieldsV1"]["f:metadata"] = {"f:annotations": {"f:theirs": {}}}

    found = handover(WANTED, live(HTTP, METRICS, managed=[ours(HTTP), both]))

    assert found is not None
    mine, theirs = found.managed_fields
    assert theirs["fieldsV1"] == {"f:metadata": {"f:annotations": {"f:theirs": {}}}}
    assert set(mine["fieldsV1"]["f:spec"]["f:ports"]) == {token(HTTP), token(METRICS)}


def test_only_the_version_that_was_read_is_changed_and_the_owner_is_told() -> None:
    found = handover(WANTED, STRAYS["a key that a person edited"])

    assert found is not None
    assert found.entries == ("spec.ports[port=8080,protocol=TCP] (kubectl-edit)",)
    assert found.patch[1] == {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}


def test_the_observed_object_is_not_touched() -> None:
    there = STRAYS["a key that anybody edited"]
    before = json.dumps(there)

    handover(WANTED, there)

    assert json.dumps(there) == before
