"""Whether the dump that a spec names has been brought back. Deployments that came up after it carry its mark."""

from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, World, at
from somamemory_operator.resource.somamemory import SomaMemory

_CLIENTS = (Component.API, Component.CONSUMER)


def deployments(memory: SomaMemory, world: World) -> list[Obj]:
    """The Deployments of API and consumer that are there."""
    found = (world.get("Deployment", names.child(memory.name, client)) for client in _CLIENTS)
    return [live for live in found if live is not None]


def is_restored(memory: SomaMemory, world: World) -> bool:
    """Whether nothing needs to be restored, now or again: one of the Deployments says so.

    When both are lost, the database itself still knows; then the Job finds that it has nothing to do.
    """
    restore = memory.spec.restore
    marks = [at(live, "metadata", "annotations", names.RESTORED_ANNOTATION) for live in deployments(memory, world)]
    return restore is None or restore.mark in marks


def would_interrupt(memory: SomaMemory, world: World) -> bool:
    """Whether somebody uses the memories that a restore would replace."""
    return any(at(live, "spec", "replicas") != 0 for live in deployments(memory, world))
