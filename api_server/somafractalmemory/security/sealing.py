"""Encrypting fields of payloads, before any store sees them.

The chosen fields of a payload become one text in the field `$sealed`: `v1.KEY.DATA`. KEY names the key; DATA is
AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits over the fields as JSON. The memory's identifier is
authenticated with it, so a seal moved to another memory does not open. Names of sealed fields are hidden, too.
The first key seals, every key opens: put a new one in front, reseal, drop the old one.
"""

import binascii
import hashlib
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from somafractalmemory.errors import ConfigurationError
from somafractalmemory.model import SEALED, Memory, NewMemory, searchable_text

EVERYTHING = "*"
_NONCE = 12


class Seal:
    """Seals and opens with the keys at hand."""

    def __init__(self, keys: Sequence[bytes], fields: Sequence[str]) -> None:
        self._ciphers = {_name(key): AESGCM(key) for key in keys}
        self._first = next(iter(self._ciphers))
        self._fields = frozenset(fields)

    @property
    def mark(self) -> str:
        """How every seal by the first key starts."""
        return f"v1.{self._first}."

    def secrets(self, payload: Mapping[str, Any]) -> frozenset[str]:
        """The fields that only their names seal: under another name they would be read. None when all are sealed."""
        return frozenset() if EVERYTHING in self._fields else self._fields & payload.keys()

    def outline(self, memory: NewMemory) -> NewMemory:
        """The memory without what will be sealed: all that an index may know."""
        hidden = self._hidden(memory.payload)
        if not hidden:
            return memory
        payload = {key: value for key, value in memory.payload.items() if key not in hidden}
        return replace(memory, payload=payload, text=searchable_text(payload))

    def seal(self, memory: NewMemory) -> NewMemory:
        """The memory with its secret fields sealed; the same one when it has none, or is sealed already."""
        hidden = self._hidden(memory.payload)
        if not hidden or SEALED in memory.payload:
            return memory
        outline = self.outline(memory)
        secret = orjson.dumps({key: memory.payload[key] for key in hidden})
        payload = {**outline.payload, SEALED: self._encrypted(secret, memory.id)}
        return replace(outline, payload=payload, payload_json=orjson.dumps(payload).decode())

    def open(self, memory: Memory) -> Memory:
        """The memory with all its fields; unchanged, and so `locked`, when no key opens it."""
        text = memory.payload.get(SEALED)
        secret = self._decrypted(text, memory.id) if isinstance(text, str) else None
        if secret is None:
            return memory
        fields = {key: value for key, value in memory.payload.items() if key != SEALED}
        return replace(memory, payload={**fields, **orjson.loads(secret)})

    def reseal(self, text: str, place: UUID) -> str | None:
        """The same content sealed by the first key; None when no key opens it."""
        secret = self._decrypted(text, place)
        return None if secret is None else self._encrypted(secret, place)

    def _hidden(self, payload: Mapping[str, Any]) -> frozenset[str]:
        return frozenset(payload) if EVERYTHING in self._fields else self._fields & payload.keys()

    def _encrypted(self, secret: bytes, place: UUID) -> str:
        nonce = os.urandom(_NONCE)
        data = nonce + self._ciphers[self._first].encrypt(nonce, secret, place.bytes)
        return self.mark + urlsafe_b64encode(data).decode()

    def _decrypted(self, text: str, place: UUID) -> bytes | None:
        version, _, rest = text.partition(".")
        name, _, encoded = rest.partition(".")
        cipher = self._ciphers.get(name)
        if version != "v1" or cipher is None:
            return None
        try:
            data = urlsafe_b64decode(encoded)
            return cipher.decrypt(data[:_NONCE], data[_NONCE:], place.bytes)
        except (InvalidTag, binascii.Error, ValueError):
            return None


def read_keys(file: Path) -> list[bytes]:
    """The keys of a file, one a line: 32 random bytes in Base64, as Fernet keys are. Raises ConfigurationError."""
    try:
        lines = [line.strip() for line in file.read_text().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"SOMA_ENCRYPTION_KEY_FILE: {file} cannot be read ({error.__class__.__name__}); mount it"
        ) from None
    keys = [_key(line, number) for number, line in enumerate(lines, 1) if line and not line.startswith("#")]
    if not keys:
        raise ConfigurationError(
            f"SOMA_ENCRYPTION_KEY_FILE: {file} holds no key; make one with `openssl rand -base64 32`"
        )
    return keys


def _key(line: str, number: int) -> bytes:
    try:
        key = urlsafe_b64decode(line.replace("+", "-").replace("/", "_"))
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise ConfigurationError(
            f"SOMA_ENCRYPTION_KEY_FILE: line {number} is no key of 32 bytes in Base64; "
            "make one with `openssl rand -base64 32`"
        )
    return key


def _name(key: bytes) -> str:
    """A short name that tells nothing of the key."""
    return hashlib.sha256(b"soma key name" + key).hexdigest()[:12]
