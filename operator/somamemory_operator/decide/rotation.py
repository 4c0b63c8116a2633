"""A value that is to be replaced: how it becomes known to everybody before anything stops taking the old one.

    in force: a ──another value is wanted──> in force: a, coming: b ──the store takes b──> in force: b, previous: a

The programs (API, consumer, Jobs) hold both values from the first step on, the newest first, and try the other when a
store refuses one. Their Secret changes in that step only, so whoever watches it sees one change. A store changes over
once every program has read its files anew:

- Postgres by a Job that logs in with the old password and sets the new one,
- Redis and Qdrant by being restarted with it,
- Kafka by a user of its own for each login: its pod takes the one that is coming beside the one in force,
- the API takes both tokens from the first step on, and the old one until its overlap ends.

Everything is remembered on the credentials' Secrets, so the operator may be killed anywhere. A second rotation of a
value begins when the first has ended, and none while a dump is brought back.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from somamemory_operator.decide.recovery import recovery
from somamemory_operator.decide.sources import (
    API_TOKEN,
    KAFKA_LOGIN,
    POSTGRES_PASSWORD,
    QDRANT_API_KEY,
    REDIS_PASSWORD,
    ROTATED,
    decoded,
    places,
)
from somamemory_operator.model import names
from somamemory_operator.model.jobs import is_complete
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, World, applied_at, at, component_of
from somamemory_operator.resource.somamemory import SomaMemory

COMING, PREVIOUS = "_NEXT", "_PREVIOUS"
"""What is added to a key for the other values of it."""
REMEMBERED = (
    names.ROTATION_ANNOTATION,
    names.REQUEST_ANNOTATION,
    names.TOKEN_UNTIL_ANNOTATION,
    names.POSTGRES_BIRTH_ANNOTATION,
)
_KEY_OF = {"postgres": POSTGRES_PASSWORD, "redis": REDIS_PASSWORD, "qdrant": QDRANT_API_KEY}
"""What is not replaced while somebody else runs the store."""
MOUNTED = timedelta(seconds=180)
"""How long a mounted Secret takes at most to reach a pod that runs: the kubelet's period of a minute, and its cache."""


@dataclass(frozen=True)
class Rotation:
    """The values by key, and the annotations that remember how far it is."""

    values: Mapping[str, str] = field(repr=False)
    coming: Mapping[str, str] = field(default_factory=dict, repr=False)
    previous: Mapping[str, str] = field(default_factory=dict, repr=False)
    record: Mapping[str, str] = field(default_factory=dict)

    @property
    def ordinal(self) -> int:
        said = self.record.get(names.ROTATION_ANNOTATION, "")
        return int(said) if said.isdecimal() else 0


def next_state(
    state: Rotation,
    said: Mapping[str, str],
    memory: SomaMemory,
    world: World,
    generate: Callable[[str], str],
    now: datetime | None,
    birth: str,
) -> Rotation:
    """One step from what is remembered: old tokens end, stores that have changed over are noted, rotations begin.

    `birth` is the digest of the password that Postgres' pods were made with, unless one is remembered.
    """
    if recovery(memory, world).is_under_way:
        return state
    taken = {key for key in state.coming if _is_taken(key, state, memory, world, now)}
    idle = {key for store, key in _KEY_OF.items() if getattr(memory.spec, store).external is not None}
    idle |= set() if logs_in_at_kafka(memory, world) else {KAFKA_LOGIN}
    return _begun(_ended(_promoted(state, taken, memory, now), now), said, memory, generate, birth, idle)


def logs_in_at_kafka(memory: SomaMemory, world: World) -> bool:
    """Whether a Kafka of ours asks for a login: it does where it speaks TLS, which both Secrets remember."""
    secrets = (
        world.get("Secret", name) for name in (names.credentials(memory.name), names.credentials_copy(memory.name))
    )
    has_tls = any(at(secret, "metadata", "annotations", names.TLS_ANNOTATION) for secret in secrets)
    return has_tls and memory.spec.kafka.external is None


def programs_know(key: str, coming: Mapping[str, str], memory: SomaMemory, world: World, now: datetime | None) -> bool:
    """Whether every program reads the value that is coming: its pod came after the change, or had time enough."""
    name = names.api_tokens(memory.name) if key == API_TOKEN else names.program_credentials(memory.name)
    live = world.get("Secret", name)
    if live is None or coming[key] not in decoded(live).get(key, "").split():
        return False
    changed = applied_at(live)
    if now is not None and changed is not None and now - changed > MOUNTED:
        return True
    ordinal = at(world.get("Secret", names.program_credentials(memory.name)), *_ORDINAL)
    return all(_came_after(pod, changed, ordinal) for pod in _programs(world))


_ORDINAL = ("metadata", "annotations", names.ROTATION_ANNOTATION)


def _came_after(pod: Obj, changed: datetime | None, ordinal: str | None) -> bool:
    """By what rolled the pod out, or by the times, which are whole seconds."""
    if ordinal is not None and at(pod, *_ORDINAL) == ordinal:
        return True
    born = at(pod, "metadata", "creationTimestamp")
    return changed is not None and born is not None and datetime.fromisoformat(born) > changed


def job_of(world: World, ordinal: str) -> Obj | None:
    """The Job that has Postgres take its new password in this rotation."""
    jobs = (job for job in world.of_kind("Job") if component_of(job) == Component.ROTATION)
    return next((j for j in jobs if at(j, "metadata", "annotations", names.ROTATION_ANNOTATION) == ordinal), None)


def _programs(world: World) -> Iterator[Obj]:
    """Those on their way out, too: they serve until they are gone."""
    return (pod for pod in world.of_kind("Pod") if component_of(pod) in (Component.API, Component.CONSUMER))


def _is_taken(key: str, state: Rotation, memory: SomaMemory, world: World, now: datetime | None) -> bool:
    if key == POSTGRES_PASSWORD:
        return is_complete(job_of(world, str(state.ordinal)))
    if key == KAFKA_LOGIN and not logs_in_at_kafka(memory, world):
        return True
    if key == KAFKA_LOGIN and not _kafka_knows(memory, world, now):
        return False
    return programs_know(key, state.coming, memory, world, now)


def _kafka_knows(memory: SomaMemory, world: World, now: datetime | None) -> bool:
    """Whether Kafka's pod reads the login that is coming. Or the next rotation would leave it with one nobody has."""
    changed = applied_at(world.get("Secret", names.credentials(memory.name)) or {})
    if now is not None and changed is not None and now - changed > MOUNTED:
        return True
    return all(_came_after(pod, changed, None) for pod in world.pods_of(Component.KAFKA))


def _promoted(state: Rotation, taken: set[str], memory: SomaMemory, now: datetime | None) -> Rotation:
    if not taken:
        return state
    record = dict(state.record)
    if API_TOKEN in taken and now is not None:
        until = now + timedelta(seconds=memory.spec.secrets.token_overlap_seconds)
        record[names.TOKEN_UNTIL_ANNOTATION] = until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Rotation(
        {**state.values, **{key: state.coming[key] for key in taken}},
        {key: value for key, value in state.coming.items() if key not in taken},
        {**state.previous, **{key: state.values[key] for key in taken if key in state.values}},
        record,
    )


def _ended(state: Rotation, now: datetime | None) -> Rotation:
    """Without the old token, once its time is over."""
    until = state.record.get(names.TOKEN_UNTIL_ANNOTATION)
    if until is None or now is None or datetime.fromisoformat(until) > now:
        return state
    record = {key: value for key, value in state.record.items() if key != names.TOKEN_UNTIL_ANNOTATION}
    previous = {key: value for key, value in state.previous.items() if key != API_TOKEN}
    return replace(state, previous=previous, record=record)


def _begun(
    state: Rotation,
    said: Mapping[str, str],
    memory: SomaMemory,
    generate: Callable[[str], str],
    birth: str,
    idle: set[str],
) -> Rotation:
    """What is asked for, and differs, is on its way from now on; not what nobody uses (`idle`)."""
    request = memory.spec.secrets.rotate
    is_asked = request is not None and request != state.record.get(names.REQUEST_ANNOTATION) and not state.coming
    brought = places(memory)
    fresh = {key: generate(key) for key in ROTATED if is_asked and key not in brought and state.values.get(key)}
    wanted = {**fresh, **said}
    new = {
        key: value
        for key, value in wanted.items()
        if state.values.get(key) and key not in state.coming and key not in idle and value != state.values[key]
    }
    record = dict(state.record)
    if is_asked and request is not None:
        record[names.REQUEST_ANNOTATION] = request
    if new.keys() - {API_TOKEN}:
        record[names.ROTATION_ANNOTATION] = str(state.ordinal + 1)
    if POSTGRES_PASSWORD in new:
        record.setdefault(names.POSTGRES_BIRTH_ANNOTATION, birth)
    return replace(state, coming={**state.coming, **new}, record=record)
