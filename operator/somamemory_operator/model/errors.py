"""What can go wrong, as values and exceptions that say what to do next.

OperatorError
└── InvalidSpec    the resource cannot be understood; a person must change it
"""

from dataclasses import dataclass

from somamemory_operator.model.reasons import Reason


@dataclass(frozen=True)
class Problem:
    """Why a reconciliation could not do its work; ends up in the conditions word for word, so: no secrets in it.

    `retry` is False when only a person can help (the spec must change), True when trying again may.
    """

    reason: Reason
    message: str
    retry: bool = False


class OperatorError(Exception):
    """The root of the operator's own errors."""


class InvalidSpec(OperatorError):  # noqa: N818 - a verdict about the spec, not a fault of ours
    """The resource asks for something that cannot be: a person must change it, trying again is of no use."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    @property
    def problem(self) -> Problem:
        """The same, as a value for `status`."""
        return Problem(self.reason, self.message, retry=False)
