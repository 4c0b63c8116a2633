"""Refusals: ordered, small, pure questions about a spec. The first that objects wins; then nothing is applied."""

from somamemory_operator.errors import Problem
from somamemory_operator.observed import World
from somamemory_operator.resource import SomaMemory


def first_refusal(memory: SomaMemory, world: World) -> Problem | None:
    """Why this spec must not be applied to this world, None when it may."""
    return None
