"""What the status tells about changes of stores that wait."""

from datetime import UTC, datetime
from typing import Any

import pytest

from somamemory_operator.decide.plan import plan
from somamemory_operator.model.observed import Obj
from somamemory_operator.reconcile.reporter import transitions
from somamemory_operator.settings import Settings
from somamemory_operator.status.status import status
from tests.unit.operator.fakes import SETTINGS, FakeCluster, memory

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NEWER = SETTINGS.model_copy(update={"image_redis": "docker.io/library/redis:8.2"})
NEXT_MAJOR = SETTINGS.model_copy(update={"image_postgres": "docker.io/library/postgres:17"})
VOLUME: Obj = {"persistence": {"enabled": True}}


def told(cluster: FakeCluster, spec: Obj, settings: Settings) -> Obj:
    """The status as it is now."""
    wanted, world = memory(spec), cluster.world
    desired, _ = cluster.look(wanted, settings)
    todo = plan(desired, world, cluster.applied)
    return status(wanted, desired=desired, plan=todo, world=world, problem=None, now=NOW)


def condition(report: Obj, kind: str) -> Any:
    return next(each for each in report["conditions"] if each["type"] == kind)


def after_upgrade(spec: Obj, settings: Settings) -> FakeCluster:
    cluster = FakeCluster()
    cluster.settle(memory(spec))
    cluster.settle(memory(spec), settings)
    return cluster


def test_pending_changes_are_listed_and_leave_it_ready() -> None:
    report = told(after_upgrade({}, NEWER), {}, NEWER)

    assert report["pendingChanges"] == [
        {
            "component": "redis",
            "from": "docker.io/library/redis:7",
            "to": "docker.io/library/redis:8.2",
            "release": NEWER.release,
            "supported": True,
            "message": f"To take it, set spec.upgrade.agreedTo to {NEWER.release}.",
        }
    ]
    assert condition(report, "Ready")["status"] == "True"
    assert condition(report, "UpToDate")["status"] == "False"
    assert condition(report, "UpToDate")["reason"] == "ChangesPending"
    assert f"agreedTo to {NEWER.release}" in condition(report, "UpToDate")["message"]


def test_without_changes_it_is_up_to_date() -> None:
    report = told(after_upgrade({}, SETTINGS), {}, SETTINGS)

    assert "pendingChanges" not in report
    assert condition(report, "UpToDate")["status"] == "True"


def test_a_change_that_the_data_does_not_survive_says_what_to_do_instead() -> None:
    spec = {"postgres": VOLUME}
    report = told(after_upgrade(spec, NEXT_MAJOR), spec, NEXT_MAJOR)

    [change] = report["pendingChanges"]
    assert change["supported"] is False
    assert "release" not in change, "nobody can agree to it"
    assert "Postgres 17 cannot open the data of Postgres 16" in change["message"]
    assert condition(report, "Ready")["status"] == "True"


def test_tags_that_tell_no_version_are_said_to() -> None:
    local = SETTINGS.model_copy(update={"image_redis": "localhost/somamemory/redis:7f1c2b3a"})

    [change] = told(after_upgrade({}, local), {}, local)["pendingChanges"]

    assert "The tags do not tell the versions" in change["message"]


def test_what_was_asked_for_and_waits_for_its_turn_is_not_ready() -> None:
    """The spec is not fulfilled, although everything runs."""
    spec = {"redis": {"image": {"tag": "8.2"}}, "qdrant": {"image": {"tag": "v1.17.1"}}}
    cluster = FakeCluster()
    cluster.settle(memory())
    cluster.step(memory(spec))
    cluster.step(memory(spec))
    report = told(cluster, spec, SETTINGS)

    assert condition(report, "Ready")["status"] == "False"
    assert condition(report, "QdrantReady")["reason"] == "WaitingForStore"
    assert condition(report, "QdrantReady")["message"] == (
        "Is to run docker.io/qdrant/qdrant:v1.17.1. Waits until redis is rolled out and ready."
    )
    assert condition(report, "UpToDate")["reason"] == "WaitingForStore"
    assert [change["component"] for change in report["pendingChanges"]] == ["qdrant"]


@pytest.mark.parametrize("failed", [False, True])
def test_features_of_kafka_that_are_still_to_be_finalised_are_told(failed: bool) -> None:
    spec: Obj = {"kafka": VOLUME, "upgrade": {"stores": "Automatic"}}
    newer = SETTINGS.model_copy(update={"image_kafka": "docker.io/apache/kafka:4.2.0"})
    cluster = FakeCluster()
    cluster.settle(memory(spec))
    while not any("features" in key.name for key in cluster.objects if key.kind == "Job"):
        cluster.run_controllers()
        cluster.step(memory(spec), newer)
    [job] = [obj for key, obj in cluster.objects.items() if key.kind == "Job" and "features" in key.name]
    if failed:
        job["status"] = {"conditions": [{"type": "Failed", "status": "True"}]}

    found = condition(told(cluster, spec, newer), "UpToDate")

    assert (found["status"], found["reason"]) == ("False", "FinalizingFeatures")
    assert ("has failed: its log says why" in found["message"]) is failed
    assert job["metadata"]["name"] in found["message"]
    assert condition(told(cluster, spec, newer), "Ready")["status"] == "True"


def test_an_event_tells_once_that_changes_are_pending() -> None:
    """Also to a resource whose status is from the release before, which knew no such condition."""
    before = told(after_upgrade({}, SETTINGS), {}, SETTINGS)
    older = before | {"conditions": [each for each in before["conditions"] if each["type"] != "UpToDate"]}
    after = told(after_upgrade({}, NEWER), {}, NEWER)

    for known in (before, older):
        [event] = [each for each in transitions(known, after) if each.reason == "ChangesPending"]
        assert event.note.startswith("UpToDate is False: ")
        assert not event.warning
    assert list(transitions(after, after)) == []
    assert not [each for each in transitions(older, before) if "UpToDate" in each.note]
