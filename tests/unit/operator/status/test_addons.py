"""What stands beside the components is told in its own condition, in the server's words; Ready stays."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from somamemory_operator.model.addons import addon_of
from somamemory_operator.model.errors import Problem
from somamemory_operator.model.observed import Blindness, Key, Obj
from somamemory_operator.model.reasons import Reason
from somamemory_operator.status.status import status
from tests.unit.operator.fakes import FakeCluster, memory

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SPEC: Obj = {
    "monitoring": {"serviceMonitor": {}, "prometheusRule": {}},
    "backup": {},
    "api": {"ingress": {"host": "memory.example.org"}, "autoscaling": {}},
    "networkPolicy": {"enabled": True},
    "podDisruptionBudget": {"enabled": True},
}
RULE, MONITOR = Key("PrometheusRule", "demo-monitoring"), Key("ServiceMonitor", "demo-api")
CRON, CLAIM = Key("CronJob", "demo-backup"), Key("PersistentVolumeClaim", "demo-backup")


def settled() -> FakeCluster:
    cluster = FakeCluster()
    cluster.settle(memory(SPEC))
    return cluster


def refused(key: Key) -> Problem:
    return Problem(Reason.APPLY_REFUSED, f"{key}: the policy says no. Correct it.", retry=True, key=key)


def told(cluster: FakeCluster, *problems: Problem, spec: Obj = SPEC) -> dict[str, Obj]:
    """The conditions by type, after a pass in which these writes were refused."""
    about = memory(spec)
    desired, plan = cluster.look(about)
    world = cluster.world
    found = status(about, desired=desired, plan=plan, world=world, problem=None, problems=problems, now=NOW)
    return {each["type"]: each for each in found["conditions"]}


def spoilt(cluster: FakeCluster, key: Key) -> FakeCluster:
    """It has to be applied again."""
    del cluster.applied[key]
    return cluster


def lost(cluster: FakeCluster, key: Key) -> FakeCluster:
    cluster.delete(key)
    return cluster


@pytest.mark.parametrize(
    ("key", "condition"),
    [(RULE, "MonitoringReady"), (MONITOR, "MonitoringReady"), (CRON, "BackupReady"), (CLAIM, "BackupReady")],
)
@pytest.mark.parametrize("change", [spoilt, lost])
def test_a_refused_addon_is_told_in_its_own_condition_and_ready_stays(
    key: Key, condition: str, change: Callable[[FakeCluster, Key], FakeCluster]
) -> None:
    """Both were wrong: Ready was False, and the addon's own condition True."""
    found = told(change(settled(), key), refused(key))

    assert (found[condition]["status"], found[condition]["reason"]) == ("False", "ApplyRefused")
    assert found[condition]["message"] == f"{key}: the policy says no. Correct it."
    assert [found[kind]["status"] for kind in ("Ready", "Reconciling", "Stalled")] == ["True", "False", "False"]
    assert condition in found["Stalled"]["message"]


def test_an_addon_that_is_still_to_be_changed_is_not_ready_yet_and_ready_stays() -> None:
    found = told(spoilt(settled(), RULE))

    assert (found["MonitoringReady"]["reason"], found["Ready"]["status"]) == ("Waiting", "True")
    assert "PrometheusRule" in found["MonitoringReady"]["message"]


def test_every_refused_part_of_an_addon_is_named() -> None:
    found = told(settled(), refused(RULE), refused(MONITOR))

    assert "PrometheusRule demo-monitoring: the policy says no." in found["MonitoringReady"]["message"]
    assert "ServiceMonitor demo-api" in found["MonitoringReady"]["message"]


def test_an_addon_that_may_not_be_taken_away_is_told_although_nobody_asks_for_it() -> None:
    spec = SPEC | {"monitoring": {}}

    found = told(settled(), Problem(Reason.FORBIDDEN, "No.", retry=True, key=RULE), spec=spec)

    assert (found["MonitoringReady"]["reason"], found["Ready"]["status"]) == ("Forbidden", "True")


def test_cron_jobs_that_cannot_be_read_are_the_backups_affair() -> None:
    cluster = settled()
    about, (desired, plan) = memory(SPEC), cluster.look(memory(SPEC))
    blindness = {"CronJob": Blindness(Reason.FORBIDDEN, "list CronJob: no.")}
    world = cluster.world.__class__(cluster.world.children, cluster.world.storage_classes, unread=blindness)

    found = status(about, desired=desired, plan=plan, world=world, problem=None, now=NOW)
    conditions = {each["type"]: (each["status"], each["reason"]) for each in found["conditions"]}

    assert conditions["BackupReady"] == ("Unknown", "Forbidden")
    assert conditions["Ready"] == ("True", "Ready")


@pytest.mark.parametrize(
    "key",
    [
        Key("Ingress", "demo-api"),
        Key("HorizontalPodAutoscaler", "demo-api"),
        Key("NetworkPolicy", "demo-redis"),
        Key("PodDisruptionBudget", "demo-api"),
    ],
)
def test_how_a_component_is_reached_scaled_and_protected_does_count(key: Key) -> None:
    """The spec asks for it, and nothing else would tell that it is not so."""
    found = told(settled(), refused(key))

    assert (found["Ready"]["status"], found["Stalled"]["status"]) == ("False", "True")
    assert found["Stalled"]["message"].startswith(f"{key}: the policy says no.")


def test_a_memory_called_like_a_backup_is_no_backup() -> None:
    assert addon_of(Key("Service", "my-backup-api"), "my-backup") is None
    assert addon_of(Key("CronJob", "my-backup-backup"), "my-backup") == "BackupReady"
    assert addon_of(None, "demo") is None
