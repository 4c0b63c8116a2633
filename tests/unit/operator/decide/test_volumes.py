"""Volumes: which claims are whose, what is asked of them, and what of a StatefulSet follows from that."""

from typing import Any

import pytest

from somamemory_operator.decide.labels import unlabellings
from somamemory_operator.decide.volumes import growths
from somamemory_operator.model import names
from somamemory_operator.model.desired import Wanted
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Key, Obj
from somamemory_operator.model.reasons import Reason
from tests.unit.operator.fakes import FakeCluster, claim_of, memory, world_of

CLASSES: dict[str, Obj] = {"standard": {"allowVolumeExpansion": True}}
CLAIM = Key("PersistentVolumeClaim", "data-demo-redis-0")
SET = Key("StatefulSet", "demo-redis")


def redis(**persistence: Any) -> Any:
    return memory({"redis": {"persistence": {"enabled": True, **persistence}}})


def settled(**persistence: Any) -> FakeCluster:
    cluster = FakeCluster()
    cluster.settle(redis(**persistence))
    return cluster


NAMES = {
    "data-demo-postgres-0": ("demo", Component.POSTGRES),
    "data-demo-kafka-12": ("demo", Component.KAFKA),
    "data-a-redis-0-redis-0": ("a-redis-0", Component.REDIS),
    "demo-backup": ("demo", Component.BACKUP),
    "data-demo-postgresql-0": None,
    "data-demo-postgres": None,
    "logs-demo-postgres-0": None,
    "backup": None,
}


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_claim_says_whose_it_is(name: str) -> None:
    assert names.claim_name(name) == NAMES[name]


def test_every_name_that_we_make_is_read_back() -> None:
    for store in names.STORES:
        assert names.claim_name(names.claim("demo", store, 3)) == ("demo", store)


OURS = {
    "without any label": {},
    "with labels of an earlier release": names.pod_labels("demo", Component.REDIS),
    "with labels of this release": names.lasting_labels("demo", Component.REDIS),
    "with labels of an application in Git": {names.INSTANCE_LABEL: "team", names.NAME_LABEL: "storage"},
    "ours, and in Git as well": {**names.lasting_labels("demo", Component.REDIS), names.INSTANCE_LABEL: "team"},
    "of Helm": {names.MANAGED_BY_LABEL: "Helm", names.INSTANCE_LABEL: "release"},
}


@pytest.mark.parametrize("case", OURS)
def test_a_claim_of_the_right_name_is_ours(case: str) -> None:
    world = world_of(claim_of("redis", labels=OURS[case]))

    assert len(world.claims_of("redis")) == 1
    assert world.foreign_claims_of("redis") == []


FOREIGN = {
    "of another one, by an earlier release": names.pod_labels("other", Component.REDIS),
    "of another one": names.lasting_labels("other", Component.REDIS),
    "of another store": names.lasting_labels("demo", Component.KAFKA),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_claim_that_is_labelled_as_anothers_is_not_ours_and_holds_its_store_back(case: str) -> None:
    cluster = FakeCluster()
    cluster.objects[CLAIM] = claim_of("redis", labels=dict(FOREIGN[case]))

    desired, todo = cluster.look(redis())

    assert cluster.world.claims_of("redis") == []
    held = {entry.key: entry for entry in todo.held}
    assert held[SET].reason is Reason.CONFLICT
    assert "data-demo-redis-0 is labelled as that of another" in held[SET].message
    assert desired.get(*CLAIM) is None


def test_an_adopted_claim_gets_our_marks_and_keeps_those_of_others() -> None:
    """It may stand in Git: what others say of it, they would only say again."""
    cluster = FakeCluster()
    live = claim_of("redis", labels={names.MANAGED_BY_LABEL: "Helm"}, resourceVersion="1")
    live["metadata"]["annotations"] = {names.SYNC_OPTIONS_ANNOTATION: "Replace=true"}
    cluster.objects[CLAIM] = live

    adopted = cluster.look(redis())[0].get(*CLAIM)

    assert adopted is not None
    assert adopted.obj.keys() == {"apiVersion", "kind", "metadata"}
    labels = adopted.obj["metadata"]["labels"]
    assert (labels[names.OWN_INSTANCE_LABEL], labels[names.OWN_COMPONENT_LABEL]) == ("demo", "redis")
    assert names.MANAGED_BY_LABEL not in labels
    assert adopted.obj["metadata"]["annotations"] == {names.SIZE_ANNOTATION: "5Gi"}


ASKED: dict[str, tuple[str, Obj, str | None]] = {
    "more": ("6Gi", claim_of("redis"), "6Gi"),
    "the same": ("5Gi", claim_of("redis"), None),
    "less than somebody asked for": ("5Gi", claim_of("redis", "9Gi", asked="5Gi"), None),
    "less than somebody asked for, and more than before": (
        "6Gi",
        claim_of("redis", "9Gi", asked="5Gi", capacity="5Gi"),
        None,
    ),
    "less than a growth that failed": ("6Gi", claim_of("redis", "50Gi", asked="50Gi", capacity="5Gi"), "6Gi"),
    "nothing more after a growth that failed": ("5Gi", claim_of("redis", "50Gi", asked="50Gi", capacity="5Gi"), None),
    "more, of a claim that is not bound": ("6Gi", claim_of("redis", capacity=None), None),
    "more, of a class that cannot": ("6Gi", claim_of("redis", storage_class="rigid"), None),
    "more, of a class that we do not know": ("6Gi", claim_of("redis", storage_class="unknown"), "6Gi"),
}


@pytest.mark.parametrize("case", ASKED)
def test_what_is_asked_of_a_claim(case: str) -> None:
    size, claim, asked = ASKED[case]
    world = world_of(claim, storage_classes={**CLASSES, "rigid": {"allowVolumeExpansion": False}})

    found = list(growths(redis(size=size), world))

    assert [growth.size for growth in found] == ([asked] if asked else [])


def test_a_growth_that_is_to_be_lowered_is_remembered_until_that_is_done() -> None:
    """Killed between the two writes, it must still be known whose growth it was."""
    cluster = settled(size="50Gi")
    cluster.objects[CLAIM]["status"]["capacity"]["storage"] = "5Gi"

    before = cluster.look(redis(size="6Gi"))[0].get(*CLAIM)
    cluster.settle(redis(size="6Gi"))

    assert before is not None
    assert before.obj["metadata"]["annotations"][names.SIZE_ANNOTATION] == "50Gi"
    assert cluster.objects[CLAIM]["metadata"]["annotations"][names.SIZE_ANNOTATION] == "6Gi"
    assert cluster.objects[CLAIM]["spec"]["resources"]["requests"]["storage"] == "6Gi"


CHANGES: dict[str, Obj] = {
    "the class is named": {"storageClassName": "standard"},
    "the modes change": {"accessModes": ["ReadWriteOncePod"]},
    "the size grows": {"size": "8Gi"},
}


@pytest.mark.parametrize("case", CHANGES)
def test_templates_stay_to_the_letter_while_their_claims_are_there(case: str) -> None:
    """Of templates nothing can be changed: an apply with others is refused as a whole, images included."""
    cluster = settled()
    cluster.objects[SET]["spec"]["volumeClaimTemplates"][0]["status"] = {"phase": "Pending"}  # as the server fills in
    before = cluster.objects[SET]["spec"]["volumeClaimTemplates"]

    cluster.settle(redis(**CHANGES[case]))

    assert cluster.objects[SET]["spec"]["volumeClaimTemplates"] == before
    assert f"delete {SET}" not in cluster.writes


def test_templates_of_volumes_that_are_gone_are_made_anew() -> None:
    cluster = settled(storageClassName="slow")
    cluster.delete(CLAIM)

    cluster.settle(redis(storageClassName="fast"))

    [template] = cluster.objects[SET]["spec"]["volumeClaimTemplates"]
    assert template["spec"]["storageClassName"] == "fast"


def test_the_claim_for_dumps_keeps_what_cannot_be_changed() -> None:
    """Named by the spec, a class that the cluster has filled in is no change; left out, it would be one."""
    cluster, key = FakeCluster(), Key("PersistentVolumeClaim", "demo-backup")
    cluster.settle(memory({"backup": {}}))
    live = cluster.objects[key]
    live["spec"]["storageClassName"] = "standard"
    live["status"] = {"phase": "Bound", "capacity": {"storage": "10Gi"}}

    cluster.settle(memory({"backup": {"volume": {"accessModes": ["ReadWriteOncePod"], "size": "20Gi"}}}))

    assert cluster.objects[key]["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert cluster.objects[key]["spec"]["storageClassName"] == "standard"
    assert cluster.objects[key]["spec"]["resources"]["requests"]["storage"] == "20Gi"


def marked(**metadata: Any) -> Obj:
    labels = names.lasting_labels("demo", Component.REDIS) | {names.INSTANCE_LABEL: "demo"}
    return claim_of("redis", labels=labels, **metadata)


def wanted() -> Wanted:
    return Wanted(claim_of("redis"))


def test_a_label_that_makes_it_another_tools_is_taken_off() -> None:
    [found] = unlabellings([wanted()], world_of(marked()))

    assert found.key == CLAIM
    assert found.patch == {"metadata": {"uid": "claim-redis", "labels": {names.INSTANCE_LABEL: None}}}


KEPT = {
    "declared in Git": marked(
        managedFields=[
            {
                "manager": "argocd-controller",
                "operation": "Apply",
                "fieldsV1": {"f:metadata": {"f:labels": {f"f:{names.INSTANCE_LABEL}": {}}}},
            }
        ]
    ),
    "of an application": claim_of(
        "redis", labels={**names.lasting_labels("demo", Component.REDIS), names.INSTANCE_LABEL: "team"}
    ),
    "not ours yet": claim_of("redis", labels=names.pod_labels("demo", Component.REDIS)),
}


@pytest.mark.parametrize("case", KEPT)
def test_a_label_stays_where_it_is_not_ours_to_take(case: str) -> None:
    assert list(unlabellings([wanted()], world_of(KEPT[case]))) == []


def test_a_label_that_kubectl_applies_stays() -> None:
    text = f'{{"metadata": {{"labels": {{"{names.INSTANCE_LABEL}": "demo"}}}}}}'
    live = marked()
    live["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = text

    assert list(unlabellings([wanted()], world_of(live))) == []


def test_claims_that_the_controller_has_labelled_lose_that_label_once() -> None:
    cluster = settled()

    assert names.INSTANCE_LABEL not in cluster.objects[CLAIM]["metadata"]["labels"]
    assert cluster.writes.count(f"unlabel {CLAIM}") == 1
