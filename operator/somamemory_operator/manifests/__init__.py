"""Everything that is deployed: the table of contents. No client, no clock, no cluster."""

from somamemory_operator.credentials import Credentials
from somamemory_operator.desired import Desired
from somamemory_operator.observed import World
from somamemory_operator.resource import SomaMemory
from somamemory_operator.settings import Settings


def build(memory: SomaMemory, settings: Settings, world: World, credentials: Credentials) -> Desired:
    """All objects of one SomaMemory, in order, each with the gate that it waits at."""
    return Desired(wanted=(), owner_uid=memory.uid, version=memory.spec.version or settings.version)
