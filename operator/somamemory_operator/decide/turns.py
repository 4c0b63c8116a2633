"""Whose turn it is when several stores are to run another image: one after another, each when all else is well.

Redis goes first, then Qdrant and Kafka, Postgres last: the less it would hurt to lose what a store holds, the earlier
it shows whether the new release is any good, and the truth is touched only when everything else has survived.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, at
from somamemory_operator.model.rollout import is_rolled_out

ORDER = (Component.REDIS, Component.QDRANT, Component.KAFKA, Component.POSTGRES)
_REVISION_LABEL = "controller-revision-hash"


@dataclass(frozen=True)
class Standing:
    """How one store stands: the image chosen for it, its StatefulSet, and the image that opened its data last.

    `opened` is None as long as no program has opened it: then any version may.
    """

    store: Component
    runs: str
    live: Obj | None = None
    opened: str | None = None

    @property
    def is_at_rest(self) -> bool:
        """Whether the chosen image runs, and every pod is ready."""
        return self.live is not None and self._is_applied and is_rolled_out(self.live)

    @property
    def is_changing(self) -> bool:
        """Whether its pods are being replaced by those of another template."""
        if self.live is None:
            return False
        seen, status = self.live["metadata"].get("generation") or 0, self.live.get("status") or {}
        is_seen = (status.get("observedGeneration") or 0) >= seen
        return not (self._is_applied and is_seen and status.get("currentRevision") == status.get("updateRevision"))

    @property
    def _is_applied(self) -> bool:
        return image_of(self.live, self.store) == self.runs


def blocker(
    store: Component, due: Collection[Component], standings: Mapping[Component, Standing], api: Obj | None
) -> str | None:
    """What a store that is to run another image has to wait for, None when it is its turn.

    A store that runs well waits until all others do, and the API too. One in trouble goes before those: the other image
    may be what mends it, and the API cannot be well before; it only waits for another one that is changing.
    """
    order = [each for each in ORDER if each in due]
    first = next((each for each in order if not standings[each].is_at_rest), order[0])
    if store is not first:
        return first.value
    others = [standings[each] for each in ORDER if each is not store]
    if not standings[store].is_at_rest:
        return next((other.store.value for other in others if other.is_changing), None)
    waiting = next((other.store.value for other in others if not other.is_at_rest), None)
    return waiting or (None if api is None or is_rolled_out(api) else Component.API.value)


def has_started(live: Obj | None, pods: Iterable[Obj]) -> bool:
    """Whether a container of the newest template has ever run; the pods are asked by revision, not by image.

    An image that cannot be pulled, because its tag is misspelt, opens nothing. (Policies may rewrite a pod's image.)
    """
    if live is None:
        return False
    status = live.get("status") or {}
    if (status.get("observedGeneration") or 0) < (live["metadata"].get("generation") or 0):
        return False
    newest = [p for p in pods if at(p, "metadata", "labels", _REVISION_LABEL) == status.get("updateRevision")]
    return any(_ran(container) for pod in newest for container in at(pod, "status", "containerStatuses") or ())


def image_of(obj: Obj | None, store: Component) -> str | None:
    """The image of a store's container, in its StatefulSet or in a pod of it."""
    spec = at(obj, "spec", "template", "spec") or at(obj, "spec")
    containers = at(spec, "containers") or ()
    return next((str(each["image"]) for each in containers if each["name"] == store.value), None)


def _ran(container: Obj) -> bool:
    state, last = container.get("state") or {}, container.get("lastState") or {}
    return bool("running" in state or "terminated" in state or last or container.get("restartCount"))
