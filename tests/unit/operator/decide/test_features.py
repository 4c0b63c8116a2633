"""After another version of Kafka has shown that it runs, its features are finalised, once."""

import pytest

from somamemory_operator.model import names
from somamemory_operator.model.observed import Key, Obj
from somamemory_operator.settings import Settings
from tests.unit.operator.fakes import SETTINGS, FakeCluster, memory

VOLUME: Obj = {"kafka": {"persistence": {"enabled": True}}, "upgrade": {"stores": "Automatic"}}
NEWER = SETTINGS.model_copy(update={"image_kafka": "docker.io/apache/kafka:4.2.0"})


def settled(spec: Obj) -> FakeCluster:
    cluster = FakeCluster()
    cluster.settle(memory(spec))
    return cluster


def features(cluster: FakeCluster) -> list[str]:
    """Names of the Jobs that finalise."""
    return [key.name for key in cluster.objects if key.kind == "Job" and "features" in key.name]


def finalized(cluster: FakeCluster) -> str | None:
    annotations = cluster.objects[Key("Secret", "demo-credentials")]["metadata"]["annotations"]
    image: str | None = annotations.get(names.FINALIZED_ANNOTATION)
    return image


def passes_until_features(cluster: FakeCluster, spec: Obj, settings: Settings) -> bool:
    """Whether passes and controllers come to a Job that finalises; it has not ended then."""
    for _ in range(8):
        cluster.step(memory(spec), settings)
        if features(cluster):
            return True
        cluster.run_controllers()
    return False


def test_a_new_kafka_has_nothing_to_finalise() -> None:
    cluster = settled(VOLUME)
    cluster.settle(memory(VOLUME))

    assert finalized(cluster) == SETTINGS.image_kafka
    assert features(cluster) == []
    assert not [key for key in cluster.objects if key.kind == "ServiceAccount" and "features" in key.name]


def test_another_version_is_finalised_once_it_is_ready() -> None:
    cluster = settled(VOLUME)

    assert passes_until_features(cluster, VOLUME, NEWER)

    live = cluster.objects[Key("StatefulSet", "demo-kafka")]
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == NEWER.image_kafka
    assert live["status"]["readyReplicas"] == 1
    assert finalized(cluster) == SETTINGS.image_kafka


def test_when_that_is_done_it_is_remembered_and_the_job_goes() -> None:
    cluster = settled(VOLUME)
    assert passes_until_features(cluster, VOLUME, NEWER)

    cluster.run_controllers()
    cluster.settle(memory(VOLUME), NEWER)

    assert finalized(cluster) == NEWER.image_kafka
    assert features(cluster) == []
    cluster.writes.clear()
    assert cluster.step(memory(VOLUME), NEWER).is_settled
    assert cluster.writes == []


def test_a_job_that_failed_stays_and_says_so() -> None:
    cluster = settled(VOLUME)
    assert passes_until_features(cluster, VOLUME, NEWER)
    [name] = features(cluster)
    cluster.objects[Key("Job", name)]["status"] = {"conditions": [{"type": "Failed", "status": "True"}]}

    cluster.settle(memory(VOLUME), NEWER)

    assert features(cluster) == [name]
    assert finalized(cluster) == SETTINGS.image_kafka


@pytest.mark.parametrize(
    "image", ["docker.io/apache/kafka:4.1.1", "mirror.example.org/apache/kafka:4.1.0"], ids=["a patch", "a mirror"]
)
def test_an_image_of_the_same_minor_version_needs_none(image: str) -> None:
    cluster = settled(VOLUME)

    assert not passes_until_features(cluster, VOLUME, SETTINGS.model_copy(update={"image_kafka": image}))
    assert finalized(cluster) == image


def test_without_a_volume_every_kafka_is_a_new_one() -> None:
    spec: Obj = {"upgrade": {"stores": "Automatic"}}
    cluster = settled(spec)

    assert not passes_until_features(cluster, spec, NEWER)
    assert finalized(cluster) is None


def test_nothing_is_finalised_in_the_sleep() -> None:
    cluster = settled(VOLUME)
    assert passes_until_features(cluster, VOLUME, NEWER)

    cluster.step(memory(VOLUME | {"hibernated": True}), NEWER)

    assert features(cluster) == []
