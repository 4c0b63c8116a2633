"""Restore: once per dump, never over memories unasked, and nobody writes meanwhile."""

from datetime import UTC, datetime
from typing import Any

import pytest

from somamemory_operator.decide.checks import first_refusal
from somamemory_operator.model import names
from somamemory_operator.model.observed import Key, Obj, component_of, uid_of
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.status.status import status
from tests.unit.operator.fakes import SETTINGS, FakeCluster, memory, pod_of

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
POSTGRES = Key("StatefulSet", "demo-postgres")
API, CONSUMER = Key("Deployment", "demo-api"), Key("Deployment", "demo-consumer")
VOLUME = {"persistence": {"enabled": True}}


def wanted(**restore: Any) -> SomaMemory:
    chosen = {"from": "a.dump"} | restore
    return memory({"postgres": VOLUME, "backup": {}, "restore": chosen, "api": {"replicas": 2}})


def serving() -> FakeCluster:
    """A SomaMemory that runs."""
    cluster = FakeCluster()
    cluster.settle(memory({"postgres": VOLUME, "backup": {}, "api": {"replicas": 2}}))
    return cluster


def jobs(cluster: FakeCluster, component: str) -> list[Obj]:
    return [obj for key, obj in cluster.objects.items() if key.kind == "Job" and component_of(obj) == component]


def pods(cluster: FakeCluster) -> int:
    """Of API and consumer."""
    return sum(component_of(obj) in ("api", "consumer") for key, obj in cluster.objects.items() if key.kind == "Pod")


def condition(cluster: FakeCluster, about: SomaMemory, kind: str) -> Obj:
    desired, plan = cluster.look(about)
    found = status(about, desired=desired, plan=plan, world=cluster.world, problem=None, now=NOW)
    return next((dict(each) for each in found["conditions"] if each["type"] == kind), {})


def test_the_steps_come_in_order_and_clients_have_no_pods_meanwhile() -> None:
    """Stop, restore, migrate once more, index anew, start (X-10)."""
    cluster, about = serving(), wanted(replaceExisting=True)
    seen: list[str] = []

    for _ in range(12):
        cluster.step(about)
        for component in ("restore", "migration", "reindex"):
            if any(not job["status"] for job in jobs(cluster, component)):
                seen.append(component)
                assert cluster.objects[API]["spec"]["replicas"] == 0
                assert component != "restore" or pods(cluster) == 0
        cluster.run_controllers()

    assert seen == ["restore", "migration", "reindex"]
    assert (cluster.objects[API]["spec"]["replicas"], pods(cluster)) == (2, 3)
    assert condition(cluster, about, "Restored")["status"] == condition(cluster, about, "Ready")["status"] == "True"


def test_it_happens_once() -> None:
    """Afterwards the Jobs are gone, and a new operator, or one Deployment lost, changes nothing (X-10)."""
    cluster, about = serving(), wanted(replaceExisting=True)
    cluster.settle(about)
    cluster.settle(about)
    assert jobs(cluster, "restore") == []

    cluster.applied.clear()
    cluster.delete(API)
    for _ in range(4):
        cluster.step(about)
        assert jobs(cluster, "restore") == []
        cluster.run_controllers()

    assert cluster.objects[API]["spec"]["replicas"] == 2


def test_the_same_dump_is_restored_again_only_when_told_so() -> None:
    """(X-10)"""
    cluster = serving()
    cluster.settle(wanted(replaceExisting=True))

    cluster.step(wanted(replaceExisting=True, run=2))

    assert cluster.objects[API]["spec"]["replicas"] == 0
    assert condition(cluster, wanted(run=2), "Restored")["status"] == "False"


def test_memories_that_are_served_are_not_replaced_unasked() -> None:
    """And nothing is interrupted to find out (X-10)."""
    refusal = first_refusal(wanted(), serving().world, SETTINGS)

    assert refusal is not None
    assert (refusal.reason, refusal.retry) == ("RestoreRefused", False)
    assert "spec.restore.replaceExisting" in refusal.message
    assert first_refusal(wanted(replaceExisting=True), serving().world, SETTINGS) is None


def test_a_new_resource_may_start_with_a_dump_and_is_not_refused_on_the_way() -> None:
    """(X-10)"""
    cluster, about = FakeCluster(), wanted()

    for _ in range(12):
        assert first_refusal(about, cluster.world, SETTINGS) is None
        cluster.step(about)
        cluster.run_controllers()

    assert condition(cluster, about, "Restored")["status"] == "True"
    assert cluster.objects[API]["metadata"]["annotations"][names.RESTORED_ANNOTATION] == "a.dump #1"
    assert cluster.objects[CONSUMER]["metadata"]["annotations"][names.RESTORED_ANNOTATION] == "a.dump #1"


def failing() -> FakeCluster:
    """The Job has given up; its pod says why."""
    cluster, about = serving(), wanted(replaceExisting=True)
    while not jobs(cluster, "restore"):
        cluster.step(about)
        if not jobs(cluster, "restore"):
            cluster.run_controllers()
    [job] = jobs(cluster, "restore")
    job["status"] = {"conditions": [{"type": "Failed", "status": "True"}]}
    ended = {"state": {"terminated": {"exitCode": 64, "message": "There is no dump a.dump.\nThere are: b.dump "}}}
    said = {"phase": "Failed", "containerStatuses": [{"name": "restore", "ready": False} | ended]}
    cluster.objects[Key("Pod", "demo-restore-x")] = pod_of("demo-restore-x", "restore", said)
    return cluster


def test_a_restore_that_fails_says_why_and_stalls() -> None:
    """(X-10)"""
    cluster, about = failing(), wanted(replaceExisting=True)

    ready = condition(cluster, about, "Ready")

    assert ready["reason"] == "RestoreFailed"
    assert "There is no dump a.dump. There are: b.dump" in ready["message"]
    assert "kubectl delete job -n space demo-restore-" in ready["message"]
    assert condition(cluster, about, "Stalled")["status"] == "True"


def test_taking_the_restore_away_brings_the_clients_back() -> None:
    """(X-10)"""
    cluster, about = failing(), memory({"postgres": VOLUME, "backup": {}, "api": {"replicas": 2}})

    cluster.settle(about)

    assert pods(cluster) == 3
    assert jobs(cluster, "restore") == jobs(cluster, "reindex") == []
    assert condition(cluster, about, "Ready")["status"] == "True"
    assert condition(cluster, about, "Restored") == {}


def asleep(**restore: Any) -> SomaMemory:
    chosen = {"restore": {"from": "a.dump"} | restore} if restore else {}
    return memory({"postgres": VOLUME, "backup": {}, "api": {"replicas": 2}, "hibernated": True, **chosen})


def made_while(cluster: FakeCluster, about: SomaMemory, *, passes: int = 16) -> list[str]:
    """The components of the Jobs that came into being until everything had settled, in order."""
    made: list[str] = []
    for _ in range(passes):
        before = {job["metadata"]["uid"] for job in all_jobs(cluster)}
        todo = cluster.step(about)
        made += [str(component_of(job)) for job in all_jobs(cluster) if job["metadata"]["uid"] not in before]
        cluster.run_controllers()
        if todo.is_settled:
            return made
    raise AssertionError(f"does not settle: {cluster.look(about)[1]}")


def all_jobs(cluster: FakeCluster) -> list[Obj]:
    return [obj for key, obj in cluster.objects.items() if key.kind == "Job"]


def until(cluster: FakeCluster, about: SomaMemory, component: str) -> Obj:
    """Go on until there is a Job of that component, which has not run yet."""
    for _ in range(12):
        cluster.step(about)
        if found := [job for job in jobs(cluster, component) if not job["status"]]:
            return found[0]
        cluster.run_controllers()
    raise AssertionError(f"no Job of {component}: {cluster.look(about)[1]}")


def test_a_restore_that_is_asked_for_while_hibernated_runs_after_waking() -> None:
    """The mark was written while nothing could have been restored."""
    cluster = serving()
    cluster.settle(asleep())

    cluster.settle(asleep(replaceExisting=True))

    assert names.RESTORED_ANNOTATION not in cluster.objects[API]["metadata"].get("annotations", {})
    waiting = condition(cluster, asleep(replaceExisting=True), "Restored")
    assert (waiting["status"], waiting["reason"]) == ("False", "Hibernated")
    assert "spec.hibernated" in waiting["message"]
    assert condition(cluster, asleep(replaceExisting=True), "Ready")["reason"] == "Hibernated"
    assert made_while(cluster, wanted(replaceExisting=True)) == ["migration", "restore", "migration", "reindex"]
    assert condition(cluster, wanted(), "Restored")["status"] == "True"


@pytest.mark.parametrize("step", ["restore", "migration", "reindex"])
def test_hibernating_in_the_middle_of_a_restore_neither_loses_nor_finishes_it(step: str) -> None:
    """Whichever of the Jobs is running."""
    cluster, about = serving(), wanted(replaceExisting=True)
    until(cluster, about, "restore")
    if step != "restore":
        cluster.run_controllers()
        until(cluster, about, step)

    cluster.settle(asleep(replaceExisting=True))

    assert condition(cluster, asleep(replaceExisting=True), "Restored")["status"] == "False"
    made = made_while(cluster, about)
    assert made[-2:] == ["migration", "reindex"]
    assert "restore" in made
    assert condition(cluster, about, "Restored")["status"] == "True"


def test_a_restore_that_was_done_stays_done_through_hibernation() -> None:
    """(X-10)"""
    cluster, about = serving(), wanted(replaceExisting=True)
    cluster.settle(about)

    cluster.settle(asleep(replaceExisting=True))

    assert condition(cluster, asleep(replaceExisting=True), "Restored")["status"] == "True"
    assert "restore" not in made_while(cluster, about)


def test_a_new_memory_that_hibernates_at_once_is_restored_when_it_wakes_up() -> None:
    """(X-10)"""
    cluster = FakeCluster()
    cluster.settle(asleep(replaceExisting=False))
    assert jobs(cluster, "restore") == []

    cluster.settle(wanted())

    assert condition(cluster, wanted(), "Restored")["status"] == "True"


@pytest.mark.parametrize("happened", [False, True])
def test_a_restore_taken_away_in_the_middle_leaves_no_half_made_database(happened: bool) -> None:
    """Nobody can tell whether the Job that was cut off had committed: migrate and index before the clients come."""
    cluster, about = serving(), wanted(replaceExisting=True)
    until(cluster, about, "restore")
    if happened:
        cluster.run_controllers()

    made, plain = [], memory(PLAIN)
    for _ in range(12):
        before = {job["metadata"]["uid"] for job in all_jobs(cluster)}
        cluster.step(plain)
        made += [str(component_of(job)) for job in all_jobs(cluster) if job["metadata"]["uid"] not in before]
        if "reindex" not in made or any(not job["status"] for job in jobs(cluster, "reindex")):
            assert cluster.objects[API]["spec"]["replicas"] == 0
        cluster.run_controllers()

    assert made[:2] == ["migration", "reindex"]
    assert condition(cluster, plain, "Ready")["status"] == "True"
    assert jobs(cluster, "restore") == jobs(cluster, "reindex") == []


PLAIN = {"postgres": VOLUME, "backup": {}, "api": {"replicas": 2}}


def test_nothing_begins_while_the_pod_of_a_restore_that_was_taken_away_may_still_write() -> None:
    """A migration beside it would meet a database that is being dropped."""
    cluster = serving()
    until(cluster, wanted(replaceExisting=True), "restore")
    migrated = [uid_of(job) for job in jobs(cluster, "migration")]
    cluster.objects[Key("Pod", "demo-restore-x")] = pod_of("demo-restore-x", "restore", {"phase": "Running"})

    for _ in range(4):
        cluster.step(memory(PLAIN))
        cluster.run_controllers()
    assert [uid_of(job) for job in jobs(cluster, "migration")] == migrated
    assert pods(cluster) == 0
    assert "demo-restore-x" in condition(cluster, memory(PLAIN), "ApiReady")["message"]

    del cluster.objects[Key("Pod", "demo-restore-x")]
    assert made_while(cluster, memory(PLAIN))[:2] == ["migration", "reindex"]


def failed(cluster: FakeCluster, reason: str) -> None:
    [job] = jobs(cluster, "restore")
    job["status"] = {"conditions": [{"type": "Failed", "status": "True", "reason": reason, "message": "too long"}]}


@pytest.mark.parametrize(
    ("reason", "made"), [("PodFailurePolicy", []), ("DeadlineExceeded", ["migration", "reindex", "migration"])]
)
def test_only_a_job_that_refused_to_begin_is_known_to_have_changed_nothing(reason: str, made: list[str]) -> None:
    """One that was ended by its deadline may just have committed."""
    cluster = serving()
    until(cluster, wanted(replaceExisting=True), "restore")
    failed(cluster, reason)

    assert made_while(cluster, memory(PLAIN)) == made
    assert pods(cluster) == 3


def test_a_refusal_says_nothing_about_a_dump_that_was_begun_before() -> None:
    """The first one may have committed; the second one only says that itself has changed nothing."""
    cluster = serving()
    until(cluster, wanted(replaceExisting=True), "restore")
    until(cluster, wanted(**{"from": "b.dump", "replaceExisting": True}), "restore")
    failed(cluster, "PodFailurePolicy")

    assert made_while(cluster, memory(PLAIN))[:2] == ["migration", "reindex"]


def test_a_restore_that_takes_too_long_says_so() -> None:
    """Its pod is gone, and its log."""
    cluster, about = serving(), wanted(replaceExisting=True)
    until(cluster, about, "restore")
    failed(cluster, "DeadlineExceeded")

    found = condition(cluster, about, "Restored")

    assert (found["status"], found["reason"]) == ("False", "RestoreFailed")
    assert "too long" in found["message"]
    assert condition(cluster, about, "Stalled")["status"] == "True"


def test_a_migration_that_takes_too_long_says_so() -> None:
    """Its pod is gone, and its log."""
    cluster = FakeCluster()
    job = until(cluster, memory(PLAIN), "migration")
    assert job["spec"]["activeDeadlineSeconds"] == 86_400
    job["status"] = {"conditions": [{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]}

    found = condition(cluster, memory(PLAIN), "ApiReady")

    assert found["reason"] == "MigrationFailed"
    assert "took longer than a day" in found["message"]
    assert "kubectl logs" not in found["message"]


def test_a_suspended_restore_is_told() -> None:
    """Such as by a queue for Jobs."""
    cluster, about = serving(), wanted(replaceExisting=True)
    until(cluster, about, "restore")["spec"]["suspend"] = True

    assert condition(cluster, about, "Restored")["reason"] == "JobSuspended"


def test_a_paused_restore_says_that_it_waits() -> None:
    """And goes on afterwards."""
    cluster, about = serving(), wanted(replaceExisting=True)
    until(cluster, about, "restore")
    paused = about.model_copy(update={"spec": about.spec.model_copy(update={"paused": True})})

    found = condition(cluster, paused, "Restored")

    assert (found["status"], found["reason"]) == ("False", "Paused")
    cluster.settle(about)
    assert condition(cluster, about, "Restored")["status"] == "True"


def test_another_dump_takes_over_from_one_that_is_being_restored() -> None:
    """Only the newer one counts, and it waits until the pod of the older one is gone."""
    cluster, other = serving(), wanted(**{"from": "b.dump", "replaceExisting": True})
    job = until(cluster, wanted(replaceExisting=True), "restore")
    pod = pod_of("demo-restore-x", "restore", {"phase": "Running"})
    cluster.objects[Key("Pod", "demo-restore-x")] = pod

    for _ in range(4):
        cluster.step(other)
        cluster.run_controllers()
        assert jobs(cluster, "restore") == []
    del cluster.objects[Key("Pod", "demo-restore-x")]
    newer = until(cluster, other, "restore")

    assert newer["metadata"]["name"] != job["metadata"]["name"]
    cluster.settle(other)
    assert cluster.objects[API]["metadata"]["annotations"][names.RESTORED_ANNOTATION] == "b.dump #1"


def test_an_operator_upgrade_in_the_middle_restores_nothing_twice() -> None:
    """Its Jobs have other templates and so other names, but what the older ones have done is done."""
    cluster, about = serving(), wanted(replaceExisting=True)
    until(cluster, about, "restore")
    cluster.run_controllers()
    [job] = jobs(cluster, "restore")
    del cluster.objects[Key("Job", job["metadata"]["name"])]
    job["metadata"]["name"] = "demo-restore-older"
    cluster.objects[Key("Job", "demo-restore-older")] = job
    newer = SETTINGS.model_copy(update={"image_api": "example.org/api:9", "version": "9"})

    for _ in range(12):
        cluster.step(about, newer)
        assert not [job for job in jobs(cluster, "restore") if not job["status"]]
        cluster.run_controllers()

    assert condition(cluster, about, "Restored")["status"] == "True"
    assert cluster.look(about, newer)[1].is_settled


@pytest.mark.parametrize("consumer", [True, False])
def test_deployments_that_are_deleted_by_hand_come_back_as_restored(consumer: bool) -> None:
    """All of them: the StatefulSet of Postgres remembers as well."""
    spec = {"postgres": VOLUME, "backup": {}, "consumer": {"enabled": consumer}}
    about = memory({**spec, "restore": {"from": "a.dump", "replaceExisting": True}})
    cluster = FakeCluster()
    cluster.settle(memory(spec))
    cluster.settle(about)

    for key in (API, CONSUMER) if consumer else (API,):
        cluster.delete(key)

    assert made_while(cluster, about) == []
    assert cluster.objects[API]["spec"]["replicas"] == 1


def test_a_stateful_set_that_may_not_be_changed_holds_nothing_up() -> None:
    """Without a volume its change waits for the user, and it goes on saying what was (decide.durability)."""
    cluster, about = serving(), wanted(replaceExisting=True)
    until(cluster, about, "restore")
    stale = dict(cluster.objects[POSTGRES]["metadata"]["annotations"])
    assert names.RESTORING_ANNOTATION in stale

    for spec in (memory(PLAIN), about, memory(PLAIN)):
        for _ in range(14):
            cluster.step(spec)
            cluster.run_controllers()
            cluster.edit("StatefulSet", "demo-postgres", lambda live: live["metadata"].update(annotations=dict(stale)))
        assert pods(cluster) == 3
        assert made_while_standing(cluster, spec) == []


def made_while_standing(cluster: FakeCluster, about: SomaMemory) -> list[str]:
    """The components of the Jobs that one more pass makes."""
    before = {uid_of(job) for job in all_jobs(cluster)}
    cluster.step(about)
    return [str(component_of(job)) for job in all_jobs(cluster) if uid_of(job) not in before]


def test_a_dump_that_is_under_way_is_waited_for() -> None:
    """It reads what the restore would drop, and removes old dumps at its end."""
    cluster, about = serving(), wanted(replaceExisting=True)
    cluster.objects[Key("Pod", "dump-now-x")] = pod_of("dump-now-x", "backup", {"phase": "Running"})

    for _ in range(6):
        cluster.step(about)
        cluster.run_controllers()
    assert jobs(cluster, "restore") == []
    assert "dump-now-x" in condition(cluster, about, "Restored")["message"]

    cluster.objects[Key("Pod", "dump-now-x")]["status"]["phase"] = "Succeeded"
    cluster.settle(about)
    assert condition(cluster, about, "Restored")["status"] == "True"


def test_no_dump_is_made_or_removed_while_one_is_to_be_brought_back() -> None:
    """The rotation might remove the very dump."""
    cluster, about = serving(), wanted(replaceExisting=True)
    until(cluster, about, "restore")

    spec = cluster.objects[Key("CronJob", "demo-backup")]["spec"]
    [container] = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert spec["suspend"] is True
    assert {"name": "RESTORING", "value": "a.dump"} in container["env"]

    cluster.settle(about)
    spec = cluster.objects[Key("CronJob", "demo-backup")]["spec"]
    [container] = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert spec["suspend"] is False
    assert "RESTORING" not in {variable["name"] for variable in container["env"]}


def test_a_database_that_is_lost_after_its_restore_is_told_and_not_restored_over() -> None:
    """Without a volume the memories went with the pod; what has been stored since must not be replaced unasked."""
    about = memory({"backup": {}, "restore": {"from": "a.dump"}})
    cluster = FakeCluster()
    cluster.settle(about)
    assert condition(cluster, about, "Restored")["status"] == "True"

    cluster.delete(Key("Pod", "demo-postgres-0"))
    cluster.run_controllers()

    assert "restore" not in made_while(cluster, about)
    found = condition(cluster, about, "Restored")
    assert (found["status"], found["reason"]) == ("False", "RestoreLost")
    assert "spec.restore.run" in found["message"]


def test_a_database_that_is_lost_in_the_middle_is_restored_into_its_successor() -> None:
    """Without a volume."""
    about = memory({"backup": {}, "restore": {"from": "a.dump"}})
    cluster = FakeCluster()
    until(cluster, about, "restore")
    cluster.run_controllers()
    until(cluster, about, "reindex")

    cluster.delete(Key("Pod", "demo-postgres-0"))
    cluster.run_controllers()

    made = made_while(cluster, about)
    assert [part for part in made if part != "migration"][-2:] == ["restore", "reindex"]
    assert condition(cluster, about, "Restored")["status"] == "True"


def test_an_operator_that_is_killed_after_any_write_goes_on() -> None:
    """Each pass forgets everything and gets one write through; the clients never come before the end."""
    cluster, about = serving(), wanted(replaceExisting=True)
    for _ in range(200):
        todo = cluster.step(about, writes=1)
        cluster.applied.clear()
        done = condition(cluster, about, "Restored")["status"] == "True"
        assert done or cluster.objects[API]["spec"]["replicas"] in (0, 2)
        cluster.run_controllers()
        if done and todo.is_idle:
            break
    cluster.settle(about)
    assert condition(cluster, about, "Restored")["status"] == "True"


def test_an_autoscaler_does_not_start_pods_meanwhile() -> None:
    """(X-10)"""
    scaled = {"api": {"autoscaling": {"minReplicas": 3}}, "postgres": VOLUME, "backup": {}}
    cluster, about = FakeCluster(), memory({**scaled, "restore": {"from": "a.dump", "replaceExisting": True}})
    cluster.settle(memory(scaled))

    cluster.step(about)
    assert Key("HorizontalPodAutoscaler", "demo-api") not in cluster.objects
    assert cluster.objects[API]["spec"]["replicas"] == 0

    cluster.settle(about)
    assert Key("HorizontalPodAutoscaler", "demo-api") in cluster.objects
    assert cluster.objects[API]["spec"]["replicas"] == 3


def test_only_postgres_and_the_index_let_the_jobs_in() -> None:
    """(X-10)"""
    cluster = FakeCluster()
    cluster.settle(memory({"networkPolicy": {"enabled": True}}))
    admitted = {
        store: cluster.objects[Key("NetworkPolicy", f"demo-{store}")]["spec"]["ingress"][0]["from"][0]["podSelector"][
            "matchExpressions"
        ][0]["values"]
        for store in ("postgres", "redis", "qdrant", "kafka")
    }

    assert [store for store, among in admitted.items() if "restore" in among] == ["postgres"]
    assert [store for store, among in admitted.items() if "reindex" in among] == ["postgres", "qdrant"]


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a b", "$(id)", "", "-x"])
def test_a_dump_is_a_name_and_nothing_else(name: str) -> None:
    """(X-10)"""
    with pytest.raises(Exception, match=r"spec\.restore\.from"):
        wanted(**{"from": name})


def test_a_restore_needs_the_volume_of_the_backup() -> None:
    """(X-10)"""
    refusal = first_refusal(memory({"restore": {"from": "a.dump"}}), FakeCluster().world, SETTINGS)

    assert refusal is not None
    assert "there is no spec.backup" in refusal.message
