"""What a failed call means for the SomaMemory, with what to do about it."""

from somamemory_operator.cluster.errors import ApiError
from somamemory_operator.model.errors import Problem
from somamemory_operator.model.observed import Blindness, Key
from somamemory_operator.model.reasons import Reason

_ALLOW = "Allow it by RBAC, quota or admission policy; the operator tries again."
_CORRECT = "Correct the spec, or the policy that refuses it; the operator tries again."
_AGAIN = "The operator tries again."


def problem_of(error: ApiError, key: Key | None = None) -> Problem:
    """What a failed call means; `key` is the object that it was about."""
    what = f"{key}" if key is not None else error.what
    if error.unreachable:
        return Problem(Reason.CLUSTER_UNAVAILABLE, f"{error.what}: {error.message}. {_AGAIN}", retry=True, key=key)
    if error.conflict:
        text = f"{what} was changed by somebody else at the same time. The operator looks again."
        return Problem(Reason.CONFLICT, text, retry=True, key=key)
    if error.forbidden:
        return Problem(Reason.FORBIDDEN, f"{what}: {_told(error)} {_ALLOW}", retry=True, key=key)
    if error.refused:
        return Problem(Reason.APPLY_REFUSED, f"{what}: {_told(error)} {_CORRECT}", retry=True, key=key)
    text = f"{what}: {_told(error)} The API server, or a webhook that it asks, fails on this one. {_AGAIN}"
    return Problem(Reason.SERVER_ERROR, text, retry=True, key=key)


def blindness_of(error: ApiError, verb: str, kind: str) -> Blindness:
    """What it means that a kind cannot be listed or watched."""
    reason = Reason.FORBIDDEN if error.forbidden else Reason.SERVER_ERROR
    return Blindness(reason, f"{verb} {kind}: {_told(error)}")


def _told(error: ApiError) -> str:
    """The server's words, as a sentence."""
    return error.message if error.message.endswith((".", "…")) else f"{error.message}."
