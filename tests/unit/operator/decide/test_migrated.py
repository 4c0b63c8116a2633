"""An older release is never deployed on a migrated database, whatever of the objects that tell it is gone."""

from typing import Any

import pytest

from somamemory_operator.decide.checks import first_refusal
from somamemory_operator.decide.credentials import credentials
from somamemory_operator.decide.migrated import as_migrated, migrated_to, repairs
from somamemory_operator.decide.plan import plan
from somamemory_operator.manifests import build
from somamemory_operator.model import names
from somamemory_operator.model.errors import Problem
from somamemory_operator.model.observed import Key
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory
from tests.unit.operator.fakes import SETTINGS, FakeCluster, made, memory

NEWER = SETTINGS.model_copy(update={"version": "0.2.0", "image_api": "example.org/soma-memory-api:0.2.0"})
OLDER = SETTINGS.model_copy(update={"version": "0.1.0", "image_api": "example.org/soma-memory-api:0.1.0"})
VOLUME: dict[str, Any] = {"postgres": {"persistence": {"enabled": True}}}
API, CONSUMER = Key("Deployment", "demo-api"), Key("Deployment", "demo-consumer")


def serving(about: SomaMemory | None = None) -> FakeCluster:
    """What the newer release of the operator has made."""
    cluster = FakeCluster()
    cluster.settle(about or memory(VOLUME), NEWER)
    return cluster


def refusal(cluster: FakeCluster, about: SomaMemory | None = None) -> Problem | None:
    return first_refusal(about or memory(VOLUME), cluster.world, OLDER)


def forget(cluster: FakeCluster, *kinds: str) -> None:
    """Delete all of these kinds."""
    for key in [key for key in cluster.objects if key.kind in kinds]:
        cluster.objects.pop(key, None)


def test_an_operator_that_was_rolled_back_deploys_nothing_older() -> None:
    found = refusal(serving())

    assert found is not None
    assert (found.reason, found.retry) == (Reason.DOWNGRADE, False)
    assert "bring the operator back to release 0.2.0 or newer, or set spec.version to 0.2.0" in found.message


@pytest.mark.parametrize(
    "gone",
    [("Deployment",), ("Job",), ("Deployment", "Job"), ("Deployment", "Job", "StatefulSet", "Pod")],
    ids="+".join,
)
def test_deleting_what_tells_the_release_opens_no_door(gone: tuple[str, ...]) -> None:
    cluster = serving()

    forget(cluster, *gone)

    assert migrated_to(memory(VOLUME), cluster.world) == "0.2.0"
    assert refusal(cluster) is not None


def test_one_deployment_is_enough_to_tell_it() -> None:
    cluster = serving()
    forget(cluster, "Job", "Secret")
    cluster.delete(API)

    assert migrated_to(memory(VOLUME), cluster.world) == "0.2.0"


def test_a_somamemory_made_again_over_its_volumes_is_known() -> None:
    cluster = serving()

    forget(cluster, *(kind for kind in {key.kind for key in cluster.objects} - {"Secret", "PersistentVolumeClaim"}))

    assert refusal(cluster) is not None


def test_a_database_that_is_no_more_is_forgotten() -> None:
    cluster = serving()

    forget(cluster, *({key.kind for key in cluster.objects} - {"Secret"}))

    assert refusal(cluster) is None


def migrating(**status: Any) -> FakeCluster:
    """A release is being rolled out; its migration stands like this."""
    cluster = FakeCluster()
    cluster.settle(memory(VOLUME), OLDER)
    cluster.step(memory({**VOLUME, "version": "0.3.0"}), OLDER)
    for live in cluster.objects.values():
        if live["kind"] == "Job" and live["metadata"]["labels"][names.VERSION_LABEL] == "0.3.0":
            live["status"] = status
    return cluster


def test_a_migration_that_never_ran_may_be_taken_back() -> None:
    """The tag was misspelt: nothing has touched the database."""
    assert refusal(migrating(active=1, ready=0)) is None


@pytest.mark.parametrize(
    "status",
    [{"active": 1, "ready": 1}, {"conditions": [{"type": "Complete", "status": "True"}]}],
    ids=["running", "complete"],
)
def test_a_migration_that_runs_or_ran_counts_before_anything_is_deployed(status: Any) -> None:
    found = refusal(migrating(**status))

    assert found is not None
    assert "release 0.3.0" in found.message


def test_a_branch_is_neither_refused_nor_remembered() -> None:
    cluster, about = FakeCluster(), memory({**VOLUME, "version": "main"})
    cluster.settle(about, OLDER)

    assert first_refusal(about, cluster.world, OLDER) is None
    secrets = [live for key, live in cluster.objects.items() if key.kind == "Secret"]
    assert not [each for each in secrets if names.MIGRATED_ANNOTATION in (each["metadata"].get("annotations") or {})]


def test_meanwhile_what_is_deleted_comes_back_in_the_release_that_runs_and_nothing_else_is_touched() -> None:
    cluster = serving()
    cluster.applied.clear()
    for key in (API, Key("Service", "demo-api"), Key("ServiceAccount", "demo-redis")):
        cluster.delete(key)
    world, about = cluster.world, as_migrated(memory(VOLUME), cluster.world)

    desired = build(about, OLDER, world, credentials(world, about, made))
    found = repairs(plan(desired, world, cluster.applied), world)

    missing = {Key(body["kind"], body["metadata"]["name"]): body for body in found.applies}
    assert set(missing) >= {API, Key("Service", "demo-api"), Key("ServiceAccount", "demo-redis")}
    assert not set(missing) & set(world.children)
    assert (found.deletions, found.growths) == ((), ())
    [container] = missing[API]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "example.org/soma-memory-api:0.2.0"
