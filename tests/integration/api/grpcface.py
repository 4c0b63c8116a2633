"""gRPC as a face, see `faces`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import grpc
from google.protobuf import empty_pb2

from somafractalmemory import memory_pb2 as pb
from somafractalmemory import memory_pb2_grpc
from tests.integration.api.faces import Erasure, Item, Linked, Payload, Refused, Row, Seen, flat, numbers
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

    def explain(self, query: str, terms: Sequence[str]) -> list[tuple[Seen, dict[str, float]]]:
        found = self.ask("Recall", pb.RetrieveRequest(text=query, terms=terms, explain=True))
        shown = zip(found.memories, found.explanations, found.scores, strict=True)
        return [(_seen(memory), {**why.parts, "score": score}) for memory, why, score in shown]

    def batch(self, queries: Sequence[str], top_k: int) -> list[list[Seen]]:
        questions = [pb.RetrieveRequest(text=query, top_k=top_k) for query in queries]
        answers = self.ask("RecallBatch", pb.RecallBatchRequest(requests=questions))
        return [[_seen(memory) for memory in answer.memories] for answer in answers]

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

    def by_chance(self, how: str, n: int) -> list[Seen]:
        return sorted(_seen(memory) for memory in self.ask(how.title(), pb.RecollectRequest(n=n)).memories)

    def audit(self, action: str, n: int) -> list[Row]:
        entries = self.ask("Audit", pb.AuditRequest(action=action, limit=n)).entries
        return [
            (each.action, list(each.coord.values) if each.HasField("coord") else None, json.loads(each.details_json))
            for each in entries
        ]

    def erase(self, place: str) -> Erasure:
        done = self.ask("Erase", pb.EraseRequest(coord=_at(place)))
        return done.complete, done.postgres["memories"], done.postgres["versions"]

    def link_many(self, links: Sequence[tuple[str, str, str, float]]) -> int:
        asked = [
            pb.LinkRequest(source=_at(source), target=_at(target), type=kind, weight=weight)
            for source, target, kind, weight in links
        ]
        return int(self.ask("LinkMany", pb.LinkManyRequest(links=asked)).linked)

    def links(self) -> list[Linked]:
        found = self.ask("Links", pb.LinksRequest(limit=1000)).links
        return [(list(each.source.values), list(each.target.values), each.type, each.weight) for each in found]

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

    def recent(self, n: int) -> list[Seen]:
        return [_seen(memory) for memory in self.ask("Recent", pb.RecollectRequest(n=n)).memories]

    def important(self, n: int) -> list[Seen]:
        return [_seen(memory) for memory in self.ask("Important", pb.RecollectRequest(n=n)).memories]

    def outcome(self, place: str, outcome: Any) -> None:
        self.ask("Outcome", pb.OutcomeRequest(coord=_at(place), outcome_json=json.dumps(outcome)))

    def consolidate(self) -> int:
        return int(self.ask("Consolidate", pb.ConsolidateRequest()).stored)

    def export(self, file: Path) -> int:
        file.write_bytes(b"".join(part.lines for part in self.ask("Export", pb.ExportRequest())))
        return int(json.loads(file.read_text().splitlines()[-1])["memories"])

    def bring(self, file: Path) -> int:
        return int(self.ask("Import", iter([pb.ImportLines(lines=file.read_bytes())])).imported)

    def _scored(self, request: Any) -> list[tuple[Seen, float]]:
        found = self.ask("Recall", request)
        return list(zip(map(_seen, found.memories), found.scores, strict=True))


def _at(place: str) -> pb.Coordinate:
    return pb.Coordinate(values=numbers(place))


def _memory(place: str, payload: Payload, kind: str) -> pb.Memory:
    return pb.Memory(coord=_at(place), payload_json=json.dumps(payload), memory_type=kind)


def _seen(memory: pb.Memory) -> Seen:
    own = json.loads(memory.payload_json)
    return flat({**own, "coordinate": list(memory.coord.values), "memory_type": memory.memory_type})
