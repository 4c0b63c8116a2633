"""What would cut the way to data that is there."""

from collections.abc import Iterator

from somamemory_operator.decide import credentials, sources
from somamemory_operator.model import names
from somamemory_operator.model.errors import Problem
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import World, at
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory


def memories_are_not_left_behind(memory: SomaMemory, world: World) -> Iterator[Problem]:
    """Only Postgres: of the others everything can be made again."""
    if memory.spec.allow_data_loss:
        return
    live = world.get("Secret", names.external_credentials(memory.name))
    were = str(at(live, "metadata", "annotations", names.EXTERNAL_ANNOTATION) or "").split(",")
    is_external, was_external = memory.spec.postgres.external is not None, Component.POSTGRES.value in were
    holds = world.claims_of(Component.POSTGRES) or world.get(
        "StatefulSet", names.child(memory.name, Component.POSTGRES)
    )
    if is_external and not was_external and holds:
        place = "in the Postgres that the operator runs"
    elif was_external and not is_external:
        place = "in the Postgres that somebody else runs"
    else:
        return
    yield Problem(
        Reason.DATA_LEFT_BEHIND,
        f"The memories are {place}, and would be left behind: carry them over with a dump "
        '("The way of the data" in docs/external-stores.md), then set spec.allowDataLoss to true for the change.',
    )


def credentials_are_there(memory: SomaMemory, world: World) -> Iterator[Problem]:
    """A volume of Postgres opens only with the password that it was made with."""
    if "Secret" in world.unread:  # not lost, only not seen
        return
    found = [credentials.decoded(world.get("Secret", name)) for name in credentials.secret_names(memory.name)]
    brought = sources.found(memory, world).values
    lost = not any(values.get(credentials.POSTGRES_PASSWORD) for values in (*found, brought))
    claims = world.claims_of(Component.POSTGRES)
    if lost and claims and memory.spec.postgres.external is None:
        yield Problem(
            Reason.CREDENTIALS_LOST,
            f"Volume claim {claims[0]['metadata']['name']} holds data, but neither Secret "
            f"{names.credentials(memory.name)} nor its copy has the password: restore one of them from a backup, "
            "or delete the claim to start empty.",
            retry=True,
        )
