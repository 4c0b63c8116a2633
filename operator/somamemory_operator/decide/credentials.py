"""The passwords and the token of one SomaMemory: found where they are, repaired from their copy, made when absent.

Two Secrets hold the same values. Each carries a checksum over the values that volumes depend on, so that a Secret
which somebody edited or emptied is told from a good one and repaired from the other. The API token stands outside of
the checksum: a person changes it in NAME-credentials, and that is how tokens are rotated.
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj, World
from somamemory_operator.resource.somamemory import SomaMemory

API_TOKEN = "SOMA_API_TOKEN"  # noqa: S105 - the name of a key, not a token
POSTGRES_PASSWORD = "POSTGRES_PASSWORD"  # noqa: S105
REDIS_PASSWORD = "REDIS_PASSWORD"  # noqa: S105
QDRANT_API_KEY = "QDRANT_API_KEY"
KAFKA_CLUSTER_ID = "KAFKA_CLUSTER_ID"
STORE_KEYS = (POSTGRES_PASSWORD, REDIS_PASSWORD, QDRANT_API_KEY, KAFKA_CLUSTER_ID)
KEYS = (API_TOKEN, *STORE_KEYS)
CHECKSUM = "checksum"


@dataclass(frozen=True)
class Credentials:
    """The values by key, in plain text. They do not show up when printed."""

    values: Mapping[str, str] = field(repr=False)

    def __getitem__(self, key: str) -> str:
        return self.values[key]

    def digest(self, *keys: str) -> str:
        """A short hash of some of the values, for the annotation that rolls the pods which use them."""
        return _hash(self.values, keys)[: names.HASH_LENGTH]

    def data(self) -> dict[str, str]:
        """The `data` of both Secrets, checksum included."""
        plain = {key: self.values[key] for key in KEYS} | {CHECKSUM: _hash(self.values, STORE_KEYS)}
        return {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}


def credentials(world: World, memory: SomaMemory, generate: Callable[[str], str]) -> Credentials:
    """The credentials to use: an intact Secret's, else what is left of both, else new ones from `generate(key)`."""
    found = [decoded(world.get("Secret", name)) for name in secret_names(memory.name)]
    good = [values for values in found if is_intact(values)] or found
    chosen = {key: _first(good, key) or generate(key) for key in STORE_KEYS}
    return Credentials({API_TOKEN: _first(found, API_TOKEN) or generate(API_TOKEN)} | chosen)


def secret_names(name: str) -> tuple[str, str]:
    """The Secret that people use, and its copy."""
    return names.credentials(name), names.credentials_copy(name)


def decoded(secret: Obj | None) -> dict[str, str]:
    """The values of a Secret as text; what is no text is left out, as if it were missing."""
    return dict(_texts((secret or {}).get("data") or {}))


def is_intact(values: Mapping[str, str]) -> bool:
    """Whether all values are there and are the ones that the checksum was made over."""
    return all(values.get(key) for key in STORE_KEYS) and values.get(CHECKSUM) == _hash(values, STORE_KEYS)


def random_value(key: str) -> str:
    """A fresh value for a key: the `generate` of a running operator."""
    if key == KAFKA_CLUSTER_ID:  # Kafka wants 16 bytes; its tools refuse identifiers that look like an option
        return "S" + secrets.token_urlsafe(16)[1:21] + "A"
    return secrets.token_hex(32) if key == API_TOKEN else secrets.token_urlsafe(32)


def _texts(data: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, value in data.items():
        try:
            text = base64.b64decode(value or "", validate=True).decode().strip()
        except (binascii.Error, UnicodeDecodeError):
            continue
        if text:
            yield key, text


def _first(found: list[dict[str, str]], key: str) -> str | None:
    return next((values[key] for values in found if key in values), None)


def _hash(values: Mapping[str, str], keys: tuple[str, ...]) -> str:
    text = "\0".join(f"{key}={values[key]}" for key in keys)
    return hashlib.sha256(text.encode()).hexdigest()
