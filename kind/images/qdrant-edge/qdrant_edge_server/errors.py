"""What can go wrong, each with the HTTP status that a client of Qdrant expects.

ApiError
├── BadRequest   400  the request cannot be carried out as written
├── Unauthorized 401  no key, or a wrong one
├── NotFound     404  no such collection, point, snapshot or route
├── Conflict     409  it exists already
├── TooLarge     413  the body is over the limit
└── Unsupported  501  real Qdrant can do this, this server cannot
"""

from http import HTTPStatus

# The engine has one exception type; its message begins with the kind. These kinds are its fault, the rest the caller's.
_ENGINE_FAULTS = (
    "Service runtime error",
    "Service internal error",
    "Inconsistent storage",
    "Out of memory",
    "Operation timed out",
)


class ApiError(Exception):
    """A refusal that is sent to the client as it reads."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR


class BadRequest(ApiError):  # noqa: N818  (named after the HTTP statuses)
    status = HTTPStatus.BAD_REQUEST


class Unauthorized(ApiError):  # noqa: N818
    status = HTTPStatus.UNAUTHORIZED


class NotFound(ApiError):  # noqa: N818
    status = HTTPStatus.NOT_FOUND


class Conflict(ApiError):  # noqa: N818
    status = HTTPStatus.CONFLICT


class TooLarge(ApiError):  # noqa: N818
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Unsupported(ApiError):  # noqa: N818
    status = HTTPStatus.NOT_IMPLEMENTED


def status_of(error: Exception) -> HTTPStatus:
    """The HTTP status for whatever a handler raised."""
    if isinstance(error, ApiError):
        return error.status
    if isinstance(error, (KeyError, TypeError, ValueError, OverflowError)):  # wrong shape of the request
        return HTTPStatus.BAD_REQUEST
    if type(error) is Exception and not str(error).startswith(_ENGINE_FAULTS):
        return HTTPStatus.BAD_REQUEST
    return HTTPStatus.INTERNAL_SERVER_ERROR


def message_of(error: Exception) -> str:
    """The sentence for the client; a missing key of the request is named as such."""
    if isinstance(error, KeyError):
        return f"Format error in JSON body: missing field `{error.args[0]}`"
    return str(error) or type(error).__name__
