"""The passwords and the token of one SomaMemory: found where they are, repaired from their copy, made when absent.

Two Secrets hold the same values. Each carries a checksum over the values that volumes depend on, so that a Secret
which somebody edited or emptied is told from a good one and repaired from the other. The API token stands outside of
the checksum: of a generated one a person may change it in NAME-credentials. So does the login at Kafka, which takes
whatever is mounted.

What is in force stands under its own key. A value that is on its way in stands beside it until its store takes it
(`decide.rotation`), and the one before it stays known to the programs. A source that says nothing changes nothing.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from somamemory_operator.decide import rotation, sources
from somamemory_operator.decide.sources import (
    API_TOKEN,
    KAFKA_LOGIN,
    POSTGRES_PASSWORD,
    QDRANT_API_KEY,
    REDIS_PASSWORD,
    ROTATED,
    Gap,
    decoded,
)
from somamemory_operator.model import names
from somamemory_operator.model.observed import World, at, encoded
from somamemory_operator.resource.somamemory import SomaMemory

__all__ = ["API_TOKEN", "POSTGRES_PASSWORD", "QDRANT_API_KEY", "REDIS_PASSWORD", "decoded"]

KAFKA_CLUSTER_ID = "KAFKA_CLUSTER_ID"
STORE_KEYS = (POSTGRES_PASSWORD, REDIS_PASSWORD, QDRANT_API_KEY, KAFKA_CLUSTER_ID)
KEYS = (API_TOKEN, *STORE_KEYS, KAFKA_LOGIN)
CHECKSUM = "checksum"


@dataclass(frozen=True)
class Credentials:
    """The values by key, in plain text. They do not show up when printed.

    `coming` are those that stores and API do not know yet, `previous` those that were in force before. `gaps` say what
    the source lacks; without all values in force nothing may be made of this (`is_complete`).
    """

    values: Mapping[str, str] = field(repr=False)
    coming: Mapping[str, str] = field(default_factory=dict, repr=False)
    previous: Mapping[str, str] = field(default_factory=dict, repr=False)
    gaps: tuple[Gap, ...] = ()
    record: Mapping[str, str] = field(default_factory=dict)
    """Annotations that remember how far rotations are; no value is in them."""

    def __getitem__(self, key: str) -> str:
        return self.values[key]

    @property
    def is_complete(self) -> bool:
        """Whether everything has a value in force."""
        return all(self.values.get(key) for key in KEYS)

    def newest(self, key: str) -> str:
        """What is to be in force in the end."""
        return self.coming.get(key) or self.values[key]

    def other(self, key: str) -> str:
        """What else may be in force now: before a store has changed over, or just after."""
        return self.values[key] if key in self.coming else self.previous.get(key) or self.values[key]

    def digest(self, *keys: str) -> str:
        """A short hash of some of the values in force, for the annotation that rolls the stores which use them."""
        return _hash(self.values, keys)[: names.HASH_LENGTH]

    @property
    def ordinal(self) -> str:
        """How many rotations of the stores' passwords there were: rolls the programs, and tells nothing."""
        return self.record.get(names.ROTATION_ANNOTATION, "0")

    def data(self) -> dict[str, str]:
        """The `data` of both Secrets, checksum included."""
        more = {f"{key}{rotation.COMING}": value for key, value in self.coming.items()}
        more |= {f"{key}{rotation.PREVIOUS}": value for key, value in self.previous.items()}
        plain = {key: self.values[key] for key in KEYS} | more | {CHECKSUM: _hash(self.values, STORE_KEYS)}
        return {key: encoded(value) for key, value in plain.items()}


def credentials(
    world: World, memory: SomaMemory, generate: Callable[[str], str], now: datetime | None = None
) -> Credentials:
    """The credentials to use: an intact Secret's, else what is left of both, else the source's, else new ones.

    New ones are made by `generate(key)`. Without a `now` no time passes: what waits for it goes on waiting.
    """
    names_of_both = secret_names(memory.name)
    stored = [decoded(world.get("Secret", name)) for name in names_of_both]
    good = [values for values in stored if is_intact(values)] or stored
    in_force = {key: _first(stored if key == API_TOKEN else good, key) for key in KEYS}
    in_force[KAFKA_LOGIN] = next((login for each in good if is_login(login := each.get(KAFKA_LOGIN, ""))), None)
    known = rotation.Rotation(
        {key: value for key, value in in_force.items() if value},
        {
            key: value
            for key in ROTATED
            if (value := _first(good, f"{key}{rotation.COMING}")) and value != in_force[key]  # only one knows it is in
        },
        {key: value for key in ROTATED if (value := _first(good, f"{key}{rotation.PREVIOUS}"))},
        _record(world, names_of_both),
    )
    said = sources.found(memory, world)
    birth = _hash(known.values, (POSTGRES_PASSWORD,))[: names.HASH_LENGTH] if known.values else ""
    after = rotation.next_state(known, said.values, memory, world, generate, now, birth)
    brought = sources.places(memory)
    values = {key: after.values.get(key) or said.values.get(key) or _made(key, brought, generate) for key in KEYS}
    return Credentials(values, after.coming, after.previous, said.gaps, after.record)


def secret_names(name: str) -> tuple[str, str]:
    """The Secret that people use, and its copy."""
    return names.credentials(name), names.credentials_copy(name)


def is_intact(values: Mapping[str, str]) -> bool:
    """Whether all values are there and are the ones that the checksum was made over."""
    return all(values.get(key) for key in STORE_KEYS) and values.get(CHECKSUM) == _hash(values, STORE_KEYS)


def is_login(text: str) -> bool:
    """Whether Kafka's pod and our programs read the same user and password out of it."""
    return re.fullmatch(r"[A-Za-z0-9._-]+:[A-Za-z0-9._-]+", text) is not None


def random_value(key: str) -> str:
    """A fresh value for a key: the `generate` of a running operator."""
    if key == KAFKA_CLUSTER_ID:  # Kafka wants 16 bytes; its tools refuse identifiers that look like an option
        return "S" + secrets.token_urlsafe(16)[1:21] + "A"
    if key == KAFKA_LOGIN:  # another user each time, because Kafka knows one password of a user
        return f"soma-{secrets.token_hex(4)}:{secrets.token_urlsafe(32)}"
    return secrets.token_hex(32) if key == API_TOKEN else secrets.token_urlsafe(32)


def _made(key: str, brought: Mapping[str, object], generate: Callable[[str], str]) -> str:
    """What only a source can say is not made up."""
    return "" if key in brought else generate(key)


def _record(world: World, secret_names: tuple[str, ...]) -> dict[str, str]:
    annotations = [at(world.get("Secret", name), "metadata", "annotations") or {} for name in secret_names]
    return {
        key: next(each[key] for each in annotations if key in each)
        for key in rotation.REMEMBERED
        if any(key in each for each in annotations)
    }


def _first(found: list[dict[str, str]], key: str) -> str | None:
    return next((values[key] for values in found if key in values), None)


def _hash(values: Mapping[str, str], keys: tuple[str, ...]) -> str:
    text = "\0".join(f"{key}={values.get(key, '')}" for key in keys)
    return hashlib.sha256(text.encode()).hexdigest()
