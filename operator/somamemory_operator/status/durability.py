"""Whether memories outlive a pod: always told, and with the way there."""

from somamemory_operator.decide.durability import is_on_volume
from somamemory_operator.decide.plan import Plan
from somamemory_operator.model.conditions import Condition
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import World
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory


def durable(memory: SomaMemory, plan: Plan | None, world: World) -> Condition:
    """The condition. It does not keep the SomaMemory from being Ready: memories are served."""
    if memory.spec.postgres.external is not None:
        return Condition("Durable", "True", Reason.READY, "Memories are in a Postgres that somebody else runs.")
    if is_on_volume(memory, world):
        return Condition("Durable", "True", Reason.READY, f"Memories are on a volume.{_others(memory)}")
    text = (
        "Memories are on no volume: they are gone when the pod of Postgres goes. To keep them, carry them over with a "
        'dump ("From development to production" in docs/operations.md).'
    )
    return Condition(
        "Durable",
        "False",
        Reason.NO_VOLUMES,
        " ".join((text, *(each.message for each in (plan.postponed if plan else ())))),
    )


def asleep(memory: SomaMemory, world: World) -> str:
    """What a hibernating SomaMemory keeps."""
    return "volumes are kept" if is_on_volume(memory, world) else "nothing is kept, because there are no volumes"


def _others(memory: SomaMemory) -> str:
    """The stores without a volume, none of which is needed to keep memories."""
    spec = memory.spec
    without = [
        part.value for part in STORES if part != Component.POSTGRES and not getattr(spec, part).persistence.enabled
    ]
    return f" Without a volume, and made anew when lost: {', '.join(without)}." if without else ""
