"""How it stands: the status of a SomaMemory as a pure function of what is observed, never of what was done."""

from datetime import datetime

from somamemory_operator.desired import Desired
from somamemory_operator.errors import Problem
from somamemory_operator.observed import Obj, World
from somamemory_operator.plan import Plan
from somamemory_operator.resource import SomaMemory


def status(
    memory: SomaMemory,
    *,
    desired: Desired | None,
    plan: Plan | None,
    world: World,
    problem: Problem | None,
    now: datetime,
) -> Obj:
    """The whole `.status`.

    `plan` is what is still to be done *after* this pass, computed once more from the world as it is now: only an empty
    one can be Ready. Both `desired` and `plan` are None when a problem kept them from being made.
    """
    raise NotImplementedError


def refused_status(obj: Obj, problem: Problem, now: datetime) -> Obj:
    """The `.status` of an object that could not even be parsed; what was reported before is kept."""
    raise NotImplementedError
