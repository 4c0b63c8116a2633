"""Where each password and token is to come from, and what is found there now.

Only what a source *says* is decided here. What it does not say takes nothing away: see `decide.credentials`.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj, World
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.secrets import ExternalSecret, SecretKey
from somamemory_operator.resource.somamemory import SomaMemory

API_TOKEN = "SOMA_API_TOKEN"  # noqa: S105 - the name of a key, not a token
POSTGRES_PASSWORD = "POSTGRES_PASSWORD"  # noqa: S105
REDIS_PASSWORD = "REDIS_PASSWORD"  # noqa: S105
QDRANT_API_KEY = "QDRANT_API_KEY"
PARTS = {
    "api_token": API_TOKEN,
    "postgres": POSTGRES_PASSWORD,
    "redis": REDIS_PASSWORD,
    "qdrant": QDRANT_API_KEY,
}
"""Fields of spec.secrets.existing and the keys that they are about: everything that a user may bring, and rotate."""
BROUGHT = tuple(PARTS.values())
KAFKA_LOGIN = "KAFKA_LOGIN"
"""USER:PASSWORD of our programs at a Kafka of ours that speaks TLS. Nobody else needs it, so it is always generated."""
ROTATED = (*BROUGHT, KAFKA_LOGIN)
"""Everything that is replaced without a failed request."""


class Origin(NamedTuple):
    """A key of a Secret of the user's."""

    secret: str
    key: str


class Gap(NamedTuple):
    """Why a source does not say a value, as a person is told."""

    reason: Reason
    message: str


@dataclass(frozen=True)
class Found:
    """What the source says: the values that it has, in plain text and not shown when printed, and what it lacks."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    gaps: tuple[Gap, ...] = ()


def places(memory: SomaMemory) -> dict[str, Origin]:
    """Where each key is read; what is not in here is generated."""
    chosen = memory.spec.secrets
    if chosen.existing is not None:
        common = chosen.existing.name
        entries: dict[str, SecretKey | None] = {key: getattr(chosen.existing, part) for part, key in PARTS.items()}
        read = {key: entry or (SecretKey(name=common) if common else None) for key, entry in entries.items()}
        return {key: Origin(entry.name, entry.key or key) for key, entry in read.items() if entry is not None}
    if chosen.external_secret is not None:
        target = target_of(memory.name, chosen.external_secret)
        return {key: Origin(target, key) for key in _fetched(chosen.external_secret)}
    return {}


def secrets_of(memory: SomaMemory) -> frozenset[str]:
    """The names of the Secrets that are to be looked at beside our own."""
    return frozenset(place.secret for place in places(memory).values())


def target_of(name: str, chosen: ExternalSecret) -> str:
    """The Secret that an ExternalSecret makes for the SomaMemory of that name."""
    return chosen.target.name or names.external_secrets(name)


def found(memory: SomaMemory, world: World) -> Found:
    """What the source says now."""
    values: dict[str, str] = {}
    gaps: dict[Gap, None] = {}
    for key, place in places(memory).items():
        value = decoded(world.brought.get(place.secret)).get(place.key)
        wrong = _unfit(key, value) if value is not None else None
        if value is not None and wrong is None:
            values[key] = value
        else:
            gaps[_wrong(place, wrong) if wrong is not None else _gap(memory, world, place)] = None
    return Found(values, tuple(gaps))


def decoded(secret: Obj | None) -> dict[str, str]:
    """The values of a Secret as text; what is no text, or empty, is left out, as if it were missing."""
    return dict(_texts((secret or {}).get("data") or {}))


def _texts(data: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, value in data.items():
        try:
            text = base64.b64decode(value or "", validate=True).decode().strip()
        except (binascii.Error, UnicodeDecodeError):
            continue
        if text:
            yield key, text


def _fetched(chosen: ExternalSecret) -> Iterator[str]:
    said = {entry.secret_key for entry in chosen.data} | set(chosen.target.template.data)
    return (key for key in BROUGHT if chosen.data_from or key in said)


def _unfit(key: str, value: str) -> str | None:
    """What is wrong with a value: it stands on one line of a file, of redis.conf and of an HTTP header."""
    if len(value) > _LONGEST:
        return f"is longer than {_LONGEST} characters"
    if not value.isascii() or not value.isprintable() or " " in value:
        return "has blanks or signs beyond ASCII"
    if key == API_TOKEN and "," in value:
        return "has a comma, which separates tokens"
    return None


_LONGEST = 512


def _wrong(place: Origin, why: str) -> Gap:
    text = f"Key {place.key} of Secret {place.secret} {why}: use letters, digits and other signs of one line."
    return Gap(Reason.KEY_INVALID, text)


def _gap(memory: SomaMemory, world: World, place: Origin) -> Gap:
    if (unread := world.unread_secrets.get(place.secret)) is not None:
        return Gap(unread.reason, unread.message)
    is_external = memory.spec.secrets.external_secret is not None
    if is_external and "ExternalSecret" in world.unserved and place.secret not in world.brought:
        text = (
            "The cluster does not serve ExternalSecret (external-secrets.io/v1) to the operator: install External "
            "Secrets (it is noticed within a minute), or choose another spec.secrets.source."
        )
        return Gap(Reason.KIND_MISSING, text)
    remedy = (
        f"`kubectl describe externalsecret -n {memory.namespace} {names.external_secrets(memory.name)}` says why"
        if is_external
        else "create it, or name another in spec.secrets.existing"
    )
    if place.secret not in world.brought:
        return Gap(Reason.SECRET_MISSING, f"There is no Secret {place.secret}: {remedy}.")
    return Gap(Reason.KEY_MISSING, f"Secret {place.secret} has nothing under the key {place.key}: {remedy}.")
