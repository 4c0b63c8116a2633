"""Requests that carry a key, so that repeating one does it once. What is kept of them, and the port that keeps it.

A key is reserved before the work and completed with the answer after it. A process that dies in between leaves a
reservation; once its lease is over the same request is done again, which is right because every write here is
idempotent by place: doing it twice leaves the same memory, at most with one version more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from somafractalmemory.errors import InvalidRequest

MAX_KEY = 255
KEPT_SECONDS = 24 * 3600.0
MAX_ANSWER = 256 * 1024


@dataclass(frozen=True, slots=True)
class KeyScope:
    """Whose key it is, and for what: the same text elsewhere is another key."""

    caller: str
    namespace: str
    operation: str
    key: str


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it was given."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept under a key: the digest of its request, and the answer once there is one."""

    digest: bytes
    answer: Answered | None


class RequestKeys(Protocol):
    """Where keys are kept; raises `Unavailable` like every port."""

    async def reserve(self, scope: KeyScope, digest: bytes, owner: UUID, *, lease_seconds: float) -> Known | None:
        """Reserve a free key, or one whose reservation for this very request is over; else what is known of it."""

    async def complete(self, scope: KeyScope, owner: UUID, answer: Answered, *, keep_seconds: float) -> None:
        """Keep the answer, if the reservation is still the owner's."""

    async def release(self, scope: KeyScope, owner: UUID) -> None:
        """Give a reservation up, if it is still the owner's."""

    async def prune(self, limit: int) -> int:
        """Forget keys whose time is over, at most so many; answers how many."""


def check_key(text: str) -> str:
    """Raises InvalidRequest unless it is 1 to 255 visible ASCII characters."""
    if not (0 < len(text) <= MAX_KEY and text.isascii() and text.isprintable() and " " not in text):
        raise InvalidRequest(
            f"Idempotency-Key is 1 to {MAX_KEY} visible ASCII characters, such as a UUID",
            loc=("header", "Idempotency-Key"),
        )
    return text
