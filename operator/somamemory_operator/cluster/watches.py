"""Watches of everything we own. An event only wakes its SomaMemory: nothing is stored, nothing is decided.

Only objects with our label are watched, and only their metadata is sent, so that memory does not grow with what
others do in the cluster. A stream that was interrupted goes on where it ended; when the server has forgotten that
place, everything is woken, because what was missed cannot be known.

A watch that the server refuses keeps asking, ever more seldom. It is alive, since a new start of the operator would
mend nothing; that changes are noticed late meanwhile is told by `refusal`.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from somamemory_operator.cluster.backoff import Backoff
from somamemory_operator.cluster.connection import Connection
from somamemory_operator.cluster.errors import ApiError
from somamemory_operator.cluster.problems import blindness_of
from somamemory_operator.model import names
from somamemory_operator.model.kinds import PLACES
from somamemory_operator.model.observed import OBSERVED_KINDS, OPTIONAL_KINDS, Blindness, MemoryKey, instance_of
from somamemory_operator.telemetry.logs import logger
from somamemory_operator.telemetry.metrics import Metrics

_STREAM_SECONDS = (240, 360)
_STUBBORN = 4
"""After so many errors in a row a server that answers counts as refusing."""
_ABSENT_SECONDS = 30.0
"""How long until an optional kind that is not served is asked for again."""


class Watch:
    """One kind in one namespace (or in all), watched for ever."""

    def __init__(
        self,
        connection: Connection,
        metrics: Metrics,
        kind: str,
        namespace: str | None,
        wake: Callable[[MemoryKey], None],
        wake_all: Callable[[], None],
    ) -> None:
        self.kind, self.namespace = kind, namespace
        self._connection, self._metrics, self._wake, self._wake_all = connection, metrics, wake, wake_all
        self._beat = time.monotonic()
        self._backoff, self._patience = Backoff(first=0.5, most=30.0), Backoff(first=1.0, most=60.0)
        self._log = logger(__name__).bind(kind=kind, namespace=namespace or "all")
        self.synced = asyncio.Event()
        self.refusal: Blindness | None = None
        metrics.watch_refused.labels(kind, namespace or "").set_function(lambda: float(self.refusal is not None))
        metrics.watch_age.labels(kind, namespace or "").set_function(self.age)

    def age(self) -> float:
        """Seconds since the server last answered this watch; it sends a bookmark about every minute."""
        return time.monotonic() - self._beat

    async def run(self) -> None:
        """Watch until cancelled, through every failure of the server."""
        failures, version = 0, None
        while True:
            began = time.monotonic()
            try:
                if version is None:
                    version = await self._start()
                version = await self._follow(version)
                failures = 0
                if time.monotonic() - began < 1:  # a server that hangs up at once must not be asked in a circle
                    await asyncio.sleep(self._backoff.delay(2))
            except ApiError as error:
                if error.unserved and self.kind in OPTIONAL_KINDS:
                    version = None
                    await self._wait_for_kind()
                    continue
                version = None if error.status else version  # an answer such as 410: only a new list helps
                failures = failures + 1 if time.monotonic() - began < self._backoff.most else 1
                self._metrics.retries.labels("watch").inc()
                self._log.warning("watch interrupted", error=str(error), failures=failures)
                await asyncio.sleep(self._pause(error, failures))

    def _pause(self, error: ApiError, failures: int) -> float:
        """How long to wait before the next try; takes note of what the server says."""
        if error.status:
            self._beat = time.monotonic()
        if error.forbidden or (error.status >= 500 and failures >= _STUBBORN):
            self._refused(error)
            return self._patience.delay(failures)
        return 0.0 if error.gone and failures == 1 else self._backoff.delay(failures)

    def _refused(self, error: ApiError) -> None:
        was, self.refusal = self.refusal, blindness_of(error, "watch", self.kind)
        self.synced.set()  # there is nothing to wait for
        if was is None:
            self._wake_all()

    def _accepted(self) -> None:
        if self.refusal is not None:
            self.refusal = None
            self._wake_all()

    async def _wait_for_kind(self) -> None:
        """A kind that nobody has brought yet is no failure; when it comes, everything is woken by `_start`."""
        self._beat = time.monotonic()
        self.synced.set()
        await asyncio.sleep(_ABSENT_SECONDS)

    async def _start(self) -> str:
        """Find the place to watch from, and have everything looked at, since the past is not known."""
        query = {"labelSelector": names.WATCH_SELECTOR, "limit": 1}
        path = PLACES[self.kind].path(self.namespace)
        page = await self._connection.request("GET", path, kind=self.kind, query=query, metadata_only=True)
        self._beat = time.monotonic()
        self._wake_all()
        self.synced.set()
        return str(page["metadata"]["resourceVersion"])

    async def _follow(self, version: str) -> str:
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "labelSelector": names.WATCH_SELECTOR,
            "resourceVersion": version,
            "timeoutSeconds": random.randint(*_STREAM_SECONDS),  # noqa: S311 - jitter
        }
        path = PLACES[self.kind].path(self.namespace)
        async for event in self._connection.stream(path, kind=self.kind, query=query):
            self._beat = time.monotonic()
            version = self._take(event) or version
            self._accepted()
        self._beat = time.monotonic()
        self._accepted()
        return version

    def _take(self, event: dict[str, Any]) -> str | None:
        """Wake whom the event concerns; returns the version to go on from. Raises ApiError for an error event."""
        obj = event.get("object") or {}
        if event.get("type") == "ERROR":
            status, reason, message = int(obj.get("code") or 500), str(obj.get("reason")), str(obj.get("message"))
            raise ApiError(f"watch of {self.kind}", status, reason, message)
        metadata = obj.get("metadata") or {}
        instance = instance_of({"metadata": metadata})
        if event.get("type") != "BOOKMARK" and instance:
            self._wake(MemoryKey(metadata["namespace"], instance))
        version: str | None = metadata.get("resourceVersion")
        return version


def refusals(found: Iterable[Watch], namespace: str) -> dict[str, Blindness]:
    """The kinds of which changes in a namespace are noticed late, and why."""
    return {
        watch.kind: watch.refusal
        for watch in found
        if watch.refusal is not None and watch.namespace in (None, namespace)
    }


def watches(
    connection: Connection,
    metrics: Metrics,
    namespaces: Sequence[str],
    wake: Callable[[MemoryKey], None],
    wake_all: Callable[[], None],
    kinds: Sequence[str] = OBSERVED_KINDS,
) -> list[Watch]:
    """Return a watch for each kind and namespace."""
    places = [(kind, namespace) for kind in kinds for namespace in (tuple(namespaces) or (None,))]
    return [Watch(connection, metrics, kind, namespace, wake, wake_all) for kind, namespace in places]
