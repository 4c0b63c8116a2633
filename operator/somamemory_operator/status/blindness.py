"""What the operator cannot look at: told only when there is such a kind."""

from collections.abc import Iterator

from somamemory_operator.model.conditions import Condition
from somamemory_operator.model.observed import World

_REMEDY = "Give the operator these rights, as this release's chart does; it is noticed within a minute."


def blindness(world: World) -> Iterator[Condition]:
    """One condition for all kinds that are refused. Those that decide about the components keep it from being Ready."""
    found = [*world.unread.values(), *world.unwatched.values()]
    if not found:
        return
    said = [why.message for why in world.unread.values()]
    if world.unwatched:
        said += [why.message for why in world.unwatched.values()]
        said.append(f"Changes of {', '.join(sorted(world.unwatched))} are noticed only now and then.")
    yield Condition("Observed", "False", found[0].reason, " ".join([*said, _REMEDY]))
