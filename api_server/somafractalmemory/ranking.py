"""From raw hits to an order: pure, bounded, and every score is the sum of parts that can be shown."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from somafractalmemory.model import Hit, Match, Memory

_RECENCY_HALF_LIFE_SECONDS = 30 * 24 * 3600.0
_IMPORTANCE_SHARE = 0.06
_RECENCY_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each list counts. Hashed words know less than BM25, so they only break its ties by default."""

    dense: float = 0.3
    sparse: float = 0.7


def fuse(hits: Sequence[Hit], weights: Weights, *, hybrid: bool) -> list[tuple[Hit, dict[str, float]]]:
    """Weighted parts of each hit: cosine as it is, BM25 relative to the best of the list."""
    best_sparse = max((hit.sparse for hit in hits), default=0.0)
    if not hybrid or best_sparse <= 0.0:
        return [(hit, {"dense": max(hit.dense, 0.0)}) for hit in hits]
    total = (weights.dense + weights.sparse) or 1.0
    return [
        (
            hit,
            {
                "dense": weights.dense / total * max(hit.dense, 0.0),
                "sparse": weights.sparse / total * (hit.sparse / best_sparse),
            },
        )
        for hit in hits
    ]


def rank(found: Iterable[tuple[Memory, Mapping[str, float]]], now: float) -> list[Match]:
    """Best first. Importance and recency add at most 8% of the relevance, so they order equals only."""
    matches = [_match(memory, parts, now) for memory, parts in found]
    matches.sort(key=lambda match: (-match.score, match.memory.coordinate))
    return matches


def _match(memory: Memory, parts: Mapping[str, float], now: float) -> Match:
    relevance = sum(parts.values())
    age = max(now - (memory.timestamp if memory.timestamp is not None else memory.updated_at), 0.0)
    shown = {
        **parts,
        "importance": relevance * _IMPORTANCE_SHARE * memory.importance_norm,
        "recency": relevance * _RECENCY_SHARE * math.exp2(-age / _RECENCY_HALF_LIFE_SECONDS),
    }
    return Match(memory, sum(shown.values()), shown)
