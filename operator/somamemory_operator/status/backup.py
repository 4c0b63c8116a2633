"""How it stands with the dumps: what counts is the age of the newest one, not whether a Job has failed."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from somamemory_operator.decide.recovery import Recovery
from somamemory_operator.model import names
from somamemory_operator.model.conditions import Condition
from somamemory_operator.model.jobs import failure, has_ended, has_failed, is_complete
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, World, at, component_of, key_of
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.backup import Backup
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.status.volumes import too_small


def backup_condition(memory: SomaMemory, found: Recovery, world: World, now: datetime) -> Iterator[Condition]:
    """The condition `BackupReady`, where dumps are wanted."""
    wanted, live = _wanted(memory), _cron_job(memory, world)
    if wanted is None:
        return
    if (unread := world.unread.get("CronJob")) is not None:
        yield Condition("BackupReady", "Unknown", unread.reason, unread.message)
    elif live is None:
        name = names.child(memory.name, Component.BACKUP)
        yield Condition("BackupReady", "False", Reason.WAITING, f"CronJob {name} does not exist yet.")
    elif memory.spec.hibernated:
        yield Condition("BackupReady", "False", Reason.HIBERNATED, "No dumps are made while hibernated.")
    elif found.is_under_way:
        text = "No dumps are made, and none is removed, while a dump is to be brought back."
        yield Condition("BackupReady", "False", Reason.RESTORING, text)
    else:
        yield _overdue(memory, wanted, live, world, now) or _newest(memory, wanted, live, world)


def backup_times(memory: SomaMemory, world: World) -> Obj | None:
    """`status.backup`: when the newest dump was made, and when the next one will be overdue; None without dumps."""
    wanted, live = _wanted(memory), _cron_job(memory, world)
    if wanted is None or live is None or memory.spec.hibernated:
        return None
    newest, due = _last_success(live, world), _due(wanted, live, world)
    made = {"newest": newest, "overdueAt": _text(due) if due else None}
    return {key: value for key, value in made.items() if value} or None


def _overdue(memory: SomaMemory, wanted: Backup, live: Obj, world: World, now: datetime) -> Condition | None:
    due = _due(wanted, live, world)
    if due is None or now <= due:
        return None
    newest = _last_success(live, world)
    said = f"The newest dump was made at {newest}" if newest else "No dump has been made yet"
    running = next((job for job in _jobs(world) if not has_ended(job)), None)
    why = f" Job {key_of(running).name} runs: look at its log, and delete it if it hangs." if running else ""
    failed = _newest_failed(world)
    why += f" Job {key_of(failed).name} has failed: {_reason(memory, failed)}" if failed else ""
    text = f"{said}; the next one was due by {_text(due)}.{why} {_at_once(memory)}"
    return Condition("BackupReady", "False", Reason.BACKUP_OVERDUE, text)


def _newest(memory: SomaMemory, wanted: Backup, live: Obj, world: World) -> Condition:
    failed = _newest_failed(world)
    if failed is not None:
        text = f"The newest dump could not be made: {_reason(memory, failed)} It is tried again at the next time."
        return Condition("BackupReady", "False", Reason.BACKUP_FAILED, text)
    if (small := too_small(memory, world, Component.BACKUP)) is not None:
        return Condition("BackupReady", "False", small.reason, small.message)
    newest = _last_success(live, world)
    done = f"The newest dump was made at {newest}." if newest else "No dump has been made yet."
    return Condition("BackupReady", "True", Reason.READY, f"{done} Schedule: {wanted.schedule}.")


def _reason(memory: SomaMemory, failed: Obj) -> str:
    if failure(failed)[0] == "DeadlineExceeded":
        return "it took longer than spec.backup.activeDeadlineSeconds: raise that if the database has become large."
    return f"`kubectl logs -n {memory.namespace} job/{key_of(failed).name}` says why."


def _at_once(memory: SomaMemory) -> str:
    name = names.child(memory.name, Component.BACKUP)
    return f"`kubectl create job -n {memory.namespace} --from=cronjob/{name} {name}-now` makes one at once."


def _wanted(memory: SomaMemory) -> Backup | None:
    wanted = memory.spec.backup
    return wanted if wanted is not None and wanted.enabled else None


def _cron_job(memory: SomaMemory, world: World) -> Obj | None:
    return world.get("CronJob", names.child(memory.name, Component.BACKUP))


def _due(wanted: Backup, live: Obj, world: World) -> datetime | None:
    """When the next dump is overdue: counted from the newest one, without one from when they were first wanted."""
    since = _last_success(live, world) or at(live, "metadata", "creationTimestamp")
    return datetime.fromisoformat(since) + timedelta(hours=wanted.oldest_hours) if since else None


def _last_success(live: Obj, world: World) -> str | None:
    """From the CronJob, which remembers longer, and from the Jobs, which know of it sooner."""
    ends = [at(job, "status", "completionTime") for job in _jobs(world) if is_complete(job)]
    return max((end for end in (*ends, at(live, "status", "lastSuccessfulTime")) if end), default=None)


def _newest_failed(world: World) -> Obj | None:
    """The newest backup's Job that has ended, if it has failed."""
    ended = [job for job in _jobs(world) if has_ended(job)]
    newest = max(ended, key=lambda job: at(job, "metadata", "creationTimestamp") or "", default=None)
    return newest if has_failed(newest) else None


def _jobs(world: World) -> list[Obj]:
    return [job for job in world.of_kind("Job") if component_of(job) == Component.BACKUP]


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
