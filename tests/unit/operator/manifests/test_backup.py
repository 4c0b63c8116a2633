"""Backup: dumps by a schedule, on a volume that outlives everything, by a pod that shows no password."""

from datetime import UTC, datetime
from typing import Any

import pytest

from somamemory_operator.model.observed import Key, Obj
from somamemory_operator.resource.backup import Backup
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.status.status import status
from tests.unit.operator.fakes import SETTINGS, FakeCluster, memory

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CRON_JOB = Key("CronJob", "demo-backup")
CLAIM = Key("PersistentVolumeClaim", "demo-backup")


def saved(**backup: Any) -> SomaMemory:
    return memory({"networkPolicy": {"enabled": True}, "backup": backup})


def settled(about: SomaMemory) -> FakeCluster:
    cluster = FakeCluster()
    cluster.settle(about)
    return cluster


def pod(cluster: FakeCluster) -> Obj:
    found: Obj = cluster.objects[CRON_JOB]["spec"]["jobTemplate"]["spec"]["template"]
    return found


def test_dumps_are_made_by_the_image_of_postgres() -> None:
    """The same release as the server, and nothing is installed when it runs (X-10, defect 21)."""
    [container] = pod(settled(saved()))["spec"]["containers"]

    assert container["image"] == SETTINGS.image_postgres
    assert not [word for word in ("apt", "apk", "pip", "curl", "wget") if word in container["command"][-1].split()]


def test_the_password_is_only_in_a_mounted_file() -> None:
    """(X-10)"""
    [container] = pod(settled(saved()))["spec"]["containers"]
    variables = {variable["name"]: variable["value"] for variable in container["env"]}

    assert "args" not in container
    assert "made-up-" not in str(container)
    assert variables["PASSWORD_FILE"] == "/run/credentials/POSTGRES_PASSWORD"
    assert not [name for name in variables if name in ("PGPASSWORD", "POSTGRES_PASSWORD")]


def test_postgres_lets_the_backup_in_and_the_other_stores_do_not() -> None:
    """(X-10, defect 13)"""
    cluster = settled(saved())

    admitted = {
        store: cluster.objects[Key("NetworkPolicy", f"demo-{store}")]["spec"]["ingress"][0]["from"][0]["podSelector"]
        for store in ("postgres", "redis", "qdrant", "kafka")
    }
    labels = pod(cluster)["metadata"]["labels"]
    for store, selector in admitted.items():
        [among] = [each["values"] for each in selector["matchExpressions"]]
        assert labels.items() >= selector["matchLabels"].items()
        assert (labels["app.kubernetes.io/component"] in among) is (store == "postgres")


def test_schedule_and_number_of_dumps_are_as_wanted() -> None:
    """(X-10)"""
    spec = settled(saved(schedule="5 4 * * 0", timeZone="Europe/Berlin", keep=3)).objects[CRON_JOB]["spec"]

    [container] = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("5 4 * * 0", "Europe/Berlin", "Forbid")
    assert {"name": "KEEP", "value": "3"} in container["env"]


def test_the_volume_outlives_backup_and_resource() -> None:
    """It has no owner and is never pruned: a dump that goes with what it saves is none (X-10)."""
    cluster = settled(memory({"deletionPolicy": "Delete", "backup": {"volume": {"size": "20Gi"}}}))
    claim = cluster.objects[CLAIM]
    assert claim["spec"]["resources"]["requests"]["storage"] == "20Gi"
    assert "ownerReferences" not in claim["metadata"]

    cluster.settle(memory())

    assert CLAIM in cluster.objects
    assert CRON_JOB not in cluster.objects


def test_a_volume_of_ones_own_is_used_instead() -> None:
    """(X-10)"""
    cluster = settled(saved(volume={"existingClaim": "mine"}))

    [volume] = [each for each in pod(cluster)["spec"]["volumes"] if "persistentVolumeClaim" in each]
    assert volume["persistentVolumeClaim"]["claimName"] == "mine"
    assert CLAIM not in cluster.objects


def test_pods_run_as_the_user_of_postgres_image() -> None:
    """(X-10)"""
    about = memory({"backup": {}, "postgres": {"podSecurityContext": {"runAsUser": 70, "fsGroup": 70}}})

    context = pod(settled(about))["spec"]["securityContext"]

    assert (context["runAsUser"], context["fsGroup"], context["runAsNonRoot"]) == (70, 70, True)


def test_nothing_is_dumped_while_there_is_no_postgres() -> None:
    """(X-10)"""
    cluster = settled(memory({"backup": {}, "hibernated": True}))

    assert cluster.objects[CRON_JOB]["spec"]["suspend"] is True
    assert settled(saved()).objects[CRON_JOB]["spec"]["suspend"] is False


def report(cluster: FakeCluster, about: SomaMemory, now: datetime = NOW) -> Obj:
    desired, plan = cluster.look(about)
    return status(about, desired=desired, plan=plan, world=cluster.world, problem=None, now=now)


def condition(cluster: FakeCluster, about: SomaMemory, kind: str = "BackupReady", *, now: datetime = NOW) -> Obj | None:
    found = report(cluster, about, now)
    return next((dict(each) for each in found["conditions"] if each["type"] == kind), None)


def ended(cluster: FakeCluster, name: str, made: str, how: str, reason: str = "") -> None:
    """A Job of the CronJob that has ended."""
    conditions = [{"type": how, "status": "True", "reason": reason}]
    begun(cluster, name, made)["status"] = {"conditions": conditions, "completionTime": made}


def begun(cluster: FakeCluster, name: str, made: str) -> Obj:
    """A Job of the CronJob."""
    labels = cluster.objects[CRON_JOB]["spec"]["jobTemplate"]["metadata"]["labels"]
    metadata = {"name": name, "labels": labels, "creationTimestamp": made, "uid": name}
    job: Obj = {"kind": "Job", "metadata": metadata, "status": {"active": 1}}
    cluster.objects[Key("Job", name)] = job
    return job


def wanted_since(cluster: FakeCluster, moment: str, newest: str | None = None) -> FakeCluster:
    """The CronJob as the API server and its controller would have it."""
    cluster.objects[CRON_JOB]["metadata"]["creationTimestamp"] = moment
    cluster.objects[CRON_JOB]["status"] = {"lastSuccessfulTime": newest} if newest else {}
    return cluster


def test_a_dump_that_hangs_is_ended() -> None:
    """Or it would block those after it: the policy is Forbid."""
    jobs = [settled(about).objects[CRON_JOB]["spec"]["jobTemplate"]["spec"] for about in (saved(), saved(keep=3))]
    longer = settled(saved(activeDeadlineSeconds=90_000)).objects[CRON_JOB]["spec"]["jobTemplate"]["spec"]

    assert [job["activeDeadlineSeconds"] for job in jobs] == [21_600, 21_600]
    assert longer["activeDeadlineSeconds"] == 90_000


def test_a_dump_that_hangs_is_told_when_the_next_one_is_overdue() -> None:
    """The condition counts the age of the newest dump, and is stable."""
    cluster, about = wanted_since(settled(saved()), "2025-12-01T00:00:00Z", "2025-12-31T02:03:04Z"), saved()
    begun(cluster, "demo-backup-7", "2026-01-01T02:00:00Z")

    before = condition(cluster, about, now=datetime(2026, 1, 1, 9, 3, 4, tzinfo=UTC))
    after = condition(cluster, about, now=datetime(2026, 1, 1, 9, 3, 5, tzinfo=UTC))
    later = condition(cluster, about, now=datetime(2026, 1, 3, tzinfo=UTC))

    assert (before or {})["status"] == "True"
    assert after is not None
    assert later is not None
    assert (after["status"], after["reason"]) == ("False", "BackupOverdue")
    for words in ("2025-12-31T02:03:04Z", "Job demo-backup-7 runs", "--from=cronjob/demo-backup"):
        assert words in after["message"]
    assert after["message"] == later["message"]
    assert (condition(cluster, about, "Ready") or {})["status"] == "True"


def test_a_dump_that_was_never_made_is_overdue_at_last() -> None:
    """Counted from when dumps were first wanted."""
    cluster, about = wanted_since(settled(saved()), "2026-01-01T00:00:00Z"), saved()

    early = condition(cluster, about, now=datetime(2026, 1, 2, 6, tzinfo=UTC))
    late = condition(cluster, about, now=datetime(2026, 1, 2, 8, tzinfo=UTC))

    assert ((early or {})["reason"], (late or {})["reason"]) == ("Ready", "BackupOverdue")
    assert "No dump has been made yet" in (late or {})["message"]


def test_the_age_may_be_set() -> None:
    """(X-10)"""
    about = saved(maxAgeHours=2)
    cluster = wanted_since(settled(about), "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")

    assert (condition(cluster, about) or {})["reason"] == "BackupOverdue"
    assert report(cluster, about)["backup"] == {"newest": "2026-01-02T00:00:00Z", "overdueAt": "2026-01-02T02:00:00Z"}


@pytest.mark.parametrize(
    ("schedule", "hours"),
    [
        ("*/15 * * * *", 1),
        ("@hourly", 1),
        ("0 */6 * * *", 24),
        ("0 2 * * *", 24),
        ("@daily", 24),
        ("0 2 * * 1-5", 7 * 24),
        ("@weekly", 7 * 24),
        ("0 2 1,15 * 0", 7 * 24),
        ("0 2 31 * *", 62 * 24),
        ("@monthly", 31 * 24),
        ("0 2 1 1,7 *", 366 * 24),
        ("@yearly", 366 * 24),
    ],
)
def test_the_longest_pause_of_a_schedule_is_never_taken_for_too_short(schedule: str, hours: int) -> None:
    """A false alarm is worse than a late one; an hour for a late start and six for the dump come on top."""
    assert Backup(schedule=schedule).oldest_hours == hours + 7


def test_a_dump_that_took_too_long_says_which_field_gives_it_more_time() -> None:
    """Its pod and log are gone."""
    cluster, about = settled(saved()), saved()
    ended(cluster, "demo-backup-2", "2026-01-02T02:00:00Z", "Failed", "DeadlineExceeded")

    found = condition(cluster, about) or {}

    assert found["reason"] == "BackupFailed"
    assert "spec.backup.activeDeadlineSeconds" in found["message"]
    assert "kubectl logs" not in found["message"]


def test_nothing_is_overdue_while_hibernated() -> None:
    """And nothing is said of it, so that the alert is silent."""
    about = memory({"backup": {}, "hibernated": True})
    cluster = wanted_since(settled(about), "2025-01-01T00:00:00Z")

    assert (condition(cluster, about) or {})["reason"] == "Hibernated"
    assert "backup" not in report(cluster, about)


@pytest.mark.parametrize(
    ("older", "newer", "reason"), [("Complete", "Failed", "BackupFailed"), ("Failed", "Complete", "Ready")]
)
def test_the_newest_dump_decides_about_the_condition(older: str, newer: str, reason: str) -> None:
    """And neither is pruned, nor taken for the migration, nor a reason not to be Ready (X-10)."""
    cluster, about = settled(saved()), saved()
    ended(cluster, "demo-backup-2", "2026-01-02T02:00:00Z", newer)
    ended(cluster, "demo-backup-3", "2026-01-01T02:00:00Z", older)

    cluster.settle(about)

    found, ready = condition(cluster, about), condition(cluster, about, "Ready")
    assert found is not None
    assert found["reason"] == reason
    assert ("job/demo-backup-2" in found["message"]) is (newer == "Failed")
    assert ready is not None
    assert ready["status"] == "True"
    assert Key("Job", "demo-backup-2") in cluster.objects


def test_without_the_field_nothing_is_made_or_said() -> None:
    """(X-10)"""
    cluster = settled(memory())

    assert not [key for key in cluster.objects if "backup" in key.name]
    assert condition(cluster, memory()) is None


def test_turned_off_the_volume_stays_and_no_dumps_are_made() -> None:
    """(X-10)"""
    cluster = settled(saved(enabled=False))

    assert CLAIM in cluster.objects
    assert CRON_JOB not in cluster.objects
