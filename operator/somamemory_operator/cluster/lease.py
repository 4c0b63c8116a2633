"""One working replica at a time, by a Lease. The client's own elector counts in local time, waits five minutes for an
answer and does not give the lease back at the end; hence this one.

As in client-go, clocks of different machines are never compared: a rival's lease has expired when it has not changed
for its whole duration by *our* clock. And we stop leading `renew_deadline` after the last renewal that succeeded was
*sent*, which is before any rival may take over: `leading` is asked before every single write.
"""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from somamemory_operator.cluster.connection import Connection
from somamemory_operator.cluster.errors import ApiError
from somamemory_operator.model.kinds import PLACES
from somamemory_operator.telemetry.logs import logger
from somamemory_operator.telemetry.metrics import Metrics

Lease = dict[str, Any]


@dataclass(frozen=True)
class Times:
    """How long a lease lasts, how long we trust it unrenewed, how often we try: each less than the one before."""

    duration: float = 15.0
    renew_deadline: float = 10.0
    retry: float = 2.0


class Leases(Protocol):
    """Where the lease is kept. Both writes raise ApiError when somebody else was faster."""

    async def read(self) -> Lease | None: ...
    async def create(self, spec: dict[str, Any]) -> Lease: ...
    async def replace(self, lease: Lease) -> Lease: ...


class KubernetesLease:
    """The Lease in the cluster; an update carries the resourceVersion that was read, so only one of two can win."""

    def __init__(self, connection: Connection, namespace: str, name: str, seconds: float = 5.0) -> None:
        self._connection, self._namespace, self._name, self._seconds = connection, namespace, name, seconds

    async def read(self) -> Lease | None:
        """Return the lease, None when there is none yet."""
        try:
            return await self._call("GET", self._name)
        except ApiError as error:
            if error.not_found:
                return None
            raise

    async def create(self, spec: dict[str, Any]) -> Lease:
        """Make the lease."""
        metadata = {"name": self._name, "namespace": self._namespace}
        body = {"apiVersion": PLACES["Lease"].api_version, "kind": "Lease", "metadata": metadata, "spec": spec}
        return await self._call("POST", None, body)

    async def replace(self, lease: Lease) -> Lease:
        """Write the lease if it still is the one that was read."""
        return await self._call("PUT", self._name, lease)

    async def _call(self, verb: str, name: str | None, body: Lease | None = None) -> Lease:
        path = PLACES["Lease"].path(self._namespace, name)
        return await self._connection.request(verb, path, kind="Lease", body=body, seconds=self._seconds)


class Leader:
    """Tries to hold the lease; `leading()` is true only while it certainly does."""

    def __init__(
        self,
        leases: Leases,
        identity: str,
        metrics: Metrics,
        times: Times = Times(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._leases, self.identity, self._times, self._clock = leases, identity, times, clock
        self._trusted_until = float("-inf")
        self._seen: tuple[Any, ...] = ()
        self._seen_at = float("-inf")
        self._told = False
        self._on_gained: Callable[[], None] = _nothing
        self._on_lost: Callable[[], None] = _nothing
        self._log = logger(__name__)
        self.heard_at = float("-inf")
        metrics.leader.set_function(lambda: float(self.leading()))

    def leading(self) -> bool:
        """Whether writing is allowed at this very moment."""
        return self._clock() < self._trusted_until

    async def attempt(self) -> None:
        """Take or renew the lease once. Raises ApiError when the API server does not play along."""
        asked = self._clock()
        lease = await self._leases.read()
        self.heard_at = self._clock()
        if lease is None:
            await self._leases.create(self._spec({}))
        elif self._may_take(lease):
            await self._leases.replace({**lease, "spec": self._spec(lease.get("spec") or {})})
        else:
            self._trusted_until = float("-inf")
            return
        self._trusted_until = asked + self._times.renew_deadline

    async def run(self, on_gained: Callable[[], None], on_lost: Callable[[], None]) -> None:
        """Try for ever, and tell when leading begins and ends; gives the lease back when cancelled."""
        self._on_gained, self._on_lost = on_gained, on_lost
        try:
            while True:
                self._tell()  # the trust may have run out during the pause
                await self._attempt_quietly()
                self._tell()
                await asyncio.sleep(self._pause())
        finally:
            if self._told:
                on_lost()
            await asyncio.shield(self.release())

    async def release(self) -> None:
        """Give the lease back, so that the next replica need not wait for it to expire."""
        was_leading, self._trusted_until = self.leading(), float("-inf")
        if not was_leading:
            return
        with suppress(ApiError, TimeoutError):
            async with asyncio.timeout(3):
                lease = await self._leases.read()
                if lease and (lease.get("spec") or {}).get("holderIdentity") == self.identity:
                    spec = {**lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _now()}
                    await self._leases.replace({**lease, "spec": spec})
                    self._log.info("lease released", identity=self.identity)

    def _tell(self) -> None:
        if (leading := self.leading()) != self._told:
            self._told = leading
            self._log.info("leading" if leading else "no longer leading", identity=self.identity)
            (self._on_gained if leading else self._on_lost)()

    async def _attempt_quietly(self) -> None:
        try:
            left = self._trusted_until - self._clock()
            async with asyncio.timeout(left if left > 0 else self._times.duration):
                await self.attempt()
        except TimeoutError:
            self._log.warning("the lease could not be renewed in time")
        except ApiError as error:
            if not error.conflict:
                self._log.warning("the lease could not be renewed", error=str(error))

    def _pause(self) -> float:
        """Wait a little less than usual at random; a leader never sleeps past the end of its trust."""
        pause = self._times.retry * random.uniform(0.8, 1.0)  # noqa: S311 - jitter
        return max(0.0, min(pause, self._trusted_until - self._clock())) if self.leading() else pause

    def _may_take(self, lease: Lease) -> bool:
        spec = lease.get("spec") or {}
        record = (spec.get("holderIdentity"), spec.get("renewTime"), spec.get("leaseTransitions"))
        if record != self._seen:
            self._seen, self._seen_at = record, self._clock()
        holder = spec.get("holderIdentity")
        lasts = float(spec.get("leaseDurationSeconds") or self._times.duration)
        return holder in (None, "", self.identity) or self._clock() >= self._seen_at + lasts

    def _spec(self, before: dict[str, Any]) -> dict[str, Any]:
        renewed = _now()
        same = before.get("holderIdentity") == self.identity
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": max(1, round(self._times.duration)),
            "acquireTime": (before.get("acquireTime") if same else None) or renewed,
            "renewTime": renewed,
            "leaseTransitions": int(before.get("leaseTransitions") or 0) + (0 if same else 1),
        }


def _nothing() -> None:
    """What happens when nobody asked to be told."""


def _now() -> str:
    """The time as a Kubernetes MicroTime."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
