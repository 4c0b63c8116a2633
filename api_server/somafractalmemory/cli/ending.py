"""How commands end: exit codes, and what to do next after each of our errors."""

import sys

from somafractalmemory.errors import (
    ConfigurationError,
    Forbidden,
    InProgress,
    InvalidRequest,
    NotFound,
    RateLimited,
    SomaError,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

FAILED, WRONG, NOT_FOUND, REFUSED, UNAVAILABLE = 1, 2, 3, 4, 5
"""Exit codes beside 0; 2 is also what wrong options end with."""

_ENDINGS: tuple[tuple[type[SomaError], int, str], ...] = (
    (ConfigurationError, WRONG, ""),
    (InvalidRequest, WRONG, ""),
    (TooLarge, FAILED, "; send less at once, or raise the API's SOMA_MAX_REQUEST_BODY_MB"),
    (NotFound, NOT_FOUND, "; `soma list` and `soma export-graph` show what is there"),
    (
        Unauthenticated,
        REFUSED,
        "; put the token into SOMA_API_TOKEN or into a file, named by SOMA_API_TOKEN_FILE or --token-file",
    ),
    (Forbidden, REFUSED, "; use a token that the API knows and that may do this"),
    (RateLimited, UNAVAILABLE, "; come back in {seconds:.0f} s, or raise the API's SOMA_RATE_LIMIT_MAX"),
    (InProgress, UNAVAILABLE, "; look whether it was done, with `soma get` or `soma list`, before it is repeated"),
    (Unavailable, UNAVAILABLE, "; `soma health` tells what is away, --url and SOMA_API_URL say where the API is"),
    (SomaError, FAILED, "; try again, or look at the logs of that component"),
)


def end(error: SomaError) -> int:
    """Say on stderr what went wrong and what to do next; answers the exit code."""
    for kind, code, remedy in _ENDINGS:
        if isinstance(error, kind):
            print(f"soma: {error}{remedy.format(seconds=error.retry_after_seconds or 0)}", file=sys.stderr)
            return code
    raise AssertionError("SomaError is the last of the endings")
