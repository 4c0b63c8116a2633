"""The index in this process."""

from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

import numpy as np

from somafractalmemory.adapters.embedding import Vector
from somafractalmemory.adapters.local_states import LocalIndexStates
from somafractalmemory.adapters.local_switch import Switchable
from somafractalmemory.errors import Unavailable
from somafractalmemory.model import Embedding, Hit, Point, facets
from somafractalmemory.ports import Search


class LocalVectors(Switchable):
    """The index in a dictionary, searched from end to end."""

    def __init__(self, *, complete: bool = True) -> None:
        """In one process the index is as old as the truth, so nothing is missing from it unless a test says so."""
        super().__init__("qdrant")
        self._points: dict[UUID, Point] = {}
        self._complete = complete
        self._birth = str(uuid4())
        self.states = LocalIndexStates(self._points, check=self._check, birth=lambda: self._birth)

    async def upsert(self, points: Sequence[Point]) -> None:
        self._check()
        for point in points:
            old = self._points.get(point.id)
            if old is None or old.version < point.version:
                self._points[point.id] = point

    async def query(self, embedding: Embedding, search: Search, *, hybrid: bool) -> Sequence[Hit]:
        self._check()
        if not self._complete:
            raise Unavailable("qdrant", "it is being filled again")
        wanted = set(facets(search.filters))
        alive = [
            point
            for point in self._points.values()
            if point.deleted_at is None
            and point.namespace == search.namespace
            and search.memory_type in {None, point.memory_type}
            and wanted <= set(point.facets)
        ]
        dense = _best({point.id: _cosine(point, embedding.dense) for point in alive}, search.limit)
        sparse = _best(self._bm25(alive, embedding), search.limit) if hybrid else {}
        return [
            Hit(place, self._points[place].version, dense.get(place, 0.0), sparse.get(place, 0.0))
            for place in dense | sparse
        ]

    def _bm25(self, alive: Sequence[Point], embedding: Embedding) -> dict[UUID, float]:
        terms = {
            point.id: dict(zip(point.embedding.sparse.indices, point.embedding.sparse.values, strict=True))
            for point in alive
            if point.embedding
        }
        total, scores = len(self._points), dict.fromkeys(terms, 0.0)
        for term in embedding.sparse.indices:
            holders = [place for place, weights in terms.items() if term in weights]
            idf = float(np.log(1 + (total - len(holders) + 0.5) / (len(holders) + 0.5)))
            for place in holders:
                scores[place] += idf * terms[place][term]
        return scores

    async def is_complete(self) -> bool:
        self._check()
        return self._complete

    async def mark_complete(self) -> None:
        self._check()
        self._complete = True

    async def sweep(self, older_than: float) -> None:
        self._check()
        for place, point in list(self._points.items()):
            if point.deleted_at is not None and point.deleted_at < older_than:
                del self._points[place]

    def lose(self) -> None:
        """Lose the volume."""
        self._points.clear()
        self._complete = False
        self._birth = str(uuid4())


def _best(scores: Mapping[UUID, float], limit: int) -> dict[UUID, float]:
    ordered = sorted(scores.items(), key=lambda pair: -pair[1])
    return {place: score for place, score in ordered[:limit] if score > 0.0}


def _cosine(point: Point, dense: Vector | None) -> float:
    if dense is None or point.embedding is None or point.embedding.dense is None:
        return 0.0
    return float(np.dot(point.embedding.dense, dense))
