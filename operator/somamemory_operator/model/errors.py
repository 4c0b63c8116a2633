"""What can go wrong, as values and exceptions that say what to do next.

OperatorError
└── InvalidSpec    the resource cannot be understood; a person must change it
"""

from collections.abc import Iterable
from dataclasses import dataclass

from somamemory_operator.model.observed import Key
from somamemory_operator.model.reasons import Reason

_FOR_A_PERSON = frozenset(
    {Reason.APPLY_REFUSED, Reason.FORBIDDEN, Reason.CREDENTIALS_LOST, Reason.STORAGE_CLASS_UNKNOWN}
)
"""Reasons that go away only when somebody does something, although it is tried again."""


@dataclass(frozen=True)
class Problem:
    """Why a reconciliation could not do its work; ends up in the conditions word for word, so: no secrets in it.

    `retry` is False when nothing but a new spec can help, True when trying again may. `key` is the object that it is
    about, None when it is about the whole. `for_a_person` says that somebody has to act although it is tried again,
    where the reason alone does not say so.
    """

    reason: Reason
    message: str
    retry: bool = False
    key: Key | None = None
    for_a_person: bool = False

    @property
    def stalls(self) -> bool:
        """Whether nothing will move until a person acts."""
        return not self.retry or self.for_a_person or self.reason in _FOR_A_PERSON


def worst_of(problems: Iterable[Problem]) -> Problem | None:
    """The one that a person should see first: what needs somebody before what may pass, a cause before who waits."""
    return min(problems, key=lambda problem: (not problem.stalls, problem.reason is Reason.WAITING), default=None)


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
