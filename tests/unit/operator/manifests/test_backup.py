"""Backup: dumps by a schedule, on a volume that outlives everything, by a pod that shows no password."""

from datetime import UTC, datetime
from typing import Any

import pytest

from somamemory_operator.model.observed import Key, Obj
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


def condition(cluster: FakeCluster, about: SomaMemory, kind: str = "BackupReady") -> Obj | None:
    desired, plan = cluster.look(about)
    found = status(about, desired=desired, plan=plan, world=cluster.world, problem=None, now=NOW)
    return next((dict(each) for each in found["conditions"] if each["type"] == kind), None)


def ended(cluster: FakeCluster, name: str, made: str, how: str) -> None:
    """A Job of the CronJob that has ended."""
    labels = cluster.objects[CRON_JOB]["spec"]["jobTemplate"]["metadata"]["labels"]
    metadata = {"name": name, "labels": labels, "creationTimestamp": made, "uid": name}
    conditions = [{"type": how, "status": "True"}]
    cluster.objects[Key("Job", name)] = {"kind": "Job", "metadata": metadata, "status": {"conditions": conditions}}


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
