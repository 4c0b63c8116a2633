"""The structured token file: who has which token, what it allows, where and until when; and how one is made.

Only digests are kept. A plain SHA-256 is right for them, and a slow password hash would be wrong: a token made here has
256 random bits, so nobody can guess one from its digest however fast the hash is, and a slow hash would be paid for on
every single request.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from somafractalmemory.errors import ConfigurationError, InvalidRequest
from somafractalmemory.model import check_namespace
from somafractalmemory.security.callers import Caller, Scope


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A token that is accepted; `expires` in epoch seconds, None for never."""

    digest: bytes
    caller: Caller
    expires: float | None = None


class Entry(BaseModel):
    """One token of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]
    sha256: Annotated[str, Field(pattern=r"^(sha256:)?[0-9a-fA-F]{64}$")]
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)]
    namespaces: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    expires: datetime | None = None

    @field_validator("namespaces")
    @classmethod
    def _namespaces(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        try:
            return value and tuple(map(check_namespace, value))
        except InvalidRequest as error:
            raise ValueError(str(error)) from None

    def known(self) -> KnownToken:
        """What the service keeps of it."""
        expires = self.expires and (self.expires if self.expires.tzinfo else self.expires.replace(tzinfo=UTC))
        return KnownToken(
            bytes.fromhex(self.sha256.removeprefix("sha256:")),
            Caller(self.name, frozenset(self.scopes), self.namespaces or ()),
            expires.timestamp() if expires else None,
        )


_ENTRIES = TypeAdapter(Annotated[tuple[Entry, ...], Field(min_length=1)])


def digest_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def plain_tokens(text: str) -> list[KnownToken]:
    """Tokens separated by commas or blanks, as ever: each allows everything in every namespace."""
    digests = [digest_of(token) for token in re.split(r"[\s,]+", text) if token]
    return [KnownToken(digest, Caller(digest.hex()[:16])) for digest in digests]


def read_entries(text: str, source: str) -> list[KnownToken]:
    """The tokens of a structured file, YAML or JSON. Raises ConfigurationError that names every wrong entry."""
    try:
        # Everything stays text, so that no digest is taken for a number and no name for a yes.
        content: Any = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  # it makes nothing but texts, lists, maps
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ConfigurationError(f"{source}: this is neither YAML nor JSON{where}") from None
    entries = content.get("tokens") if isinstance(content, dict) else content
    try:
        return [entry.known() for entry in _ENTRIES.validate_python(entries)]
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:20])
        raise ConfigurationError(
            f"{source}: {problems or 'it holds no tokens'}; see docs/security.md, or `soma token new`"
        ) from None


def new_token(
    *, name: str, scopes: Iterable[Scope], namespaces: Sequence[str] = (), expires: datetime | None = None
) -> tuple[str, Entry]:
    """A token that nobody will see again, and the entry to be kept. Raises InvalidRequest."""
    token = f"soma_{secrets.token_urlsafe(32)}"
    fields = {
        "name": name,
        "sha256": digest_of(token).hex(),
        "scopes": sorted(set(scopes)),
        "namespaces": list(namespaces) or None,
        "expires": expires,
    }
    try:
        return token, Entry.model_validate(fields)
    except ValidationError as error:
        problems = "; ".join(f"{item['loc'][0]}: {item['msg']}" for item in error.errors())
        raise InvalidRequest(f"no token can be made: {problems}") from None


def line_of(entry: Entry) -> str:
    """The entry as one line below `tokens:`."""
    fields = entry.model_dump(mode="json", exclude_none=True)
    quoted = yaml.safe_dump(fields, default_flow_style=True, sort_keys=False, width=10_000).strip()
    return f"  - {quoted}"
