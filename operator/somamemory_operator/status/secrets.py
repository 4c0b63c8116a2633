"""How it stands with passwords and tokens: what the source lacks, what is being replaced. Never a value."""

from collections.abc import Iterator

from somamemory_operator.decide import credentials, external, rotation, sources
from somamemory_operator.model import names
from somamemory_operator.model.conditions import Condition
from somamemory_operator.model.errors import Problem
from somamemory_operator.model.jobs import has_failed
from somamemory_operator.model.observed import Obj, World, at, key_of
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory

TYPE = "SecretsReady"


def secrets_ready(memory: SomaMemory, world: World, problem: Problem | None) -> Condition:
    """The condition. It is about what the spec asks for; what runs goes on with the values that it has."""
    if problem is not None and problem.reason in (Reason.CREDENTIALS_LOST, Reason.SECRET_NAME_TAKEN):
        return Condition(TYPE, "False", problem.reason, problem.message)
    if (unread := world.unread.get("Secret")) is not None:
        return Condition(TYPE, "Unknown", unread.reason, unread.message)
    stored = _stored(memory, world)
    is_whole = all(credentials.is_intact(values) and credentials.API_TOKEN in values for values in stored)
    if gaps := (*sources.found(memory, world).gaps, *external.files(memory, world).gaps):
        told = " ".join(gap.message for gap in gaps)
        kept = "What runs goes on with the values from before." if is_whole else "Nothing starts before."
        return Condition(TYPE, "False", gaps[0].reason, f"{told} {kept}")
    if not is_whole:
        return Condition(TYPE, "False", Reason.WAITING, "The credentials are still to be written.")
    if coming := list(_rotating(stored)):
        return _under_way(memory, world, coming)
    text = f"Secret {names.credentials(memory.name)} and its copy are complete."
    return Condition(TYPE, "True", Reason.READY, text)


def told(memory: SomaMemory, world: World) -> Obj:
    """`.status.secrets`: the source, which keys are being replaced, and until when the old token is taken."""
    rotating = sorted(dict.fromkeys(_rotating(_stored(memory, world))))
    live = world.get("Secret", names.credentials(memory.name))
    until = at(live, "metadata", "annotations", names.TOKEN_UNTIL_ANNOTATION)
    made = {
        "source": memory.spec.secrets.source,
        "rotating": rotating,
        "previousTokenUntil": until,
        "external": sorted(external.secrets_of(memory)),
    }
    return {key: value for key, value in made.items() if value}


def _stored(memory: SomaMemory, world: World) -> list[dict[str, str]]:
    return [sources.decoded(world.get("Secret", name)) for name in credentials.secret_names(memory.name)]


def _rotating(stored: list[dict[str, str]]) -> Iterator[str]:
    for values in stored:
        yield from (key for key in sources.ROTATED if f"{key}{rotation.COMING}" in values)


def _under_way(memory: SomaMemory, world: World, coming: list[str]) -> Condition:
    live = world.get("Secret", names.credentials(memory.name))
    job = rotation.job_of(world, str(at(live, "metadata", "annotations", names.ROTATION_ANNOTATION)))
    if job is not None and has_failed(job):
        where = f"-n {memory.namespace} job/{key_of(job).name}"
        text = (
            f"Postgres did not take its new password, and the old one stays valid: `kubectl logs {where}` says why. It "
            f"is tried anew after `kubectl delete {where}`."
        )
        return Condition(TYPE, "False", Reason.ROTATION_FAILED, text)
    text = f"Being replaced, both values are valid meanwhile: {', '.join(sorted(dict.fromkeys(coming)))}."
    return Condition(TYPE, "False", Reason.ROTATING, text)
