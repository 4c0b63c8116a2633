"""Reading: by place, by a question, by terms, along links."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import numpy.typing as npt

from somafractalmemory.errors import InvalidRequest, NotFound
from somafractalmemory.model import Coordinate, Match, MemoryType
from somafractalmemory.model.wording import MAX_TERM, MAX_TERMS, Mode, Term, candidate_terms, term_of
from somafractalmemory.ports import Box
from somafractalmemory.synchronous.base import Face
from somafractalmemory.synchronous.values import payload_of, place_of, record_of, type_of
from somafractalmemory.usecases.recalling import Question

Record = dict[str, Any]
_MOST = 1000
_MOST_LINKS = 1000


class Reading(Face):
    """Memories come as plain dictionaries: the payload's fields, and ours among them."""

    def retrieve(self, coordinate: Any) -> Record | None:
        """The memory at this place with its links, or None. It counts as an access."""
        place = place_of(coordinate)
        with suppress(NotFound):
            memory = self._ask(self._service.look_up(namespace=self.namespace, coordinate=place))
            links = self._ask(
                self._service.links.neighbours(
                    namespace=self.namespace, coordinate=place, link_type=None, limit=_MOST_LINKS
                )
            )
            return record_of(memory, links)
        return None

    def recall(
        self, query: str, context: Any = None, top_k: int = 5, memory_type: MemoryType | str | None = None
    ) -> list[Record]:
        """The memories that fit best; of those, what fits the context too comes first."""
        kind = type_of(memory_type)
        self._hooks.fire("before_recall", query, context, top_k, kind)
        found = self._recall(query, top_k, kind, context=_context(context))
        results = [record_of(match.memory) for match in found]
        self._hooks.fire("after_recall", query, context, top_k, kind, results)
        return results

    def recall_with_scores(
        self, query: str, top_k: int = 5, memory_type: MemoryType | str | None = None
    ) -> list[Record]:
        """The memories that fit best by meaning alone: `payload` and `score`, with the `parts` that add up to it."""
        return _scored(self._recall(query, top_k, type_of(memory_type), hybrid=False))

    def hybrid_recall(
        self,
        query: str,
        *,
        top_k: int = 5,
        memory_type: MemoryType | str | None = None,
        exact: bool = True,
        case_sensitive: bool = False,
        terms: Sequence[str] | None = None,
    ) -> list[Record]:
        """As `hybrid_recall_with_scores`, without the scores."""
        wanted = _terms(query, terms, exact=exact, case_sensitive=case_sensitive)
        found = self._recall(query, top_k, type_of(memory_type), hybrid=True, terms=wanted, boost=2.0)
        return [record_of(match.memory) for match in found]

    def hybrid_recall_with_scores(
        self,
        query: str,
        *,
        terms: Sequence[str] | None = None,
        boost: float = 2.0,
        top_k: int = 5,
        memory_type: MemoryType | str | None = None,
        exact: bool = True,
        case_sensitive: bool = False,
    ) -> list[Record]:
        """By meaning, by words, and by terms: `payload`, `score` and `parts`.

        Args:
            query: what to recall.
            terms: the share of them that occurs adds `boost` times itself; None: the query's own, see `wording`.
            boost: 0 to 10.
            top_k: how many.
            memory_type: only these.
            exact: terms are whole words, in order; else any characters in a row.
            case_sensitive: whether case counts in terms.
        """
        if not 0 <= boost <= 10:
            raise InvalidRequest("boost is a number from 0 to 10", loc=("boost",))
        wanted = _terms(query, terms, exact=exact, case_sensitive=case_sensitive)
        return _scored(self._recall(query, top_k, type_of(memory_type), hybrid=True, terms=wanted, boost=boost))

    def find_hybrid_by_type(
        self,
        query: str,
        top_k: int = 5,
        memory_type: MemoryType | str | None = None,
        filters: Mapping[str, Any] | None = None,
    ) -> list[Record]:
        """The best of those of this type whose fields equal the filters; both are applied before the cut."""
        found = self._recall(query, top_k, type_of(memory_type), hybrid=True, filters=payload_of(filters or {}))
        return [record_of(match.memory) for match in found]

    def find_hybrid_with_context(
        self, query: str, context: Any, top_k: int = 5, memory_type: MemoryType | str | None = None
    ) -> list[Record]:
        """What fits the query; of that, what fits the context too comes first."""
        found = self._recall(query, top_k, type_of(memory_type), context=_context(context))
        return [record_of(match.memory) for match in found]

    def keyword_search(
        self,
        term: str,
        *,
        exact: bool = True,
        case_sensitive: bool = False,
        top_k: int = 50,
        memory_type: MemoryType | str | None = None,
    ) -> list[Record]:
        """The memories whose values contain the term, last changed first."""
        (wanted,) = _terms(term, [term], exact=exact, case_sensitive=case_sensitive)
        found = self._ask(
            self._service.find_term(
                wanted, namespace=self.namespace, memory_type=type_of(memory_type), limit=_count(top_k)
            )
        )
        return [record_of(memory) for memory in found]

    def find_by_coordinate_range(
        self, min_coord: Any, max_coord: Any, memory_type: MemoryType | str | None = None
    ) -> list[Record]:
        """The memories in a box, both corners included, in order."""
        box = Box(self.namespace, place_of(min_coord), place_of(max_coord), type_of(memory_type))
        return list(self._in_box(box))

    def _in_box(self, box: Box) -> Iterator[Record]:
        after: Coordinate | None = None
        while places := self._ask(self._service.places_within(box, after=after, limit=_MOST)):
            memories = self._ask(self._service.recollecting.at(namespace=self.namespace, coordinates=places))
            yield from map(record_of, memories)
            after = places[-1]

    def get_linked_memories(self, coordinate: Any, link_type: str | None = None, depth: int = 1) -> list[Record]:
        """The memories that links lead to in at most `depth` steps (up to 16), the nearest first; at most 1,000."""
        found = self._ask(
            self._service.recollecting.linked(
                namespace=self.namespace,
                coordinate=place_of(coordinate),
                link_type=link_type,
                depth=depth,
                limit=_MOST_LINKS,
            )
        )
        return [record_of(memory) for memory in found]

    def find_shortest_path(self, from_coord: Any, to_coord: Any, link_type: str | None = None) -> list[Coordinate]:
        """The places along the lightest path; none without a path. Raises NotFound for an end that does not live."""
        path = self._ask(
            self._service.links.shortest_path(
                namespace=self.namespace, source=place_of(from_coord), target=place_of(to_coord), link_type=link_type
            )
        )
        return list(path)

    def get_all_memories(self) -> list[Record]:
        """Every memory, in the order of places. Prefer `iter_memories`: this one holds them all at once."""
        return [record_of(memory) for memory in self._walk(None)]

    def retrieve_memories(self, memory_type: MemoryType | str | None = None) -> list[Record]:
        """Every memory of a type, in the order of places."""
        return [record_of(memory) for memory in self._walk(type_of(memory_type))]

    def iter_memories(self, pattern: str | None = None) -> Iterator[Record]:
        """Every memory, a page at a time. A pattern with `*` and `?` is held against `NAMESPACE:(1.0, 2.0):data`."""
        for memory in self._walk(None):
            if pattern is None or fnmatchcase(f"{self.namespace}:{memory.coordinate!r}:data", pattern):
                yield record_of(memory)

    def embed_text(self, text: str) -> npt.NDArray[np.float32]:
        """The unit vector of a text, as an array of one row; zeros for a text without words."""
        dense = self._ask(self._service.embed(text))
        zeros = np.zeros(self.settings.vector_dim, dtype=np.float32)
        return (zeros if dense is None else np.asarray(dense, dtype=np.float32)).reshape(1, -1)

    def _recall(
        self, query: str, top_k: int, kind: MemoryType | None, *, hybrid: bool | None = None, **more: Any
    ) -> list[Match]:
        question = Question(
            namespace=self.namespace,
            query=query,
            top_k=_count(top_k),
            memory_type=kind,
            hybrid=self.settings.hybrid_recall_default if hybrid is None else hybrid,
            **more,
        )
        return self._ask(self._service.recall(question)).matches


def _scored(found: Sequence[Match]) -> list[Record]:
    return [{"payload": record_of(match.memory), "score": match.score, "parts": dict(match.parts)} for match in found]


def _count(number: Any) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= _MOST:
        raise InvalidRequest(f"top_k is a whole number from 1 to {_MOST}", loc=("top_k",))
    return number


def _context(context: Any) -> dict[str, Any]:
    """Programs hand over an object; anything else is one with a single field."""
    if context is None:
        return {}
    return payload_of(context if isinstance(context, Mapping) else {"context": context})


def _terms(query: str, terms: Sequence[str] | None, *, exact: bool, case_sensitive: bool) -> list[Term]:
    mode = Mode.PHRASE if exact else Mode.SUBSTRING
    texts = candidate_terms(query) if terms is None else terms
    if len(texts) > MAX_TERMS or any(not 1 <= len(text) <= MAX_TERM for text in texts):
        raise InvalidRequest(f"there are at most {MAX_TERMS} terms of 1 to {MAX_TERM} characters", loc=("terms",))
    return [term_of(text, mode, case_sensitive=case_sensitive, loc=("terms",)) for text in texts]
