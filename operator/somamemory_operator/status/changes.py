"""Changes of the stores that wait: for the user, for a window, or for their turn."""

from collections.abc import Iterator

from somamemory_operator.model.conditions import Condition
from somamemory_operator.model.desired import Desired, StoreChange
from somamemory_operator.model.jobs import has_failed
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Key, Obj, World, component_of
from somamemory_operator.model.reasons import Reason


def up_to_date(desired: Desired | None, world: World) -> Iterator[Condition]:
    """Whether the stores run what they should; not told while that is unknown. Ready does not depend on it."""
    if desired is None:
        return
    if waiting := [change for change in desired.changes if not change.is_due]:
        stores = " and ".join(dict.fromkeys(change.component.value for change in waiting))
        whys = " ".join(dict.fromkeys(change.why for change in waiting))
        text = f"The operator (release {desired.release}) has another image for {stores}. {whys}"
        yield Condition("UpToDate", "False", Reason.CHANGES_PENDING, text)
    elif desired.changes:
        stores = ", ".join(change.component.value for change in desired.changes)
        text = f"Stores take their new images one after another; still to come: {stores}."
        yield Condition("UpToDate", "False", Reason.WAITING_FOR_STORE, text)
    elif job := _finalizing(desired):
        yield Condition("UpToDate", "False", Reason.FINALIZING_FEATURES, _progress(job, world))
    else:
        text = "The stores run the images that the spec and the operator say."
        yield Condition("UpToDate", "True", Reason.READY, text)


def pending_changes(desired: Desired | None) -> list[Obj]:
    """The changes as they stand in the status."""
    return [_entry(change, desired.release) for change in desired.changes] if desired is not None else []


def due_change(desired: Desired | None, component: Component) -> StoreChange | None:
    """The change of a store that only waits for its turn."""
    changes = desired.changes if desired is not None else ()
    return next((change for change in changes if change.is_due and change.component is component), None)


def _finalizing(desired: Desired) -> Key | None:
    """The Job that finalises what another version of Kafka can do."""
    jobs = (wanted for wanted in desired if wanted.key.kind == "Job" and component_of(wanted.obj) == Component.FEATURES)
    return next((wanted.key for wanted in jobs), None)


def _progress(job: Key, world: World) -> str:
    if has_failed(world.get(*job)):
        return (
            f"Kafka runs, but its metadata stays in the format of the release before, because {job} has failed: its "
            "log says why. It is tried again when the Job is deleted."
        )
    return f"Kafka runs; {job} finalises the features of its release."


def _entry(change: StoreChange, release: str) -> Obj:
    entry: Obj = {
        "component": change.component.value,
        "from": change.before,
        "to": change.after,
        "supported": change.is_supported,
        "message": change.why,
    }
    return entry if change.is_due or not change.is_supported else entry | {"release": release}
