"""The object in a program's own process as a face, see `faces`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from somafractalmemory.core import SomaFractalMemoryEnterprise
from somafractalmemory.errors import InvalidRequest, NotFound, VersionMismatch
from tests.integration.api.faces import Item, Linked, Payload, Refused, Row, Seen, flat, numbers, row


class Core:
    """One method for each operation."""

    name = "core"

    def __init__(self, system: SomaFractalMemoryEnterprise) -> None:
        self._system = system

    def store(self, place: str, payload: Payload, kind: str = "episodic") -> None:
        with _refusing():
            self._system.store_memory(numbers(place), payload, memory_type=kind)

    def store_many(self, items: Sequence[Item]) -> int:
        with _refusing():
            self._system.store_memories_bulk([(numbers(place), payload, kind) for place, payload, kind in items])
        return len(items)

    def get(self, place: str) -> Seen:
        with _refusing():
            found = self._system.retrieve(numbers(place))
        if found is None:
            raise Refused("missing")
        return flat(found)

    def amend(self, place: str, patch: Payload, version: int | None = None) -> None:
        with _refusing():
            self._system.amend(numbers(place), patch, version=version)

    def importance(self, place: str, value: float) -> None:
        with _refusing():
            self._system.set_importance(numbers(place), value)

    def versions(self, place: str) -> list[Seen]:
        found = [flat(memory) for memory in self._system.get_versions(numbers(place))]
        if not found:
            raise Refused("missing")
        return found

    def delete(self, place: str) -> None:
        with _refusing():
            if not self._system.delete(numbers(place)):
                raise Refused("missing")

    def delete_many(self, places: Sequence[str]) -> int:
        return self._system.delete_many(map(numbers, places))

    def recall(self, query: str, top_k: int = 5, kind: str | None = None) -> list[Seen]:
        with _refusing():
            return [flat(memory) for memory in self._system.recall(query, top_k=top_k, memory_type=kind)]

    def by_vectors(self, query: str) -> list[tuple[Seen, float]]:
        return _with_scores(self._system.recall_with_scores(query))

    def hybrid(self, query: str, terms: Sequence[str], boost: float) -> list[tuple[Seen, float]]:
        with _refusing():
            return _with_scores(self._system.hybrid_recall_with_scores(query, terms=terms, boost=boost))

    def explain(self, query: str, terms: Sequence[str]) -> list[tuple[Seen, dict[str, float]]]:
        found = self._system.hybrid_recall_with_scores(query, terms=terms)
        return [(flat(each["payload"]), {**each["parts"], "score": each["score"]}) for each in found]

    def in_context(self, query: str, context: Payload) -> list[Seen]:
        return [flat(memory) for memory in self._system.find_hybrid_with_context(query, context)]

    def keyword(self, term: str, *, exact: bool = True) -> list[Seen]:
        with _refusing():
            return [flat(memory) for memory in self._system.keyword_search(term, exact=exact)]

    def within(self, low: str, high: str) -> list[list[float]]:
        with _refusing():
            found = self._system.find_by_coordinate_range(numbers(low), numbers(high))
        return [list(memory["coordinate"]) for memory in found]

    def everything(self) -> list[Seen]:
        return [flat(memory) for memory in self._system.get_all_memories()]

    def recent(self, n: int) -> list[Seen]:
        return [flat(memory) for memory in self._system.get_recent(n)]

    def important(self, n: int) -> list[Seen]:
        return [flat(memory) for memory in self._system.get_important(n)]

    def by_chance(self, how: str, n: int) -> list[Seen]:
        found = self._system.replay_memories(n) if how == "replay" else self._system.reflect(n)
        return sorted(flat(memory) for memory in found)

    def audit(self, action: str, n: int) -> list[Row]:
        return list(map(row, self._system.get_audit_log(n, action)))

    def links(self) -> list[Linked]:
        records = [self._system.retrieve(place) or {} for place, _, _ in self.everything()]
        return [
            (list(record["coordinate"]), list(link["to"]), link["type"], link["weight"])
            for record in records
            for link in record.get("links", ())
        ]

    def link(self, source: str, target: str, kind: str = "related", weight: float = 1.0) -> None:
        with _refusing():
            self._system.link_memories(numbers(source), numbers(target), kind, weight)

    def unlink(self, source: str, target: str, kind: str = "related") -> None:
        if not self._system.unlink(numbers(source), numbers(target), kind):
            raise Refused("missing")

    def neighbors(self, place: str, kind: str | None = None) -> list[list[float]]:
        with _refusing():
            return [list(memory["coordinate"]) for memory in self._system.get_linked_memories(numbers(place), kind)]

    def path(self, source: str, target: str) -> list[list[float]]:
        with _refusing():
            return [list(place) for place in self._system.find_shortest_path(numbers(source), numbers(target))]

    def stats(self) -> dict[str, int]:
        return self._system.memory_stats()

    def healthy(self) -> bool:
        return all(self._system.health_check().values())

    def outcome(self, place: str, outcome: Any) -> None:
        with _refusing():
            self._system.report_outcome(numbers(place), outcome)

    def consolidate(self) -> int:
        return self._system.consolidate_memories()

    def export(self, file: Path) -> int:
        return self._system.export_memories(file)

    def bring(self, file: Path) -> int:
        return self._system.import_memories(file)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except NotFound as error:
        raise Refused("missing", str(error)) from None
    except VersionMismatch as error:
        raise Refused("version", str(error)) from None
    except InvalidRequest as error:
        raise Refused("wrong", str(error)) from None


def _with_scores(found: Sequence[Mapping[str, Any]]) -> list[tuple[Seen, float]]:
    return [(flat(each["payload"]), each["score"]) for each in found]
