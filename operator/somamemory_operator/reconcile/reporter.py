"""Telling how a SomaMemory stands: its status, its metrics, and an Event when something important turned."""

from collections.abc import Iterator
from typing import NamedTuple

from somamemory_operator.cluster.client import Cluster
from somamemory_operator.cluster.errors import ApiError
from somamemory_operator.model.observed import Obj
from somamemory_operator.telemetry.logs import logger
from somamemory_operator.telemetry.metrics import Metrics

_TOLD = ("Ready", "Stalled", "UpToDate", "Durable")
_NEWS_AT_FIRST = {"Ready": "True", "Stalled": "True", "UpToDate": "False", "Durable": "False"}
"""What is worth an Event when nothing was known before."""
_WARNINGS = {"Stalled": "True", "Durable": "False"}


class Transition(NamedTuple):
    """A condition that turned, in the words of a Kubernetes Event."""

    reason: str
    note: str
    warning: bool


class Reporter:
    """Writes the status when it differs, and posts Events about the conditions that turned with it."""

    def __init__(self, cluster: Cluster, metrics: Metrics) -> None:
        self._cluster, self._metrics = cluster, metrics
        self._log = logger(__name__)

    async def report(self, memory: Obj, status: Obj) -> bool:
        """Report a status; returns whether it was new. A resource that went away meanwhile is no error.

        Raises ApiError when the status cannot be written: the run counts as failed and is repeated.
        """
        metadata = memory["metadata"]
        self._metrics.show_conditions(metadata["namespace"], metadata["name"], status.get("conditions") or ())
        self._metrics.show_times(metadata["namespace"], metadata["name"], status)
        try:
            written = await self._cluster.apply_status(memory, status)
        except ApiError as error:
            if error.not_found or error.conflict:
                return True
            self._metrics.status_failed.labels(str(error.status)).inc()
            self._log.error("a status could not be written", memory=f"{metadata['namespace']}/{metadata['name']}")
            raise
        if written:
            for transition in transitions(memory.get("status") or {}, status):
                await self._post(memory, transition)
        return written

    async def _post(self, memory: Obj, transition: Transition) -> None:
        metadata = memory["metadata"]
        self._log.info(
            "turned",
            memory=f"{metadata['namespace']}/{metadata['name']}",
            reason=transition.reason,
            note=transition.note,
        )
        try:
            await self._cluster.post_event(
                memory, reason=transition.reason, note=transition.note, warning=transition.warning
            )
        except ApiError as error:
            self._metrics.events_failed.inc()
            self._log.warning("an Event could not be posted", error=str(error))


def transitions(before: Obj, after: Obj) -> Iterator[Transition]:
    """The conditions of general interest whose status or reason turned."""
    old = {condition["type"]: condition for condition in before.get("conditions") or ()}
    for condition in after.get("conditions") or ():
        kind, status, reason = condition["type"], condition["status"], condition["reason"]
        then = old.get(kind)
        is_new = then is None or (then.get("status"), then.get("reason")) != (status, reason)
        is_news = then is not None or _NEWS_AT_FIRST.get(kind) == status
        if kind in _TOLD and is_new and is_news and not (kind == "Stalled" and status != "True"):
            yield Transition(
                reason, f"{kind} is {status}: {condition.get('message') or reason}", _WARNINGS.get(kind) == status
            )
