"""Which image each store runs, and which changes of it wait: for the user, for a window, or for their turn.

Both Secrets with the credentials, which live as long as the data, tell which image was chosen for each store: nothing
else knows it when a StatefulSet was edited, or is gone. What that record says runs. It moves on in two ways:

- what the spec says itself is the user's word, and is taken; a step that the data does not survive is refused before;
- what only a default of the operator says waits until the user agrees, or a window is open.

Either is taken when it is the store's turn (`decide.turns`). The record moves first, the StatefulSet follows in the
next pass, so that it never runs what is not recorded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from somamemory_operator.decide import images
from somamemory_operator.decide.credentials import secret_names
from somamemory_operator.decide.durability import REMEDY, is_at_stake
from somamemory_operator.decide.features import finalized, unfinalized
from somamemory_operator.decide.recovery import recovery
from somamemory_operator.decide.steps import Obstacle, obstacle, version_of
from somamemory_operator.decide.turns import Standing, blocker, has_started, image_of, newest_of
from somamemory_operator.model import names
from somamemory_operator.model.desired import StoreChange
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import World, at
from somamemory_operator.model.pod_problems import lacks_image
from somamemory_operator.model.rollout import is_rolled_out
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.resource.stores import Store
from somamemory_operator.settings import Settings

_AT_STAKE = f"It would restart Postgres, whose memories are on no volume: {REMEDY}."

_LOOKED_AT = ("StatefulSet", "Deployment", "Pod", "PersistentVolumeClaim", "Secret")
"""Kinds without which nobody knows whose turn it is: what cannot be read is unknown, not absent."""


@dataclass(frozen=True)
class Versions:
    """What each store runs now, the annotations that remember it, and what is still to come.

    `unfinalized` is the image of Kafka whose features are still to be finalised.
    """

    images: Mapping[Component, str]
    record: Mapping[str, str]
    changes: tuple[StoreChange, ...]
    unfinalized: str | None


@dataclass(frozen=True)
class Intent:
    """What one store runs, what the spec says itself, and what the operator's defaults would make of it."""

    standing: Standing
    told: str
    wanted: str

    def obstacle(self, image: str) -> Obstacle | None:
        """What keeps the store's data from being opened by this image."""
        opened = self.standing.opened
        return None if opened is None else obstacle(self.standing.store, opened, image)


def choose(memory: SomaMemory, world: World, settings: Settings, now: datetime | None = None) -> Versions:
    """The images of all four stores. Without a `now` no window is open."""
    intents = {store: intent(memory, world, settings, store) for store in STORES}
    hindrance = _hindrance(memory, world)
    agreed = memory.spec.upgrade.is_agreed(settings.release, now) and hindrance is None
    kept = frozenset({Component.POSTGRES} if is_at_stake(memory, world) else ())  # what a restart would lose
    targets = {store: _target(each, agreed=agreed and store not in kept) for store, each in intents.items()}
    own = [store for store in STORES if getattr(memory.spec, store.value).external is None]
    standings = {store: intents[store].standing for store in own}
    due = frozenset(store for store in own if targets[store] != standings[store].runs)
    is_api_well = _is_api_well(memory, world)
    unseen = next((kind for kind in _LOOKED_AT if kind in world.unread), None)
    waits = {store: unseen or blocker(store, due, standings, is_api_well=is_api_well) for store in due}
    chosen = {store: targets[store] if waits.get(store, "") is None else standings[store].runs for store in own}
    known = {store: each.standing for store, each in intents.items() if store in own or each.standing.opened}
    remembered = {store: standing.runs for store, standing in known.items()} | chosen
    waiting = (_waiting(standings[store], targets[store], waits[store]) for store in own if store in due)
    invitation = hindrance or _invitation(memory, settings)
    whys = {store: f"{_AT_STAKE} {invitation}" if store in kept else invitation for store in STORES}
    pending = (_pending(intents[store], targets[store], whys[store]) for store in own)
    kafka = intents[Component.KAFKA].standing
    done = finalized(kafka, _recorded(memory, world, names.FINALIZED_ANNOTATION), world)
    return Versions(
        images={store: each.standing.runs for store, each in intents.items()},
        record=_record(remembered, known) | ({names.FINALIZED_ANNOTATION: done} if done is not None else {}),
        changes=(*waiting, *(change for change in pending if change is not None)),
        unfinalized=unfinalized(kafka, done),
    )


def intent(memory: SomaMemory, world: World, settings: Settings, store: Component) -> Intent:
    """How a store stands, and what is asked of it; one that does not exist yet runs what is wanted, at once."""
    part: Store = getattr(memory.spec, store.value)
    default, registry = getattr(settings, f"image_{store.value}"), memory.spec.image_registry
    wanted = images.reference(default, part.image, registry=registry)
    standing = _standing(memory, world, store) or Standing(store, wanted)
    # Whoever takes a misspelt image out of the spec again means the one before it.
    base = (standing.opened or wanted) if standing.is_unobtainable else standing.runs
    return Intent(standing, images.told(base, wanted, part.image, registry=registry), wanted)


def _standing(memory: SomaMemory, world: World, store: Component) -> Standing | None:
    """How a store stands that is there, or whose data is; one without pods and without its volume is to be made."""
    part: Store = getattr(memory.spec, store.value)
    live, claims, pods = (
        world.get("StatefulSet", names.child(memory.name, store)),
        world.claims_of(store),
        world.pods_of(store),
    )
    if part.persistence.enabled and not claims and not pods:
        return None
    recorded = _recorded(memory, world, names.RUNS_ANNOTATION[store])
    found = (image_of(obj, store) for obj in (live, *pods))
    runs = recorded or next((image for image in found if image), None)
    if runs is None:
        return None
    newest = newest_of(live, pods) if image_of(live, store) == runs else []
    standing = Standing(store, runs, live, is_unobtainable=any(lacks_image(pod) for pod in newest))
    if not claims:  # what it holds goes with its pod
        return standing
    is_open = (standing.is_at_rest and at(live, "status", "readyReplicas")) or any(has_started(pod) for pod in newest)
    opened = _recorded(memory, world, names.OPENED_ANNOTATION[store])
    return replace(standing, opened=runs if is_open or recorded is None else opened)


def _is_api_well(memory: SomaMemory, world: World) -> bool:
    """Whether the API is there and ready, or not to be there yet."""
    api = world.get("Deployment", names.child(memory.name, Component.API))
    return api is None or is_rolled_out(api)


def _recorded(memory: SomaMemory, world: World, annotation: str) -> str | None:
    secrets = (world.get("Secret", name) for name in secret_names(memory.name))
    values = (at(secret, "metadata", "annotations", annotation) for secret in secrets)
    return next((str(value) for value in values if value), None)


def _record(chosen: Mapping[Component, str], standings: Mapping[Component, Standing]) -> dict[str, str]:
    """The annotations; a store whose data nobody has opened has only the first."""
    opened = {names.OPENED_ANNOTATION[store]: standing.opened for store, standing in standings.items()}
    runs = {names.RUNS_ANNOTATION[store]: image for store, image in chosen.items()}
    return runs | {annotation: image for annotation, image in opened.items() if image is not None}


def _target(each: Intent, *, agreed: bool) -> str:
    """What the store should run as soon as it is its turn."""
    if each.told != each.standing.runs and each.obstacle(each.told) is not None:
        return each.standing.runs
    return each.wanted if agreed and each.obstacle(each.wanted) is None else each.told


def _waiting(standing: Standing, target: str, blocked: str | None) -> StoreChange:
    until = "can be read" if blocked in _LOOKED_AT else "is rolled out and ready"
    why = f"Waits until {blocked} {until}." if blocked else "Its turn has come."
    return StoreChange(standing.store, standing.runs, target, why, is_due=True)


def _pending(each: Intent, target: str, invitation: str) -> StoreChange | None:
    """What a default of the operator would change, if it is not about to."""
    if each.wanted in (target, each.told):
        return None
    if (found := each.obstacle(each.wanted)) is not None:
        return StoreChange(each.standing.store, target, each.wanted, _sentence(found.message), is_supported=False)
    is_known = version_of(target) and version_of(each.wanted)
    doubt = "" if is_known else " The tags do not tell the versions: make sure of them."
    return StoreChange(each.standing.store, target, each.wanted, invitation + doubt)


def _hindrance(memory: SomaMemory, world: World) -> str | None:
    """Why nothing that the operator brings is taken now, whoever has agreed."""
    if memory.spec.hibernated:
        return "It can be taken after waking up, when it shows whether all is well."
    return "It can be taken when the dump is back." if recovery(memory, world).is_under_way else None


def _invitation(memory: SomaMemory, settings: Settings) -> str:
    window = " or wait for spec.upgrade.window" if memory.spec.upgrade.window else ""
    return f"To take it, set spec.upgrade.agreedTo to {settings.release}{window}."


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
