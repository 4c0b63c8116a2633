"""Bearer tokens: several at once, compared in constant time, read again when a file of them changes."""

import hmac
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from somafractalmemory.errors import ConfigurationError, Forbidden, Unauthenticated
from somafractalmemory.security.callers import Caller
from somafractalmemory.security.tokenfile import KnownToken, digest_of, plain_tokens, read_entries

log = structlog.get_logger(__name__)
_RECHECK_SECONDS = 2.0


def bearer(authorization: str | None) -> str:
    """The token of an Authorization header. Raises Unauthenticated."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Missing bearer token")
    return token.strip()


class Tokens:
    """Knows the digests of the tokens only.

    A file that is momentarily unreadable, broken or empty keeps the last tokens it held: a typo locks nobody out.
    """

    def __init__(
        self,
        *,
        text: str = "",
        file: Path | None = None,
        structured_file: Path | None = None,
        required: bool = True,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._now = now
        self._sources: list[_File] = []
        if file is not None:
            self._sources.append(_File("SOMA_API_TOKEN_FILE", file, _plain))
        if structured_file is not None:
            self._sources.append(_File("SOMA_API_TOKENS_FILE", structured_file, read_entries))
        self._given = plain_tokens(text)
        for source in self._sources:
            source.open()
        if required and not self._given and not self._sources:
            raise ConfigurationError("SOMA_API_TOKEN: it holds no token; set it to a long random text")
        self._known = self._all()
        self._checked_at = clock()

    def identify(self, authorization: str | None) -> Caller:
        """Whose token this is. Raises Unauthenticated or Forbidden."""
        caller = self.find(bearer(authorization))
        if caller is None:
            raise Forbidden("Invalid token")
        return caller

    def find(self, token: str) -> Caller | None:
        """Whose token this is, None when it is none of ours. Raises Forbidden for one that has expired."""
        digest = digest_of(token)
        self._reload_when_due()
        found: KnownToken | None = None
        for known in self._known:  # all of them, so that the time tells nothing
            if hmac.compare_digest(digest, known.digest):
                found = known
        if found is not None and found.expires is not None and found.expires <= self._now():
            raise Forbidden("this token has expired: ask for a new one")
        return found.caller if found else None

    def _all(self) -> list[KnownToken]:
        return [*self._given, *(known for source in self._sources for known in source.tokens)]

    def _reload_when_due(self) -> None:
        if self._sources and self._clock() - self._checked_at >= _RECHECK_SECONDS:
            self._checked_at = self._clock()
            changed = [source.reload() for source in self._sources]
            if any(changed):
                self._known = self._all()


class _File:
    """One file of tokens, and what it held when it was last in order."""

    def __init__(self, variable: str, path: Path, parse: Callable[[str, str], Sequence[KnownToken]]) -> None:
        self._variable = variable
        self._path = path
        self._parse = parse
        self._text: str | None = None
        self._told = ""
        self.tokens: Sequence[KnownToken] = ()

    def open(self) -> None:
        """Read it for the first time. Raises ConfigurationError."""
        try:
            self._text = self._path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"{self._variable}: {self._path} cannot be read ({type(error).__name__}); mount a file of tokens there"
            ) from None
        self.tokens = self._parse(self._text, f"{self._variable}: {self._path}")

    def reload(self) -> bool:
        """Read it again; says whether it holds other tokens now. A broken file is told of once and changes nothing."""
        try:
            text = self._path.read_text()
            if text == self._text:
                return False
            self._text = text
            self.tokens = self._parse(text, str(self._path))
        except (OSError, UnicodeDecodeError, ConfigurationError) as error:
            self._tell(str(error) if isinstance(error, ConfigurationError) else type(error).__name__)
            return False
        self._told = ""
        log.info("tokens_reloaded", file=str(self._path), tokens=len(self.tokens))
        return True

    def _tell(self, problem: str) -> None:
        if problem != self._told:
            log.warning(
                "token_file_refused", file=str(self._path), error=problem, hint="the tokens of before still hold"
            )
        self._told = problem


def _plain(text: str, source: str) -> Sequence[KnownToken]:
    tokens = plain_tokens(text)
    if not tokens:
        raise ConfigurationError(f"{source} holds no token; write one token a line into it")
    return tokens
