"""Bearer tokens of an identity provider (OpenID Connect): signed claims instead of a list of ours.

Only asymmetric algorithms are taken, each only with a key of its own kind, so that no public key can be abused as a
shared secret. A token must say who it is for, who made it and until when; what it may do and where must be said, too:
a token without namespaces opens none.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
import structlog

from somafractalmemory.errors import Forbidden, InvalidRequest, SomaError, Unavailable
from somafractalmemory.model import check_namespace
from somafractalmemory.security.callers import Caller, Scope

log = structlog.get_logger(__name__)

KINDS = {"RS256": ("RSA", None), "ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519")}
"""The algorithms that are taken, each with the kind and the curve of its keys."""

MAX_TOKEN = 16 * 1024
_LEEWAY_SECONDS = 30
_NAME = re.compile(r"[A-Za-z0-9._@|-]{1,59}")
Key = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whom to believe, and where its tokens say what they allow."""

    issuer: str
    audience: str
    scopes_claim: str = "scope"
    namespaces_claim: str = "namespaces"


class KeyRing:
    """The provider's public keys by their names: kept for a while, asked for again when a name is unknown.

    Names are asked for by anybody who makes up a token, so asking is limited to once in `pause_seconds`. While the
    provider is away the keys that are known stay good.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[Sequence[Key]]],
        *,
        pause_seconds: float = 10.0,
        fresh_seconds: float = 600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._pause_seconds = pause_seconds
        self._fresh_seconds = fresh_seconds
        self._clock = clock
        self._keys: dict[str | None, Key] = {}
        self._fetched_at = self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def key(self, name: str | None) -> Key | None:
        """The key of that name; None when the provider has none. Raises Unavailable while no key at all is known."""
        known = self._keys.get(name)
        if known is not None and (self._clock() - self._fetched_at < self._fresh_seconds or self._lock.locked()):
            return known
        async with self._lock:
            if name not in self._keys or self._clock() - self._fetched_at >= self._fresh_seconds:
                await self._refresh()
        return self._keys.get(name)

    async def _refresh(self) -> None:
        if self._clock() - self._asked_at >= self._pause_seconds:
            self._asked_at = self._clock()
            try:
                keys = await self._fetch()
            except SomaError as error:
                log.warning("identity_keys_unknown", error=str(error), known=len(self._keys))
            else:
                self._keys = {key.get("kid"): key for key in keys if key.get("use", "sig") == "sig"}
                self._fetched_at = self._clock()
        if not self._keys:
            raise Unavailable("oidc", "the identity provider's keys are not known yet", retry_after_seconds=5)


class Bearers:
    """Checks such tokens."""

    def __init__(self, issuer: Issuer, keys: KeyRing, *, now: Callable[[], float] = time.time) -> None:
        self._issuer = issuer
        self._keys = keys
        self._now = now

    async def identify(self, token: str) -> Caller:
        """Whose token this is. Raises Forbidden, or Unavailable while the provider's keys are not known."""
        try:
            header = jwt.get_unverified_header(token) if len(token) <= MAX_TOKEN else {}
        except jwt.InvalidTokenError:
            header = {}
        algorithm, name = header.get("alg"), header.get("kid")
        if algorithm not in KINDS or not isinstance(name, str | None):
            raise Forbidden("Invalid token")
        key = await self._keys.key(name)
        kind = key and (key.get("kty"), key.get("crv"))
        if key is None or kind != KINDS[algorithm] or key.get("alg", algorithm) != algorithm:
            raise Forbidden("Invalid token")
        return self._caller(self._claims(token, algorithm, key))

    def _claims(self, token: str, algorithm: str, key: Key) -> Mapping[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                jwt.PyJWK(dict(key), algorithm=algorithm).key,
                algorithms=[algorithm],
                audience=self._issuer.audience,
                issuer=self._issuer.issuer,
                options={"require": ["exp", "iss", "aud", "sub"], "verify_exp": False, "verify_nbf": False},
            )
            until, since = float(claims["exp"]), float(claims.get("nbf", "-inf"))
        except (jwt.PyJWTError, TypeError, ValueError):
            raise Forbidden("Invalid token") from None
        if not until > self._now() - _LEEWAY_SECONDS:
            raise Forbidden("this token has expired: ask for a new one")
        if not since <= self._now() + _LEEWAY_SECONDS:
            raise Forbidden("this token is not valid yet")
        return claims

    def _caller(self, claims: Mapping[str, Any]) -> Caller:
        subject = str(claims["sub"])
        name = subject if _NAME.fullmatch(subject) else hashlib.sha256(subject.encode()).hexdigest()[:32]
        words = {word.removeprefix("soma:") for word in _listed(claims.get(self._issuer.scopes_claim))}
        namespaces = _listed(claims.get(self._issuer.namespaces_claim))
        if not namespaces:
            raise Forbidden(f"this token names no namespaces in its claim {self._issuer.namespaces_claim}")
        scopes = frozenset(scope for scope in Scope if scope.value in words)
        if "*" in namespaces:
            return Caller(f"oidc:{name}", scopes)
        try:
            return Caller(f"oidc:{name}", scopes, tuple(map(check_namespace, namespaces)))
        except InvalidRequest as error:
            raise Forbidden(f"this token is for no namespace of ours: {error}") from None


def _listed(claim: Any) -> list[str]:
    """A claim is a list, or words with blanks between them."""
    if isinstance(claim, str):
        return claim.split()
    return [item for item in claim if isinstance(item, str)] if isinstance(claim, list) else []
