"""Who holds which name."""

from dataclasses import dataclass
from typing import Protocol

from somafractalmemory.ports.pinged import Pinged


@dataclass(frozen=True, slots=True)
class Lease:
    """A lock that somebody holds for a while.

    `fence` is larger than that of every earlier holder of this name: whoever is written to under the lock can refuse
    a holder that woke up too late.
    """

    name: str
    owner: str
    fence: int


class Locks(Pinged, Protocol):
    """Who holds which name, for all processes. A lease ends by itself, so a holder that died blocks nobody for long."""

    async def take(self, name: str, *, owner: str, ttl_seconds: float) -> Lease | None:
        """The lease, unless somebody else holds the name; an owner that asks again gets its own one, prolonged."""

    async def renew(self, lease: Lease, *, ttl_seconds: float) -> bool:
        """Prolong a lease from now on; says whether it was still held."""

    async def release(self, lease: Lease) -> bool:
        """Let go; says whether it was still held."""

    async def drop(self, prefix: str) -> int:
        """Forget every name that starts so, held or not; how many were there."""
