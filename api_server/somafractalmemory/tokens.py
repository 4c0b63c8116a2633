"""Bearer tokens: several at once, compared in constant time, read again when their file changes."""

import hashlib
import hmac
import re
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from somafractalmemory.callers import Caller
from somafractalmemory.errors import ConfigurationError, Forbidden, Unauthenticated

log = structlog.get_logger(__name__)
_RECHECK_SECONDS = 2.0


class Tokens:
    """Knows the digests of the tokens only. A file that is momentarily unreadable keeps the last known tokens."""

    def __init__(
        self, *, text: str = "", file: Path | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._file = file
        self._clock = clock
        self._digests = _digests(text)
        self._checked_at = clock()
        if file is not None and not self._reload() and not self._digests:
            raise ConfigurationError(
                f"SOMA_API_TOKEN_FILE: {file} cannot be read or holds no token; mount a file with one token a line"
            )
        if not self._digests:
            raise ConfigurationError("SOMA_API_TOKEN: it holds no token; set it to a long random text")

    def identify(self, authorization: str | None) -> Caller:
        """Whose token this is. Raises Unauthenticated or Forbidden."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("Missing bearer token")
        self._reload_when_due()
        digest = hashlib.sha256(token.strip().encode()).digest()
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        if not any(matches):
            raise Forbidden("Invalid token")
        return Caller(digest.hex()[:16])

    def _reload_when_due(self) -> None:
        if self._file is not None and self._clock() - self._checked_at >= _RECHECK_SECONDS:
            self._checked_at = self._clock()
            self._reload()

    def _reload(self) -> bool:
        if self._file is None:
            return False
        try:
            digests = _digests(self._file.read_text())
        except (OSError, UnicodeDecodeError) as error:
            log.warning("token_file_unreadable", file=str(self._file), error=error.__class__.__name__)
            return False
        if digests:
            self._digests = digests
        return bool(digests)


def _digests(text: str) -> list[bytes]:
    return [hashlib.sha256(token.encode()).digest() for token in re.split(r"[\s,]+", text) if token]
