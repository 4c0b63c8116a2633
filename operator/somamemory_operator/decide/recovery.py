"""Where the way back from a dump stands: decided here, from spec and world, and read by everything else.

                        spec.restore names a dump
    NONE ──────────────────────────────────────────────> PENDING <────────────────┐
     ^                                                      │ Postgres is ready,  │ hibernated, another
     │                                                      │ migrated, and used  │ dump, or another
     │                                                      v by nobody           │ database
     │ refused by its Job, and taken away ───────────── RESTORING ────────────────┤
     │                                                      │ Job restore is done │
     │                                                      v                     │
     │ taken away, and migrated and indexed ─────────── REINDEXING ───────────────┘
                                                            │ migrated, Job reindex is done
                                                            v
                                                          DONE ──another dump or run──> PENDING

The world remembers how far it is, so that the operator may be killed anywhere and a Job may be of any release:

- Jobs are annotated with the database and the dump that they are for. Their templates do not count.
- RESTORING_ANNOTATION on the Deployments, and on Postgres' StatefulSet in case both are deleted, says "the database may
  hold that dump, and index and migrations may not fit it". It is written before the Job is made and goes when the index
  is equal: whoever takes spec.restore away meanwhile gets the clients back after migration and index. Only a Job that
  refused to begin is known to have changed nothing.
- RESTORED_ANNOTATION on the same objects says that all is done, DATABASE_ANNOTATION beside it for which database.
- The database knows its dump as well (restore.sh): a Job that comes once too often changes nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from somamemory_operator.model import names
from somamemory_operator.model.jobs import failure, is_at_work, is_complete, is_pod_ready
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, World, at, component_of, is_terminating, key_of, uid_of
from somamemory_operator.resource.somamemory import SomaMemory

_CLIENTS = (Component.API, Component.CONSUMER)
_OVER = ", over an unfinished one"
"""Ends RESTORING_ANNOTATION when the database may hold another dump that was begun before."""
_FINISHED = (names.RESTORED_ANNOTATION, names.DATABASE_ANNOTATION)


class State(StrEnum):
    """How far it is."""

    NONE = "none"
    PENDING = "pending"
    RESTORING = "restoring"
    REINDEXING = "reindexing"
    DONE = "done"


@dataclass(frozen=True)
class Recovery:
    """The one answer. `mark` is the dump that it is about."""

    state: State
    mark: str = ""
    database: str = ""
    """What migrations are for: the database that is there, with the dump that was brought back into it, if any."""
    target: str = ""
    """What the Jobs of this restore are for: the database, with the dump that is being brought back."""
    waits_until: str = ""
    """What has to be so before a pending one begins."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """What Postgres' StatefulSet and the Deployments are to say, so that the world remembers."""
    is_recorded: bool = True
    """Whether they say it."""
    may_restore: bool = False
    """Whether the Job may be made now: the world remembers that it was, and Postgres answers."""
    may_change: bool = False
    """Whether a Job of restore may be at the database, so that no migration may begin."""
    is_lost: bool = False
    """Whether it is done, but the database that the dump was brought back into is no more."""

    @property
    def is_under_way(self) -> bool:
        """Whether API and consumer must have no pods, and no dump may be made or removed."""
        return self.state in (State.PENDING, State.RESTORING, State.REINDEXING)


def recovery(memory: SomaMemory, world: World) -> Recovery:
    """Where it stands with the dump of the spec, or with one that was begun and taken out of the spec since."""
    look = _Look.at(memory, world)
    return _of_spec(look, memory.spec.restore.mark) if memory.spec.restore else _without_spec(look)


def database_uid(memory: SomaMemory, world: World) -> str:
    """What the data lives and dies with: the claim, or without one the pod. Empty while there is neither."""
    if memory.spec.postgres.external is not None:  # it is told by where it is
        chosen = memory.spec.postgres.external
        return f"{chosen.host}:{chosen.port}/{chosen.database}"
    if memory.spec.postgres.persistence.enabled:
        holder = world.get("PersistentVolumeClaim", names.claim(memory.name, Component.POSTGRES))
    else:
        holder = world.get("Pod", names.pod(memory.name, Component.POSTGRES))
    return uid_of(holder) if holder else ""


def is_postgres_ready(memory: SomaMemory, world: World) -> bool:
    """Whether Postgres answers, and it is known what its data lives on."""
    if memory.spec.postgres.external is not None:
        return True
    pod = world.get("Pod", names.pod(memory.name, Component.POSTGRES))
    return pod is not None and is_pod_ready(pod) and database_uid(memory, world) != ""


def would_interrupt(memory: SomaMemory, world: World) -> bool:
    """Whether somebody uses the memories that a restore would replace."""
    live = (world.get("Deployment", names.child(memory.name, client)) for client in _CLIENTS)
    return any(at(obj, "spec", "replicas") != 0 for obj in live if obj is not None)


@dataclass(frozen=True)
class _Look:
    """The facts. `said` are the annotations of the Deployments, or of Postgres' StatefulSet where both are gone.

    It is no third voice: a change of it may have to wait (decide.durability), and then it says what was.
    """

    memory: SomaMemory
    world: World
    uid: str
    said: tuple[Mapping[str, str], ...]

    @classmethod
    def at(cls, memory: SomaMemory, world: World) -> "_Look":
        deployments = [world.get("Deployment", names.child(memory.name, client)) for client in _CLIENTS]
        live = [obj for obj in deployments if obj is not None and not is_terminating(obj)]
        if not live and (postgres := world.get("StatefulSet", names.child(memory.name, Component.POSTGRES))):
            live = [postgres]
        said = tuple(at(obj, "metadata", "annotations") or {} for obj in live)
        return cls(memory, world, database_uid(memory, world), said)

    @property
    def begun(self) -> tuple[str, ...]:
        """The dumps that may be half-way in the database that is there; a new database knows nothing of them."""
        key = names.RESTORING_ANNOTATION
        values = dict.fromkeys(each[key] for each in self.said if key in each)
        return tuple(value for value in values if not self.uid or value.startswith(f"{self.uid} "))

    @property
    def finished(self) -> dict[str, str]:
        """What is remembered of the last dump that was brought back to the end."""
        first = next((each for each in self.said if names.RESTORED_ANNOTATION in each), {})
        return {key: first[key] for key in _FINISHED if key in first}

    def job(self, component: Component, target: str) -> Obj | None:
        """The Job of that component for that database and dump, whatever its template; a complete one first."""
        found = [
            job
            for job in self.world.of_kind("Job")
            if component_of(job) == component
            and at(job, "metadata", "annotations", names.DATABASE_ANNOTATION) == target
        ]
        return next((job for job in found if is_complete(job)), found[0] if found else None)

    def pods(self, *components: Component) -> Iterator[Obj]:
        """The pods of these components that may still do something."""
        return (pod for pod in self.world.of_kind("Pod") if component_of(pod) in components and is_at_work(pod))

    def waits_until(self) -> str:
        """What keeps a restore from beginning, empty when the database is ready and used by nobody."""
        if self.memory.spec.hibernated:
            return "spec.hibernated is false"
        if not is_postgres_ready(self.memory, self.world):
            return "Postgres is ready"
        if not (self.begun or self._is_migrated()):  # a dump needs the roles that a migration makes
            return "the database has been migrated"
        if any(self.pods(*_CLIENTS)):
            return "API and consumer have stopped"
        if dump := next(self.pods(Component.BACKUP), None):
            return f"pod {key_of(dump).name} has made its dump"
        return self.restore_ends() or _end(self.pods(Component.MIGRATION, Component.REINDEX))

    def restore_ends(self) -> str:
        """The pod of a restore that may still write, as something to wait for."""
        return _end(self.pods(Component.RESTORE))

    def _is_migrated(self) -> bool:
        jobs = (job for job in self.world.of_kind("Job") if component_of(job) == Component.MIGRATION)
        databases = (at(job, "metadata", "annotations", names.DATABASE_ANNOTATION) for job in jobs if is_complete(job))
        return any(str(database).partition(" ")[0] == self.uid for database in databases)

    def answer(self, state: State, mark: str, annotations: Mapping[str, str], waits_until: str = "") -> Recovery:
        """The answer, with everything that follows from it."""
        is_in = state in (State.REINDEXING, State.DONE)
        held = mark if is_in else self.finished.get(names.RESTORED_ANNOTATION, "")
        known = (names.RESTORING_ANNOTATION, *_FINISHED)
        is_recorded = all({key: said[key] for key in known if key in said} == annotations for said in self.said)
        is_ready = is_postgres_ready(self.memory, self.world)
        return Recovery(
            state,
            mark=mark,
            database=_joined(self.uid, held),
            target=_joined(self.uid, mark) if self.uid and mark else "",
            waits_until=waits_until,
            annotations=annotations,
            is_recorded=is_recorded,
            may_restore=state is State.RESTORING and is_recorded and bool(self.said) and is_ready,
            may_change=state is State.RESTORING or (state is State.PENDING and bool(self.begun)),
            is_lost=state is State.DONE and self.uid != annotations.get(names.DATABASE_ANNOTATION, self.uid) != "",
        )


def _of_spec(look: _Look, mark: str) -> Recovery:
    """The dump that the spec names."""
    begun = {_plain(value) for value in look.begun}
    if {_mark(value) for value in begun} <= {mark} and (finished := _finished(look, mark)):
        return look.answer(State.DONE, mark, finished)
    target = _joined(look.uid, mark)
    ours = bool(look.uid) and begun == {target}
    going_on = {names.RESTORING_ANNOTATION: look.begun[0]} if begun else {}
    if ours and is_complete(look.job(Component.REINDEX, target)):
        done = {names.RESTORED_ANNOTATION: mark, names.DATABASE_ANNOTATION: look.uid}
        return look.answer(State.DONE, mark, done)
    if look.memory.spec.hibernated:
        return look.answer(State.PENDING, mark, look.finished | going_on, look.waits_until())
    if ours and is_complete(look.job(Component.RESTORE, target)):
        return look.answer(State.REINDEXING, mark, going_on)
    if ours:
        return look.answer(State.RESTORING, mark, going_on)
    if waits_until := look.waits_until():
        return look.answer(State.PENDING, mark, look.finished | going_on, waits_until)
    return look.answer(State.RESTORING, mark, {names.RESTORING_ANNOTATION: target + (_OVER if begun else "")})


def _without_spec(look: _Look) -> Recovery:
    """Nothing is asked for, but what was begun must not be left half-made."""
    if not look.begun or _has_refused(look):
        return look.answer(State.NONE, "", look.finished)
    target = _plain(look.begun[0])
    if is_complete(look.job(Component.REINDEX, target)):
        return look.answer(State.NONE, "", look.finished)
    going_on = {names.RESTORING_ANNOTATION: look.begun[0]}
    if look.memory.spec.hibernated or not look.uid:
        return look.answer(State.PENDING, _mark(target), going_on, look.waits_until())
    if waits_until := look.restore_ends():
        return look.answer(State.PENDING, _mark(target), going_on, waits_until)
    return look.answer(State.REINDEXING, _mark(target), going_on)


def _finished(look: _Look, mark: str) -> dict[str, str]:
    """What one of the objects remembers about this very dump, empty when none has seen its end."""
    first = next((each for each in look.said if each.get(names.RESTORED_ANNOTATION) == mark), {})
    return {key: first[key] for key in _FINISHED if key in first}


def _has_refused(look: _Look) -> bool:
    """Whether the only Job that was begun has said that it leaves everything as it is (restore.sh: refuse)."""
    job = look.job(Component.RESTORE, look.begun[0])
    return len(look.begun) == 1 and failure(job)[0] == "PodFailurePolicy"


def _end(pods: Iterator[Obj]) -> str:
    pod = next(pods, None)
    return f"pod {key_of(pod).name} has ended" if pod is not None else ""


def _joined(uid: str, mark: str) -> str:
    return f"{uid} {mark}" if uid and mark else uid


def _plain(begun: str) -> str:
    return begun.removesuffix(_OVER)


def _mark(begun: str) -> str:
    return _plain(begun).partition(" ")[2]
