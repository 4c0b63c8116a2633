"""The rules about keys, values and patterns, and the lock, which are the same in both stores."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from somafractalmemory.errors import InvalidRequest, Unavailable
from somafractalmemory.ports import Locks
from somafractalmemory.usecases.locking import Held, Locking

MAX_KEY = 1024
MAX_VALUE = 16 * 1024 * 1024
MAX_FIELDS = 10_000
NAMESPACE = "default"
SCAN_PAGE = 500


def checked_key(key: str) -> str:
    """Raises InvalidRequest."""
    if not isinstance(key, str) or not 1 <= len(key) <= MAX_KEY or "\x00" in key:
        raise InvalidRequest(f"a key is a text of 1 to {MAX_KEY} characters without NUL", loc=("key",))
    return key


def as_bytes(value: bytes | str) -> bytes:
    """Raises InvalidRequest."""
    found = value.encode() if isinstance(value, str) else value
    if not isinstance(found, bytes) or len(found) > MAX_VALUE:
        raise InvalidRequest(f"a value is bytes or a text of at most {MAX_VALUE} bytes", loc=("value",))
    return found


def checked_fields(fields: Mapping[str | bytes, bytes | str]) -> dict[bytes, bytes]:
    """Raises InvalidRequest."""
    if not 1 <= len(fields) <= MAX_FIELDS:
        raise InvalidRequest(f"a hash is set with 1 to {MAX_FIELDS} fields", loc=("mapping",))
    return {as_bytes(field): as_bytes(value) for field, value in fields.items()}


def checked_pattern(pattern: str) -> str:
    """Raises InvalidRequest."""
    if not isinstance(pattern, str) or not 1 <= len(pattern) <= MAX_KEY or "\x00" in pattern:
        raise InvalidRequest(f"a pattern is a text of 1 to {MAX_KEY} characters without NUL", loc=("pattern",))
    glob_regex(pattern)
    return pattern


def glob_regex(pattern: str) -> str:
    """Redis' patterns as a regular expression that Postgres and Python read alike.

    `*` any characters, `?` one, `[ab]`, `[a-c]` and `[^a]` one of some, `\\x` the character itself. Raises
    InvalidRequest for a class that is not closed.
    """
    made: list[str] = []
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        if sign == "[":
            part, at = _class(pattern, at + 1)
        elif sign == "\\" and at + 1 < len(pattern):
            part, at = _literal(pattern[at + 1]), at + 2
        else:
            part, at = {"*": ".*", "?": "."}.get(sign) or _literal(sign), at + 1
        if part != ".*" or not made or made[-1] != ".*":
            made.append(part)
    return f"^(?:{''.join(made)})$"


def _class(pattern: str, at: int) -> tuple[str, int]:
    is_negated = pattern.startswith("^", at)
    at += is_negated
    parts: list[str] = []
    while not pattern.startswith("]", at):
        if at + 1 >= len(pattern):
            raise InvalidRequest("a pattern's [ is closed by a ]; write \\[ for the sign itself", loc=("pattern",))
        if pattern[at] == "\\":
            at += 1
        if pattern.startswith("-", at + 1) and at + 2 < len(pattern) and pattern[at + 2] != "]":
            low, high = sorted((pattern[at], pattern[at + 2]))
            parts.append(f"{_literal(low)}-{_literal(high)}")
            at += 3
        else:
            parts.append(_literal(pattern[at]))
            at += 1
    if not parts:  # nothing is in it, anything is outside of it
        return ("." if is_negated else "(?!.)."), at + 1
    return f"[{'^' if is_negated else ''}{''.join(parts)}]", at + 1


def _literal(sign: str) -> str:
    return sign if re.fullmatch(r"[A-Za-z0-9]", sign) else f"\\U{ord(sign):08x}"


@asynccontextmanager
async def held(locks: Locks, namespace: str, name: str, timeout: float) -> AsyncIterator[Held]:  # noqa: ASYNC109
    """The lock, prolonged while the body runs. Raises Unavailable when others hold it for `timeout` seconds."""
    locking = Locking(locks=locks)
    async with locking.hold(namespace=namespace, name=name, ttl_seconds=timeout, wait_seconds=timeout) as mine:
        if mine is None:
            raise Unavailable("lock", f"somebody else has held {name!r} for {timeout:g} s")
        yield mine
