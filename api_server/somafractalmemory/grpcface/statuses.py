"""The one table from errors to gRPC statuses."""

from dataclasses import dataclass

import grpc
import structlog
from pydantic import ValidationError

from somafractalmemory import errors
from somafractalmemory.model import Budget
from somafractalmemory.model.mistakes import mistakes, told

log = structlog.get_logger(__name__)

Metadata = tuple[tuple[str, str], ...]
_LONGEST = 1000  # a status travels in headers, which have a limit of their own

STATUSES: dict[type[Exception], grpc.StatusCode] = {
    errors.InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    errors.Rejected: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.VersionMismatch: grpc.StatusCode.ABORTED,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.Forbidden: grpc.StatusCode.PERMISSION_DENIED,
    errors.TooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.SlowBody: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.InProgress: grpc.StatusCode.ABORTED,
    errors.RateLimited: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    TimeoutError: grpc.StatusCode.DEADLINE_EXCEEDED,
}


@dataclass(frozen=True, slots=True)
class Status:
    """How a call ends."""

    code: grpc.StatusCode
    details: str
    trailing: Metadata = ()


def status_of(error: Exception, *, method: str) -> Status:
    """What the caller is told; of an error that nobody foresaw nothing but that it happened."""
    if isinstance(error, ValidationError):
        return Status(grpc.StatusCode.INVALID_ARGUMENT, told(mistakes(error), whole="request")[:_LONGEST])
    code = next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), None)
    if code is None:
        log.error("unexpected_error", method=method, exc_info=error)
        return Status(grpc.StatusCode.INTERNAL, "an unexpected error was logged; please report it")
    if isinstance(error, TimeoutError):
        return Status(code, "it could not be done within the deadline; ask for less, or allow more time")
    return Status(code, str(error)[:_LONGEST], _trailing(error))


def budget_metadata(budget: Budget | None) -> Metadata:
    """What the rate limit leaves, as HTTP's headers of the same names."""
    if budget is None:
        return ()
    return (
        ("ratelimit-limit", str(budget.limit)),
        ("ratelimit-remaining", str(max(budget.remaining, 0))),
        ("ratelimit-reset", str(max(round(budget.reset_seconds + 0.5), 1))),
    )


def _trailing(error: Exception) -> Metadata:
    found: Metadata = ()
    if isinstance(error, errors.SomaError) and error.retry_after_seconds is not None:
        found = (("retry-after", str(max(1, round(error.retry_after_seconds + 0.5)))),)
    budget = getattr(error, "budget", None)
    return found + budget_metadata(budget if isinstance(budget, Budget) else None)
