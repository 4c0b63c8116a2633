"""The faces of the service that a program is bound to: gRPC's stubs, and the object in its own process."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import grpc
from google.protobuf import empty_pb2

from somafractalmemory import memory_pb2 as pb
from somafractalmemory import memory_pb2_grpc
from somafractalmemory.core import SomaFractalMemoryEnterprise
from somafractalmemory.errors import InvalidRequest, NotFound
from tests.integration.api.faces import Item, Payload, Refused, Seen, flat, numbers
from tests.integration.api.programs import TOKEN


class Grpc:
    """One call for each operation."""

    name = "grpc"
    _words: ClassVar[Mapping[grpc.StatusCode, str]] = {
        grpc.StatusCode.NOT_FOUND: "missing",
        grpc.StatusCode.INVALID_ARGUMENT: "wrong",
        grpc.StatusCode.ABORTED: "version",
    }

    def __init__(self, channel: grpc.Channel, namespace: str) -> None:
        self._stub: Any = memory_pb2_grpc.MemoryServiceStub(channel)
        self._metadata = (("authorization", f"Bearer {TOKEN}"), ("x-soma-namespace", namespace))

    def ask(self, call: str, request: Any) -> Any:
        try:
            return getattr(self._stub, call)(request, metadata=self._metadata, timeout=20)
        except grpc.RpcError as error:
            if error.code() not in self._words:
                raise
            raise Refused(self._words[error.code()], error.details() or "") from None

    def store(self, place: str, payload: Payload, kind: str = "episodic") -> None:
        self.ask("Store", pb.StoreRequest(memory=_memory(place, payload, kind)))

    def store_many(self, items: Sequence[Item]) -> int:
        return int(self.ask("StoreBulk", pb.StoreBulkRequest(memories=[_memory(*item) for item in items])).stored)

    def get(self, place: str) -> Seen:
        return _seen(self.ask("Get", pb.GetRequest(coord=_at(place))))

    def amend(self, place: str, patch: Payload, version: int | None = None) -> None:
        request = pb.AmendRequest(coord=_at(place), patch_json=json.dumps(patch), expected_version=version)
        self.ask("Amend", request)

    def importance(self, place: str, value: float) -> None:
        self.ask("SetImportance", pb.ImportanceRequest(coord=_at(place), importance=value))

    def versions(self, place: str) -> list[Seen]:
        return [_seen(memory) for memory in self.ask("Versions", pb.GetRequest(coord=_at(place))).memories]

    def delete(self, place: str) -> None:
        self.ask("Delete", pb.DeleteRequest(coord=_at(place)))

    def delete_many(self, places: Sequence[str]) -> int:
        return int(self.ask("DeleteMany", pb.DeleteManyRequest(coords=map(_at, places))).deleted)

    def recall(self, query: str, top_k: int = 5, kind: str | None = None) -> list[Seen]:
        request = pb.RetrieveRequest(text=query, top_k=top_k, memory_type=kind or "")
        return [_seen(memory) for memory in self.ask("Recall", request).memories]

    def by_vectors(self, query: str) -> list[tuple[Seen, float]]:
        return self._scored(pb.RetrieveRequest(text=query, hybrid=False))

    def hybrid(self, query: str, terms: Sequence[str], boost: float) -> list[tuple[Seen, float]]:
        return self._scored(pb.RetrieveRequest(text=query, hybrid=True, terms=terms, boost=boost))

    def in_context(self, query: str, context: Payload) -> list[Seen]:
        request = pb.RetrieveRequest(text=query, context_json=json.dumps(context))
        return [_seen(memory) for memory in self.ask("Recall", request).memories]

    def keyword(self, term: str, *, exact: bool = True) -> list[Seen]:
        return [
            _seen(memory) for memory in self.ask("KeywordSearch", pb.KeywordRequest(term=term, exact=exact)).memories
        ]

    def within(self, low: str, high: str) -> list[list[float]]:
        found = self.ask("Range", pb.RangeRequest(min=_at(low), max=_at(high)))
        return [list(coord.values) for coord in found.coords]

    def everything(self) -> list[Seen]:
        return [_seen(memory) for memory in self.ask("List", pb.ListRequest(limit=1000)).memories]

    def link(self, source: str, target: str, kind: str = "related", weight: float = 1.0) -> None:
        self.ask("Link", pb.LinkRequest(source=_at(source), target=_at(target), type=kind, weight=weight))

    def unlink(self, source: str, target: str, kind: str = "related") -> None:
        self.ask("Unlink", pb.LinkRequest(source=_at(source), target=_at(target), type=kind))

    def neighbors(self, place: str, kind: str | None = None) -> list[list[float]]:
        found = self.ask("Neighbors", pb.NeighborsRequest(coord=_at(place), link_type=kind or ""))
        return [list(neighbor.coord.values) for neighbor in found.neighbors]

    def path(self, source: str, target: str) -> list[list[float]]:
        found = self.ask("ShortestPath", pb.PathRequest(source=_at(source), target=_at(target)))
        return [list(coord.values) for coord in found.path]

    def stats(self) -> dict[str, int]:
        found = self.ask("Stats", empty_pb2.Empty())
        return {name: getattr(found, name) for name in ("total_memories", "episodic", "semantic")}

    def healthy(self) -> bool:
        return bool(self.ask("Health", empty_pb2.Empty()).status == "ok")

    def _scored(self, request: Any) -> list[tuple[Seen, float]]:
        found = self.ask("Recall", request)
        return list(zip(map(_seen, found.memories), found.scores, strict=True))


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
    except InvalidRequest as error:
        raise Refused("wrong", str(error)) from None


def _with_scores(found: Sequence[Mapping[str, Any]]) -> list[tuple[Seen, float]]:
    return [(flat(each["payload"]), each["score"]) for each in found]


def _at(place: str) -> pb.Coordinate:
    return pb.Coordinate(values=numbers(place))


def _memory(place: str, payload: Payload, kind: str) -> pb.Memory:
    return pb.Memory(coord=_at(place), payload_json=json.dumps(payload), memory_type=kind)


def _seen(memory: pb.Memory) -> Seen:
    own = json.loads(memory.payload_json)
    return flat({**own, "coordinate": list(memory.coord.values), "memory_type": memory.memory_type})
