"""What would cut the way to data that is there."""

from collections.abc import Iterator

from somamemory_operator.decide import credentials, sources
from somamemory_operator.model import names
from somamemory_operator.model.errors import Problem
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import World
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory


def credentials_are_there(memory: SomaMemory, world: World) -> Iterator[Problem]:
    """A volume of Postgres opens only with the password that it was made with."""
    if "Secret" in world.unread:  # not lost, only not seen
        return
    found = [credentials.decoded(world.get("Secret", name)) for name in credentials.secret_names(memory.name)]
    brought = sources.found(memory, world).values
    lost = not any(values.get(credentials.POSTGRES_PASSWORD) for values in (*found, brought))
    claims = world.claims_of(Component.POSTGRES)
    if lost and claims:
        yield Problem(
            Reason.CREDENTIALS_LOST,
            f"Volume claim {claims[0]['metadata']['name']} holds data, but neither Secret "
            f"{names.credentials(memory.name)} nor its copy has the password: restore one of them from a backup, "
            "or delete the claim to start empty.",
            retry=True,
        )
