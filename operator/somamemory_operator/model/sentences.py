"""Words of a server, made fit for a condition: the same trouble must give the same sentence in every pass."""

import re

_SAFE = "[bcdfghjklmnpqrstvwxz2456789]"  # of these letters Kubernetes makes random names
_MOST = 600
_MOVING = (
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "…"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?"), "…"),
    (re.compile(r"(?<=:)\d{4,5}(?=->)"), "…"),
    (re.compile(rf"(?<=[a-z0-9])-{_SAFE}{{6,10}}-{_SAFE}{{5}}\b"), "-…"),
    (re.compile(r"(?<=[a-z0-9]-[0-9a-f]{10})-" + _SAFE + r"{5}\b"), "-…"),
)


def steady(text: str) -> str:
    """The text in one line without what moves: identities, times, source ports, the random names of pods."""
    found = " ".join(text.split())
    for pattern, instead in _MOVING:
        found = pattern.sub(instead, found)
    return found if len(found) <= _MOST else f"{found[:_MOST]}…"
