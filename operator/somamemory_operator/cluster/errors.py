"""What can go wrong between us and the Kubernetes API.

ApiError              a call failed
ForeignObjectError    the object is there and somebody else's
NotLeaderError        a write was stopped: the lease is not ours any more
NoClusterError        nothing says which cluster to connect to
"""

from collections.abc import Iterator, Mapping
from typing import Any

from somamemory_operator.model.observed import Key
from somamemory_operator.model.sentences import steady


class ApiError(Exception):
    """A call to the Kubernetes API failed; `status` is the HTTP status, or 0 when there was no answer.

    `slow` says that the server took the call and did not answer in time. `message` is in the server's words, with the
    causes that it gives, steady enough for a condition.
    """

    def __init__(self, what: str, status: int, reason: str, message: str, *, slow: bool = False) -> None:
        self.what, self.status, self.reason, self.slow = what, status, reason, slow
        self.message = steady(message or reason or f"HTTP status {status}")
        super().__init__(f"{what}: {self.message}")

    @property
    def unreachable(self) -> bool:
        """Nobody answers at all: nothing else can succeed either."""
        return self.status == 0 and not self.slow

    @property
    def not_found(self) -> bool:
        """The object, its namespace or its kind does not exist."""
        return self.status == 404

    @property
    def forbidden(self) -> bool:
        """A right, a quota or a policy is in the way."""
        return self.status == 403

    @property
    def unserved(self) -> bool:
        """As the answer to a list: the kind does not exist, or is not for us."""
        return self.status in (403, 404)

    @property
    def conflict(self) -> bool:
        """Somebody else was faster: the precondition of the call no longer holds."""
        return self.status == 409

    @property
    def gone(self) -> bool:
        """The resource version asked for is too old: list again."""
        return self.status == 410

    @property
    def refused(self) -> bool:
        """The server understood the object and refuses it; sending it again is of no use until something changes.

        An apply of a body that does not fit the schema (two entries of one key) is answered by 500.
        """
        misfit = self.status == 500 and "failed to create typed" in self.message
        return self.status in (400, 403, 413, 422) or misfit


class ForeignObjectError(Exception):
    """An object that we want to make is already there and belongs to somebody else."""

    def __init__(self, key: Key) -> None:
        super().__init__(
            f"{key} is already there and was not made by this operator. Delete or rename it, or rename the SomaMemory."
        )


class NotLeaderError(Exception):
    """A write was stopped because this replica no longer holds the lease."""


class NoClusterError(Exception):
    """Nothing says which cluster to connect to."""


def words(answer: Mapping[str, Any], kind: str) -> str:
    """What an answer of the server says about why, with the causes that its message leaves out.

    A server may quote the values that it refuses, so of a Secret only the fields are told, not what is wrong in them.
    """
    reason, message = str(answer.get("reason") or ""), str(answer.get("message") or "")
    if kind == "Secret":
        fields = ", ".join(dict.fromkeys(f"{field} ({why})" for field, why, _ in _causes(answer)))
        return f"{reason}: {fields}" if fields else reason
    more = [f"{field}: {said}" for field, _, said in _causes(answer) if said not in message or field not in message]
    return "; ".join(part for part in (message or reason, *more) if part)


def _causes(answer: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Field, reason and message of each cause."""
    details = answer.get("details")
    for cause in (details.get("causes") if isinstance(details, Mapping) else None) or ():
        yield str(cause.get("field") or "body"), str(cause.get("reason") or "refused"), str(cause.get("message") or "")
