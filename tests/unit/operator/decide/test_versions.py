"""Store images change when somebody who may has said so, in steps that the data survives, one store after another."""

from datetime import UTC, datetime
from typing import Any

import pytest

from somamemory_operator.decide.checks import first_refusal
from somamemory_operator.model import names
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import Blindness, Key, Obj
from somamemory_operator.model.reasons import Reason
from somamemory_operator.settings import Settings
from tests.unit.operator.fakes import SETTINGS, FakeCluster, memory

NEWER = SETTINGS.model_copy(
    update={
        "image_postgres": "docker.io/library/postgres:16.11",
        "image_redis": "docker.io/library/redis:8.2",
        "image_qdrant": "docker.io/qdrant/qdrant:v1.17.1-unprivileged",
        "image_kafka": "docker.io/apache/kafka:4.2.0",
    }
)
NEXT_MAJOR = SETTINGS.model_copy(update={"image_postgres": "docker.io/library/postgres:17"})
VOLUMES: Obj = {store.value: {"persistence": {"enabled": True}} for store in STORES}
AGREED: Obj = VOLUMES | {"upgrade": {"agreedTo": NEWER.release}}
WINDOW: Obj = {"upgrade": {"stores": "Window", "window": {"days": ["Sunday"], "start": "02:00", "hours": 2}}}
SUNDAY = datetime(2026, 2, 1, 3, 0, tzinfo=UTC)


def settled(spec: Obj | None = None, settings: Settings = SETTINGS) -> FakeCluster:
    cluster = FakeCluster()
    cluster.settle(memory(spec), settings)
    return cluster


def images(cluster: FakeCluster) -> dict[str, str]:
    return {store.value: image_of(cluster, store.value) for store in STORES}


def image_of(cluster: FakeCluster, store: str) -> str:
    live: Any = cluster.objects[Key("StatefulSet", f"demo-{store}")]
    return str(live["spec"]["template"]["spec"]["containers"][0]["image"])


def pending(cluster: FakeCluster, spec: Obj | None, settings: Settings) -> dict[str, str]:
    """What is to come for each store, and does not only wait for its turn."""
    changes = cluster.look(memory(spec), settings)[0].changes
    return {change.component.value: change.after for change in changes if not change.is_due}


def order_of_change(cluster: FakeCluster, spec: Obj, settings: Settings) -> list[set[str]]:
    """Which stores take another image in each pass, with the controllers at work between two passes."""
    passes = []
    for _ in range(16):
        before = images(cluster)
        cluster.step(memory(spec), settings)
        cluster.run_controllers()
        changed = {store for store, image in images(cluster).items() if image != before[store]}
        passes.append(changed)
    return [changed for changed in passes if changed]


def test_another_default_of_the_operator_changes_no_store() -> None:
    cluster = settled(VOLUMES)
    before = images(cluster)

    cluster.settle(memory(VOLUMES), NEWER)

    assert images(cluster) == before


def test_what_the_operator_would_change_is_pending() -> None:
    cluster = settled(VOLUMES)

    assert pending(cluster, VOLUMES, NEWER) == {
        "postgres": NEWER.image_postgres,
        "redis": NEWER.image_redis,
        "qdrant": NEWER.image_qdrant,
        "kafka": NEWER.image_kafka,
    }


def test_pending_changes_leave_the_world_settled() -> None:
    cluster = settled(VOLUMES)
    cluster.settle(memory(VOLUMES), NEWER)
    cluster.writes.clear()

    assert cluster.step(memory(VOLUMES), NEWER).is_settled
    assert cluster.writes == []


def test_agreed_changes_are_taken_one_store_after_another_the_truth_last() -> None:
    cluster = settled(VOLUMES)

    order = order_of_change(cluster, AGREED, NEWER)

    assert order == [{"redis"}, {"qdrant"}, {"kafka"}, {"postgres"}]
    assert pending(cluster, AGREED, NEWER) == {}


def test_images_that_the_user_changes_together_are_taken_one_after_another() -> None:
    cluster = settled(VOLUMES)
    spec = {store: {**VOLUMES[store], "image": {"tag": tag}} for store, tag in TAGS.items()}

    assert order_of_change(cluster, spec, SETTINGS) == [{"redis"}, {"qdrant"}, {"kafka"}, {"postgres"}]


TAGS = {"postgres": "16.11", "redis": "8.2", "qdrant": "v1.17.1", "kafka": "4.2.0"}


@pytest.mark.parametrize(
    ("upgrade", "now", "expected"),
    [
        ({}, SUNDAY, 0),
        ({"agreedTo": SETTINGS.release}, SUNDAY, 0),
        ({"agreedTo": NEWER.release}, None, 4),
        ({"stores": "Automatic"}, None, 4),
        (WINDOW["upgrade"], SUNDAY.replace(hour=4), 0),
        (WINDOW["upgrade"], SUNDAY, 4),
        (WINDOW["upgrade"] | {"agreedTo": NEWER.release}, None, 4),
    ],
    ids=["nothing said", "another release agreed", "agreed", "automatic", "window closed", "window open", "both"],
)
def test_who_may_change_stores_beside_the_spec(upgrade: Obj, now: datetime | None, expected: int) -> None:
    cluster = settled(VOLUMES)
    cluster.now = now

    order = order_of_change(cluster, VOLUMES | {"upgrade": upgrade}, NEWER)

    assert len(order) == expected


def test_other_images_under_the_same_release_have_to_be_agreed_to_again() -> None:
    newest = NEWER.model_copy(update={"image_redis": "docker.io/library/redis:8.4"})

    assert len({SETTINGS.release, NEWER.release, newest.release}) == 3


def test_a_store_waits_until_the_api_is_well_again() -> None:
    cluster = settled(VOLUMES)
    cluster.objects[Key("Deployment", "demo-api")]["status"]["readyReplicas"] = 0

    for _ in range(3):
        cluster.step(memory(AGREED), NEWER)

    assert images(cluster) == images(settled(VOLUMES))
    changes = cluster.look(memory(AGREED), NEWER)[0].changes
    assert changes[1].why == "Waits until api is rolled out and ready."


@pytest.mark.parametrize("kind", ["StatefulSet", "Deployment", "Pod"])
def test_no_store_changes_while_it_cannot_be_seen_how_the_others_are(kind: str) -> None:
    cluster = settled(VOLUMES)
    before = images(cluster)
    cluster.unread = {kind: Blindness(Reason.FORBIDDEN, "It is forbidden.")}

    for _ in range(3):
        cluster.step(memory(AGREED), NEWER)
    cluster.unread = {}

    assert images(cluster) == before
    recorded = cluster.objects[Key("Secret", "demo-credentials")]["metadata"]["annotations"]
    assert recorded[names.RUNS_ANNOTATION[Component.REDIS]] == SETTINGS.image_redis


def test_a_store_in_trouble_takes_what_may_mend_it_although_the_api_is_away() -> None:
    cluster = settled(VOLUMES)
    for key in (Key("Deployment", "demo-api"), Key("StatefulSet", "demo-kafka")):
        cluster.objects[key]["status"]["readyReplicas"] = 0

    spec = VOLUMES | {"kafka": {**VOLUMES["kafka"], "image": {"tag": "4.2.0"}}}
    for _ in range(2):
        cluster.step(memory(spec))

    assert image_of(cluster, "kafka").endswith(":4.2.0")


def test_only_one_store_changes_at_a_time_even_when_all_are_in_trouble() -> None:
    """Waking up, for one: everything starts, and nothing is ready yet."""
    cluster = settled(VOLUMES)
    for store in STORES:
        cluster.objects[Key("StatefulSet", f"demo-{store.value}")]["status"]["readyReplicas"] = 0
    before = images(cluster)

    for _ in range(4):
        cluster.step(memory(AGREED), NEWER)

    assert [store for store, image in images(cluster).items() if image != before[store]] == ["redis"]


def test_nothing_that_the_operator_brings_is_taken_in_the_sleep() -> None:
    cluster = settled(VOLUMES)
    asleep = VOLUMES | {"hibernated": True, "upgrade": {"stores": "Automatic"}}

    cluster.settle(memory(asleep), NEWER)

    assert images(cluster) == images(settled(VOLUMES))


def test_nothing_that_the_operator_brings_is_taken_while_a_dump_is_brought_back() -> None:
    cluster = settled(VOLUMES)
    restoring = VOLUMES | {"backup": {}, "restore": {"from": "a.dump", "replaceExisting": True}}
    spec = restoring | {"upgrade": {"stores": "Automatic"}}

    for _ in range(3):
        cluster.step(memory(spec), NEWER)

    assert images(cluster) == images(settled(VOLUMES))
    assert [change.why for change in cluster.look(memory(spec), NEWER)[0].changes] == [
        "It can be taken when the dump is back."
    ] * len(STORES)


def test_the_word_of_the_spec_is_taken_at_once_and_the_rest_is_pending() -> None:
    spec = VOLUMES | {"redis": {**VOLUMES["redis"], "image": {"tag": "7.4"}}}
    cluster = settled(VOLUMES)

    cluster.settle(memory(spec), NEWER)

    assert image_of(cluster, "redis") == "docker.io/library/redis:7.4"
    assert sorted(pending(cluster, spec, NEWER)) == ["kafka", "postgres", "qdrant"]


def test_a_mirror_named_by_the_spec_is_used_for_the_version_that_runs() -> None:
    spec = VOLUMES | {"imageRegistry": "mirror.example.org/soma"}
    cluster = settled(VOLUMES)

    cluster.settle(memory(spec), NEWER)

    assert image_of(cluster, "redis") == "mirror.example.org/soma/library/redis:7"
    assert pending(cluster, spec, NEWER)["redis"] == "mirror.example.org/soma/library/redis:8.2"


def test_a_mirror_named_by_the_operators_settings_is_pending() -> None:
    mirrored = SETTINGS.model_copy(update={"image_redis": "mirror.example.org/library/redis:7"})
    cluster = settled(VOLUMES)

    assert pending(cluster, VOLUMES, mirrored) == {"redis": "mirror.example.org/library/redis:7"}


@pytest.mark.parametrize("spec", [{}, VOLUMES], ids=["without volumes", "with volumes"])
def test_a_new_resource_takes_the_defaults_at_once(spec: Obj) -> None:
    assert image_of(settled(spec, NEWER), "redis") == NEWER.image_redis


def test_a_stateful_set_that_was_deleted_comes_back_as_it_was() -> None:
    """Also when its pod is gone: the volume is there, and what runs on it is remembered."""
    cluster = settled(VOLUMES)
    cluster.delete(Key("StatefulSet", "demo-postgres"))

    cluster.settle(memory(VOLUMES), NEWER)

    assert image_of(cluster, "postgres") == SETTINGS.image_postgres


def test_data_that_was_retained_is_opened_by_what_wrote_it() -> None:
    """The resource was deleted, the operator upgraded, the resource made again: volumes and credentials stayed."""
    cluster = settled(VOLUMES)
    kept = ("Secret", "PersistentVolumeClaim")
    cluster.objects = {key: obj for key, obj in cluster.objects.items() if key.kind in kept}

    cluster.settle(memory(VOLUMES), NEXT_MAJOR)

    assert image_of(cluster, "postgres") == SETTINGS.image_postgres


def test_a_claim_that_was_deleted_frees_the_store_from_its_version() -> None:
    cluster = settled(VOLUMES)
    cluster.objects = {
        key: obj
        for key, obj in cluster.objects.items()
        if key.kind == "Secret" or (key.kind == "PersistentVolumeClaim" and "postgres" not in key.name)
    }

    cluster.settle(memory(VOLUMES), NEXT_MAJOR)

    assert image_of(cluster, "postgres") == NEXT_MAJOR.image_postgres


def test_another_major_version_starts_on_a_new_volume_and_nothing_before_it() -> None:
    """The way of docs/operations.md: asleep, the claim is deleted, then one edit wakes it up with another version."""
    asleep = VOLUMES | {"hibernated": True}
    cluster = settled(VOLUMES)
    cluster.settle(memory(asleep))
    for key in [key for key in cluster.objects if key.kind == "Pod"]:
        del cluster.objects[key]
    cluster.delete(Key("PersistentVolumeClaim", "data-demo-postgres-0"))
    awake = memory(tagged("postgres", "17"))

    assert first_refusal(awake, cluster.world, SETTINGS) is None
    cluster.step(awake)

    assert image_of(cluster, "postgres").endswith(":17")


def test_a_volume_that_grows_does_not_smuggle_in_a_new_version() -> None:
    """Nor when the StatefulSet is lost at that moment, and made again."""
    cluster = settled(VOLUMES)
    larger = VOLUMES | {"postgres": {"persistence": {"enabled": True, "size": "9Gi"}}}

    cluster.delete(Key("StatefulSet", "demo-postgres"))
    cluster.settle(memory(larger), NEWER)

    assert image_of(cluster, "postgres") == SETTINGS.image_postgres


def test_an_image_edited_by_hand_is_repaired_while_a_change_is_pending() -> None:
    cluster = settled(VOLUMES)
    cluster.settle(memory(VOLUMES), NEWER)

    def edit(live: Obj) -> None:
        live["spec"]["template"]["spec"]["containers"][0]["image"] = "example.org/other:1"

    cluster.edit("StatefulSet", "demo-redis", edit)
    cluster.settle(memory(VOLUMES), NEWER)

    assert image_of(cluster, "redis") == SETTINGS.image_redis


def test_stores_made_by_the_release_before_count_as_what_they_run() -> None:
    """It wrote down nothing."""
    cluster = settled(VOLUMES)
    for key in [key for key in cluster.objects if key.kind == "Secret"]:
        cluster.objects[key]["metadata"].pop("annotations", None)

    cluster.settle(memory(VOLUMES), NEXT_MAJOR)

    assert image_of(cluster, "postgres") == SETTINGS.image_postgres
    assert first_refusal(memory(tagged("postgres", "17")), cluster.world, SETTINGS) is not None


def test_a_step_that_the_data_does_not_survive_is_not_even_taken_when_agreed() -> None:
    cluster = settled(VOLUMES)
    spec = VOLUMES | {"upgrade": {"stores": "Automatic"}}

    cluster.settle(memory(spec), NEXT_MAJOR)

    assert image_of(cluster, "postgres") == SETTINGS.image_postgres
    [change] = cluster.look(memory(spec), NEXT_MAJOR)[0].changes
    assert not change.is_supported
    assert "carry the memories over by a dump" in change.why


def tagged(store: str, tag: str) -> Obj:
    return VOLUMES | {store: {**VOLUMES[store], "image": {"tag": tag}}}


@pytest.mark.parametrize(
    ("store", "tag", "reason"),
    [
        ("postgres", "17", Reason.UNSUPPORTED_UPGRADE),
        ("postgres", "15", Reason.DOWNGRADE),
        ("redis", "6.2", Reason.DOWNGRADE),
        ("qdrant", "v1.18.0", Reason.UNSUPPORTED_UPGRADE),
        ("kafka", "3.9.1", Reason.DOWNGRADE),
    ],
)
def test_the_spec_is_refused_when_the_data_would_not_survive(store: str, tag: str, reason: Reason) -> None:
    problem = first_refusal(memory(tagged(store, tag)), settled(VOLUMES).world, SETTINGS)

    assert problem is not None
    assert problem.reason is reason
    assert f"spec.{store}.image asks for " in problem.message
    assert not problem.retry


@pytest.mark.parametrize("tag", ["15", "17"])
def test_without_a_volume_there_is_no_data_that_could_not_survive(tag: str) -> None:
    spec = {"redis": {"image": {"tag": tag}}, "postgres": {"image": {"tag": tag}}}

    assert first_refusal(memory(spec), settled().world, SETTINGS) is None


def test_a_tag_whose_image_never_started_can_be_taken_back() -> None:
    """A newer version that was misspelt has written nothing."""
    cluster = settled(VOLUMES)
    for _ in range(2):
        cluster.step(memory(tagged("kafka", "4.99.0")))
    assert image_of(cluster, "kafka").endswith(":4.99.0")

    assert first_refusal(memory(VOLUMES | tagged("kafka", "4.1.0")), cluster.world, SETTINGS) is None


@pytest.mark.parametrize("spec", [{}, VOLUMES], ids=["without a volume", "with a volume"])
def test_an_image_that_is_not_to_be_had_is_left_when_the_spec_no_longer_names_it(spec: Obj) -> None:
    cluster = settled(spec)
    wrong = spec | {"redis": {**spec.get("redis", {}), "image": {"tag": "99.0-missing"}}}
    for _ in range(2):
        cluster.step(memory(wrong))
    assert image_of(cluster, "redis").endswith(":99.0-missing")
    fail_to_start(cluster, "redis", {"state": {"waiting": {"reason": "ErrImagePull"}}})

    cluster.settle(memory(spec))

    assert image_of(cluster, "redis") == SETTINGS.image_redis


def test_an_image_that_ran_and_is_no_longer_to_be_had_stays() -> None:
    """A node that cannot pull it again tells nothing about the data."""
    cluster = settled(VOLUMES)
    cluster.settle(memory(tagged("redis", "8.2")))
    fail_to_start(cluster, "redis", {"state": {"waiting": {"reason": "ErrImagePull"}}, "restartCount": 1})

    cluster.settle(memory(VOLUMES))

    assert image_of(cluster, "redis").endswith(":8.2")


def fail_to_start(cluster: FakeCluster, store: str, container: Obj) -> None:
    """Bring a store's controller to the newest template, and its pod to a container in this state."""
    live, pod = cluster.objects[Key("StatefulSet", f"demo-{store}")], cluster.objects[Key("Pod", f"demo-{store}-0")]
    live["status"] |= {"observedGeneration": live["metadata"]["generation"], "updateRevision": "new"}
    live["status"]["readyReplicas"] = 0
    pod["metadata"]["labels"]["controller-revision-hash"] = "new"
    pod["status"] = {"containerStatuses": [{"name": store, **container}]}


@pytest.mark.parametrize("state", [{"state": {"running": {}}}, {"state": {"waiting": {}}, "restartCount": 1}])
def test_a_tag_whose_image_has_started_cannot(state: Obj) -> None:
    """It need not have become ready for that."""
    cluster = settled(VOLUMES)
    for _ in range(2):
        cluster.step(memory(tagged("kafka", "4.99.0")))
    fail_to_start(cluster, "kafka", state)
    cluster.step(memory(tagged("kafka", "4.99.0")))

    problem = first_refusal(memory(tagged("kafka", "4.1.0")), cluster.world, SETTINGS)

    assert problem is not None
    assert problem.reason is Reason.DOWNGRADE


def test_what_runs_is_written_down_before_it_runs() -> None:
    """Or a process that dies in between would not know it for data whose StatefulSet is gone."""
    cluster = settled(VOLUMES)

    cluster.step(memory(AGREED), NEWER)

    annotations = cluster.objects[Key("Secret", "demo-credentials")]["metadata"]["annotations"]
    assert annotations[names.RUNS_ANNOTATION[Component.REDIS]] == NEWER.image_redis
    assert image_of(cluster, "redis") == SETTINGS.image_redis


def test_an_operator_that_goes_back_a_release_takes_no_store_along() -> None:
    """Its older images are pending, as steps that the data does not survive. Postgres `16` may be any of 16."""
    cluster = settled(VOLUMES, NEWER)
    spec = VOLUMES | {"upgrade": {"stores": "Automatic"}}

    cluster.settle(memory(spec), SETTINGS)

    assert images(cluster) == images(settled(VOLUMES, NEWER)) | {"postgres": SETTINGS.image_postgres}
    changes = cluster.look(memory(spec))[0].changes
    assert {change.component.value for change in changes if not change.is_supported} == {"redis", "qdrant", "kafka"}
