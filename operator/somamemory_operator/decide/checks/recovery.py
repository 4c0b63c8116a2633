"""What must not be brought back, or not like this."""

from collections.abc import Iterator

from somamemory_operator.decide.recovery import State, recovery, would_interrupt
from somamemory_operator.model.errors import Problem
from somamemory_operator.model.observed import World
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory


def restores_know_their_volume(memory: SomaMemory, _world: World) -> Iterator[Problem]:
    """The API server's rules say the same; this is for `render`."""
    if memory.spec.restore is not None and memory.spec.backup is None:
        yield Problem(
            Reason.INVALID_SPEC,
            "spec.restore names a dump on the volume of spec.backup, but there is no spec.backup: add it.",
        )


def memories_are_replaced_only_when_asked(memory: SomaMemory, world: World) -> Iterator[Problem]:
    """Nobody's work is interrupted for a restore that the Job would then refuse."""
    restore = memory.spec.restore
    if restore is None or restore.replace_existing or memory.spec.hibernated or not would_interrupt(memory, world):
        return
    found = recovery(memory, world)
    if found.state is State.PENDING and not found.may_change:
        yield Problem(
            Reason.RESTORE_REFUSED,
            f"The memories that are served now would be replaced by the dump {restore.source}: set "
            "spec.restore.replaceExisting to true if they may, or take spec.restore away.",
        )
