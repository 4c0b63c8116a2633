"""Recall, in all its forms: one question, one way to answer it, every score the sum of its parts."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog

from somafractalmemory import telemetry
from somafractalmemory.errors import InvalidPayload, InvalidRequest, Unavailable
from somafractalmemory.model import (
    Embedding,
    Hit,
    Match,
    Memory,
    MemoryType,
    Recalled,
    check_filters,
    fulfils,
    searchable_text,
)
from somafractalmemory.model.ranking import Weights, fuse, rank
from somafractalmemory.model.wording import Term, coverage
from somafractalmemory.ports import Embedder, Records, Search, Vectors

log = structlog.get_logger(__name__)

_CONTEXT_SHARE = 0.25
_AT_ONCE = 4
Found = list[tuple[Memory, dict[str, float]]]


@dataclass(frozen=True, slots=True)
class Question:
    """What to recall. Each of `terms` adds its share of `boost`; likeness to `context` adds up to a quarter."""

    namespace: str
    query: str
    top_k: int
    memory_type: MemoryType | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)
    hybrid: bool = True
    terms: Sequence[Term] = ()
    boost: float = 0.0
    context: Mapping[str, Any] = field(default_factory=dict)


class Recaller:
    """Answers questions from the index, or from the truth's own words while the index is away."""

    def __init__(
        self,
        *,
        records: Records,
        vectors: Vectors,
        embedder: Embedder,
        weights: Weights,
        clock: Callable[[], float],
    ) -> None:
        self._records = records
        self._vectors = vectors
        self._embedder = embedder
        self._weights = weights
        self._clock = clock

    async def recall(self, question: Question) -> Recalled:
        """The memories that fit best; by words alone, and marked so, while the index is away."""
        filters = check_filters(question.filters)
        search = Search(question.namespace, question.memory_type, filters, with_spare(question.top_k))
        context = context_text(question.context)
        try:
            hits, likeness = await self._ask_index(question, search, context)
        except Unavailable as error:
            telemetry.DEGRADED_RECALLS.inc()
            log.warning("recall_degraded", error=str(error))
            words = " ".join([question.query, *(term.text for term in question.terms)])
            found = found_by_text(await self._records.find_text(words, search))
            return Recalled(self._best(found, question), degraded=("qdrant",))
        return Recalled(self._best(await self._hydrated(hits, likeness, search, question), question))

    async def recall_many(self, questions: Sequence[Question]) -> Sequence[Recalled]:
        """One answer for each, in order; a few at a time."""
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(question: Question) -> Recalled:
            async with turn:
                return await self.recall(question)

        return await asyncio.gather(*map(one, questions))

    async def _ask_index(self, question: Question, search: Search, context: str) -> tuple[list[Hit], dict[UUID, float]]:
        """The hits of the query with those of the terms, and how much each resembles the context."""
        embedding = await self._embedder.query(question.query)
        hits = {hit.id: hit for hit in await self._vectors.query(embedding, search, hybrid=question.hybrid)}
        if question.terms:
            words = await self._embedder.query(" ".join(term.text for term in question.terms))
            named = await self._vectors.query(Embedding(None, words.sparse), search, hybrid=True)
            hits = {hit.id: Hit(hit.id, hit.version) for hit in named} | hits
        if not context:
            return list(hits.values()), {}
        like = await self._vectors.query(await self._embedder.query(context), search, hybrid=True)
        fused = fuse(like, self._weights, hybrid=True, limit=search.limit)
        return list(hits.values()), {hit.id: sum(parts.values()) for hit, parts in fused}

    async def _hydrated(
        self, hits: Sequence[Hit], likeness: Mapping[UUID, float], search: Search, question: Question
    ) -> Found:
        """The best of what the truth confirms; reads only as many memories as the answer needs.

        What terms add is known only once a memory was read, so with terms all are.
        """
        fused = fuse(hits, self._weights, hybrid=question.hybrid, limit=search.limit)
        if question.context:
            for hit, parts in fused:
                parts["context"] = _CONTEXT_SHARE * likeness.get(hit.id, 0.0)
        fused.sort(key=lambda pair: -sum(pair[1].values()))
        portion = max(len(fused), 1) if question.terms else question.top_k + question.top_k // 2 + 5
        confirmed: Found = []
        for start in range(0, len(fused), portion):
            candidates = fused[start : start + portion]
            memories = await self._records.get([hit.id for hit, _ in candidates])
            confirmed += [(memories[hit.id], parts) for hit, parts in candidates if _is_true(hit, memories, search)]
            if len(confirmed) >= question.top_k:
                break
        return confirmed

    def _best(self, found: Found, question: Question) -> list[Match]:
        if question.terms:
            for memory, parts in found:
                parts["terms"] = question.boost * coverage(question.terms, searchable_text(memory.payload))
            found = [(memory, parts) for memory, parts in found if sum(parts.values()) > 0.0]
        return rank(found, self._clock())[: question.top_k]


def context_text(context: Mapping[str, Any]) -> str:
    """The words of a context. Raises InvalidRequest when it breaks a payload's limits."""
    try:
        return searchable_text(context)
    except InvalidPayload as error:
        raise InvalidRequest(str(error).replace("payload", "context"), loc=("context",)) from None


def with_spare(top_k: int) -> int:
    """Ask for more than wanted: bounded factors reorder, and stale hits are dropped."""
    return min(top_k * 2 + 20, 1100)


def _is_true(hit: Hit, memories: Mapping[UUID, Memory], search: Search) -> bool:
    """Whether the truth still says what was indexed."""
    memory = memories.get(hit.id)
    return (
        memory is not None
        and not memory.deleted
        and memory.version == hit.version
        and memory.namespace == search.namespace
        and search.memory_type in {None, memory.memory_type}
        and fulfils(memory.payload, search.filters)
    )


def found_by_text(found: Sequence[tuple[Memory, float]]) -> Found:
    """Full-text ranks as one part of a score, relative to the best."""
    best = max((score for _, score in found), default=0.0) or 1.0
    return [(memory, {"text": score / best}) for memory, score in found]
