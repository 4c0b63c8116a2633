"""The running operator: which parts there are, how they start and stop, and when it is well.

Every part runs for ever. One that ends by itself ends the program with an error, so that the kubelet starts it afresh:
half an operator is worse than none.
"""

import asyncio
import os
import random
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from somamemory_operator.cluster.backoff import Backoff
from somamemory_operator.cluster.client import Cluster
from somamemory_operator.cluster.connection import Connection, connect
from somamemory_operator.cluster.errors import ApiError, NoClusterError
from somamemory_operator.cluster.lease import KubernetesLease, Leader
from somamemory_operator.cluster.watches import refusals, watches
from somamemory_operator.model.observed import MemoryKey
from somamemory_operator.process.health import LIMITS, Health, Limits, Listener
from somamemory_operator.process.heartbeat import Heartbeat
from somamemory_operator.process.probes import application, serving
from somamemory_operator.process.work_queue import WorkQueue
from somamemory_operator.reconcile.reconciler import Reconciler
from somamemory_operator.settings import Settings
from somamemory_operator.telemetry.logs import logger
from somamemory_operator.telemetry.metrics import Metrics

Hear = Callable[[MemoryKey, int, bool], None]
"""Called for an event about a SomaMemory: its key, its version, whether it was deleted."""

_STOP_SECONDS = 8.0
_LISTENER_STOP_SECONDS = 2.0
_RESYNC_SPREAD = 0.1
_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


MakeListener = Callable[[Sequence[str], Hear, Callable[[], None]], Listener]
"""Makes a listener for some namespaces (none: all), with what to call for an event and when it has ended."""


class PartEndedError(Exception):
    """A part of the operator ended although it must not."""


class ConfigurationError(Exception):
    """The operator was started with settings that cannot work; the text says what to do."""


class Program:
    """One replica of the operator."""

    def __init__(
        self,
        settings: Settings,
        make_listener: MakeListener,
        limits: Limits = LIMITS,
        kubeconfig: Path | None = None,
    ) -> None:
        self._settings, self._make_listener, self._limits = settings, make_listener, limits
        self._kubeconfig = kubeconfig
        self._metrics, self._heartbeat = Metrics(), Heartbeat()
        self._queue = WorkQueue(self._metrics, workers=settings.workers)
        self._queue.pause()
        self._everything = asyncio.Event()
        self._health = Health(limits)
        self._leader: Leader | None = None
        self._log = logger(__name__)
        self._metrics.unheard.set_function(self._heartbeat.unheard)

    async def run(self) -> int:
        """Run until SIGTERM or SIGINT, or until a part fails; returns the exit code."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        main, stopping = asyncio.ensure_future(self._run()), asyncio.ensure_future(stop.wait())
        await asyncio.wait({main, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if main.done():
            stopping.cancel()
            return self._failed(main.exception())
        self._log.info("stopping")
        main.cancel()
        await asyncio.wait({main}, timeout=_STOP_SECONDS)
        self._log.info("stopped") if main.done() else self._log.error("not stopped in time")
        return 0

    def _failed(self, error: BaseException | None) -> int:
        for cause in _leaves(error):
            known = isinstance(cause, (OSError, ConfigurationError, NoClusterError, PartEndedError))
            self._log.error("the operator ends", error=str(cause), exc_info=None if known else cause)
        return 1

    async def _run(self) -> None:
        health = self._health
        app = application(self._metrics.registry, health.problems, health.obstacles, health.remarks)
        metrics, kubeconfig = self._metrics, self._kubeconfig
        async with serving(app, self._settings.metrics_port), connect(metrics, kubeconfig=kubeconfig) as unguarded:
            self._leader = health.leader = self._candidate(unguarded)
            may_write = self._leader.leading if self._leader else lambda: True
            async with connect(metrics, may_write, kubeconfig) as connection:
                await self._run_parts(connection)

    async def _run_parts(self, connection: Connection) -> None:
        namespaces = self._settings.watch_namespaces
        cluster = Cluster(connection, namespaces, unwatched=lambda place: refusals(self._health.watches, place))
        reconciler = Reconciler(cluster, self._settings, self._metrics)
        await self._until_served(cluster)
        self._health.watches = watches(connection, self._metrics, namespaces, self._queue.wake, self._everything.set)
        parts: dict[str, Coroutine[Any, Any, None]] = {
            "queue": self._queue.run(reconciler.reconcile),
            "list": self._look_around(cluster),
            "Kopf": self._listen(),
            "leader election": self._lead(reconciler),
        } | {f"watch of {watch.kind}": watch.run() for watch in self._health.watches}
        async with asyncio.TaskGroup() as group:
            for name, part in parts.items():
                group.create_task(_for_ever(name, part), name=name)

    async def _until_served(self, cluster: Cluster) -> None:
        """Wait until SomaMemories can be listed: Kopf ignores kinds and permissions that come later."""
        failures = 0
        while True:
            try:
                await cluster.list_memories()
            except ApiError as error:
                failures += 1
                self._metrics.retries.labels("start").inc()
                advice = "apply crds/somamemory.yaml" if error.not_found else "check the API server and the RBAC rules"
                self._log.warning("SomaMemories cannot be listed yet", error=str(error), advice=advice)
                await asyncio.sleep(Backoff(first=1.0, most=15.0).delay(failures))
            else:
                return

    def _candidate(self, connection: Connection) -> Leader | None:
        if not self._settings.leader_election:
            return None
        namespace = self._settings.lease_namespace or _own_namespace()
        identity = self._settings.identity or f"{socket.gethostname()}-{os.getpid()}"
        lease = KubernetesLease(connection, namespace, self._settings.lease_name)
        return Leader(lease, identity, self._metrics)

    async def _lead(self, reconciler: Reconciler) -> None:
        def gained() -> None:
            reconciler.forget()
            self._queue.resume()
            self._everything.set()

        if self._leader is None:
            self._metrics.leader.set(1)
            gained()
            await asyncio.Event().wait()
        else:
            await self._leader.run(gained, self._queue.pause)

    async def _look_around(self, cluster: Cluster) -> None:
        """List the SomaMemories now and then: to wake all of them, and to find out whether Kopf is deaf."""
        failures, resync_at = 0, 0.0
        while True:
            is_resync = time.monotonic() >= resync_at
            wake_all = is_resync or self._everything.is_set()
            self._everything.clear()
            try:
                keys = await self._list(cluster, wake_all=wake_all, spread=is_resync)
            except ApiError as error:
                failures += 1
                if wake_all:
                    self._everything.set()
                self._metrics.retries.labels("list").inc()
                self._log.warning("SomaMemories could not be listed", error=str(error), failures=failures)
                await asyncio.sleep(Backoff(first=0.5, most=15.0).delay(failures))
                continue
            failures = 0
            if is_resync:
                resync_at = time.monotonic() + self._settings.resync_seconds * random.uniform(0.9, 1.1)  # noqa: S311
                self._log.debug("looking at everything", memories=keys)
            pause = max(0.0, min(self._limits.look, resync_at - time.monotonic()))
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._everything.wait()

    async def _list(self, cluster: Cluster, *, wake_all: bool, spread: bool) -> int:
        listed = await cluster.list_memories()
        self._health.listed_at = time.monotonic()
        for key in self._heartbeat.compare(listed):
            self._queue.wake(key)
        if (deaf := self._heartbeat.deaf_seconds()) > self._limits.deaf:
            raise PartEndedError(f"Kopf has been deaf for {deaf:.0f} s: a watch of it died. Starting afresh")
        most = min(30.0, self._settings.resync_seconds * _RESYNC_SPREAD) if spread else 0.0
        for each in listed if wake_all else ():
            self._queue.wake(MemoryKey(each.namespace, each.name), random.uniform(0, most))  # noqa: S311 - jitter
        return len(listed)

    async def _listen(self) -> None:
        """Run the listener, whose calls come from its own thread."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def hear(key: MemoryKey, version: int, gone: bool) -> None:
            with suppress(RuntimeError):  # we are gone already
                loop.call_soon_threadsafe(self._hear, key, version, gone)

        def end() -> None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(ended.set)

        listener = self._health.listener = self._make_listener(self._settings.watch_namespaces, hear, end)
        self._metrics.kopf_age.set_function(listener.age)
        listener.start()
        try:
            await ended.wait()
        finally:
            listener.stop()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LISTENER_STOP_SECONDS):
                    await ended.wait()

    def _hear(self, key: MemoryKey, version: int, gone: bool) -> None:
        self._heartbeat.gone(key) if gone else self._heartbeat.heard(key, version)
        self._queue.wake(key)


async def _for_ever(name: str, part: Awaitable[None]) -> None:
    await part
    raise PartEndedError(f"{name} ended although it must not")


def _leaves(error: BaseException | None) -> Iterator[BaseException]:
    """Every error in a group of errors."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    elif error is not None:
        yield error


def _own_namespace() -> str:
    """The namespace of the pod we run in."""
    try:
        return _NAMESPACE_FILE.read_text().strip()
    except OSError as error:
        raise ConfigurationError(
            "Outside of a cluster SOMAMEMORY_LEASE_NAMESPACE must name the namespace of the Lease"
            " (or set SOMAMEMORY_LEADER_ELECTION=false for a single process)."
        ) from error
