"""Whose turn it is when several stores are to run another image: one after another, each when all else is well.

Redis goes first, then Qdrant and Kafka, Postgres last: the less it would hurt to lose what a store holds, the earlier
it shows whether the new release is any good, and the truth is touched only when everything else has survived.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, at
from somamemory_operator.model.rollout import generation_of, has_seen, is_rolled_out

ORDER = (Component.REDIS, Component.QDRANT, Component.KAFKA, Component.POSTGRES)
_REVISION_LABEL = "controller-revision-hash"


@dataclass(frozen=True)
class Standing:
    """How one store stands: the image chosen for it, its StatefulSet, and the image that opened its data last.

    `opened` is None as long as no program has opened it: then any version may. `is_unobtainable` says that the chosen
    image cannot be pulled and has never run.
    """

    store: Component
    runs: str
    live: Obj | None = None
    opened: str | None = None
    is_unobtainable: bool = False

    @property
    def is_at_rest(self) -> bool:
        """Whether the chosen image runs, and every pod is ready."""
        return self.live is not None and self._is_applied and is_rolled_out(self.live)

    @property
    def is_changing(self) -> bool:
        """Whether its pods are being replaced by those of another template."""
        if self.live is None:
            return False
        status, is_seen = self.live.get("status") or {}, has_seen(self.live, generation_of(self.live))
        return not (self._is_applied and is_seen and status.get("currentRevision") == status.get("updateRevision"))

    @property
    def _is_applied(self) -> bool:
        return image_of(self.live, self.store) == self.runs


def blocker(
    store: Component, due: Collection[Component], standings: Mapping[Component, Standing], *, is_api_well: bool
) -> str | None:
    """What a store that is to run another image has to wait for, None when it is its turn.

    `standings` are of the stores that the operator runs.

    A store that runs well waits until all others do, and the API too. One in trouble goes before those: the other image
    may be what mends it, and the API cannot be well before; it only waits for another one that is changing.
    """
    order = [each for each in ORDER if each in due]
    first = next((each for each in order if not standings[each].is_at_rest), order[0])
    if store is not first:
        return first.value
    others = [standings[each] for each in ORDER if each is not store and each in standings]
    if not standings[store].is_at_rest:
        return next((other.store.value for other in others if other.is_changing), None)
    waiting = next((other.store.value for other in others if not other.is_at_rest), None)
    return waiting or (None if is_api_well else Component.API.value)


def newest_of(live: Obj | None, pods: Iterable[Obj]) -> list[Obj]:
    """The pods of the newest template; asked by revision, not by image, which a policy may have rewritten."""
    if live is None or not has_seen(live, generation_of(live)):
        return []
    newest = at(live, "status", "updateRevision")
    return [pod for pod in pods if at(pod, "metadata", "labels", _REVISION_LABEL) == newest]


def has_started(pod: Obj) -> bool:
    """Whether a container of the pod has ever run. One whose image cannot be pulled, being misspelt, opens nothing."""
    return any(_ran(container) for container in at(pod, "status", "containerStatuses") or ())


def image_of(obj: Obj | None, store: Component) -> str | None:
    """The image of a store's container, in its StatefulSet or in a pod of it."""
    spec = at(obj, "spec", "template", "spec") or at(obj, "spec")
    containers = at(spec, "containers") or ()
    return next((str(each["image"]) for each in containers if each["name"] == store.value), None)


def _ran(container: Obj) -> bool:
    state, last = container.get("state") or {}, container.get("lastState") or {}
    return bool("running" in state or "terminated" in state or last or container.get("restartCount"))
