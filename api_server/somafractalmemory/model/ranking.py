"""From raw hits to an order: pure, bounded, and every score is the sum of parts that can be shown."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from somafractalmemory.model import Hit, Match, Memory

_HALF_SCORE = 5.0
_RECENCY_HALF_LIFE_SECONDS = 30 * 24 * 3600.0
_IMPORTANCE_SHARE = 0.06
_RECENCY_SHARE = 0.02
_OFTEN = 64


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each list counts. These are never worse than either list alone on conversations: `tests/bench`."""

    dense: float = 0.75
    sparse: float = 0.25


def fuse(hits: Sequence[Hit], weights: Weights, *, hybrid: bool, limit: int) -> list[tuple[Hit, dict[str, float]]]:
    """Weighted parts of each hit, both between 0 and 1: cosine as it is, BM25 b as b / (b + 5).

    A hit that one of the lists does not have gets the least score of that list when the list is full, that is, has
    `limit` entries: it cannot have more, and probably has little less.
    """
    if not hybrid or not any(hit.sparse > 0.0 for hit in hits):
        return [(hit, {"dense": max(hit.dense, 0.0)}) for hit in hits]
    total = (weights.dense + weights.sparse) or 1.0
    dense_floor, sparse_floor = _floor([hit.dense for hit in hits], limit), _floor([hit.sparse for hit in hits], limit)
    fused = []
    for hit in hits:
        found = hit.dense > 0.0 or hit.sparse > 0.0
        dense = hit.dense if hit.dense > 0.0 else found * dense_floor
        sparse = hit.sparse if hit.sparse > 0.0 else found * sparse_floor
        share = sparse / (sparse + _HALF_SCORE)
        fused.append((hit, {"dense": weights.dense / total * dense, "sparse": weights.sparse / total * share}))
    return fused


def rank(found: Iterable[tuple[Memory, Mapping[str, float]]], now: float) -> list[Match]:
    """Best first. Importance and recency add at most 8% of the relevance, so they order equals only."""
    matches = [_match(memory, parts, now) for memory, parts in found]
    matches.sort(key=lambda match: (-match.score, match.memory.coordinate))
    return matches


def freshness(memory: Memory, now: float) -> float:
    """1 when new, falling to 0: half is left after 15 days; after up to 75 when it is important and often retrieved."""
    age = max(now - (memory.timestamp if memory.timestamp is not None else memory.updated_at), 0.0)
    lasting = 0.5 + memory.importance_norm + min(memory.access_count, _OFTEN) / _OFTEN
    return math.exp2(-age / (_RECENCY_HALF_LIFE_SECONDS * lasting))


def _floor(scores: Sequence[float], limit: int) -> float:
    positive = [score for score in scores if score > 0.0]
    return min(positive) if positive and len(positive) >= limit else 0.0


def _match(memory: Memory, parts: Mapping[str, float], now: float) -> Match:
    relevance = sum(parts.values())
    shown = {
        **parts,
        "importance": relevance * _IMPORTANCE_SHARE * memory.importance_norm,
        "recency": relevance * _RECENCY_SHARE * freshness(memory, now),
    }
    return Match(memory, sum(shown.values()), shown)
