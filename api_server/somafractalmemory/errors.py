# ruff: noqa: N818  # these read as what happened; "NotFoundError" says no more than "NotFound"
"""What can go wrong, as one tree.

SomaError
├── InvalidRequest          the caller must change the request
│   ├── InvalidCoordinate
│   └── InvalidPayload
├── NotFound                there is no such memory
├── VersionMismatch         the memory is not at the version that the caller expects
├── Unauthenticated         no token
├── Forbidden               a wrong token, or one that does not allow this
├── TooLarge                more bytes than allowed
├── SlowBody                the body did not come in time
├── InProgress              the same request is under way already
├── RateLimited             too many requests; says when to come back
├── Unavailable             a store or the service cannot do it now; trying later is right
│   └── Overloaded          the bounded queue is full
├── Rejected                a store refuses this very item for good (one poisoned row)
├── PoisonEvent             an event that can never be applied
└── ConfigurationError      the settings are wrong; the message lists every field and its remedy
"""


class SomaError(Exception):
    """Root of every error this package raises on purpose."""

    retry_after_seconds: float | None = None


class InvalidRequest(SomaError):
    """The request cannot be understood or breaks a limit."""

    def __init__(self, message: str, *, loc: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.loc = loc


class InvalidCoordinate(InvalidRequest):
    """A coordinate is not a bounded list of finite numbers."""


class InvalidPayload(InvalidRequest):
    """A payload breaks a limit or holds a value that cannot be stored."""


class NotFound(SomaError):
    """No memory lives there."""


class VersionMismatch(SomaError):
    """The memory was changed since the caller looked."""


class Unauthenticated(SomaError):
    """The request carries no bearer token."""


class Forbidden(SomaError):
    """The bearer token is not one of ours, or does not allow this."""


class TooLarge(SomaError):
    """The request body is larger than the limit."""


class SlowBody(SomaError):
    """The caller stopped sending its body."""


class InProgress(SomaError):
    """The first one of a repeated request is not answered yet."""

    retry_after_seconds = 1.0


class RateLimited(SomaError):
    """The token spent its budget for this window."""

    def __init__(self, message: str, *, retry_after_seconds: float, budget: object = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.budget = budget


class Unavailable(SomaError):
    """`component` cannot answer now; the same call may succeed later."""

    def __init__(self, component: str, reason: str, *, retry_after_seconds: float = 2.0) -> None:
        super().__init__(f"{component} is unavailable: {reason}")
        self.component = component
        self.retry_after_seconds = retry_after_seconds


class Overloaded(Unavailable):
    """More work is waiting than can be done within the deadline."""


class Rejected(SomaError):
    """A store refuses this item, however often it is tried."""


class PoisonEvent(SomaError):
    """An event that no retry can mend; `reason` is a short word for the dead letter's header."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ConfigurationError(SomaError):
    """The settings do not allow a start."""
