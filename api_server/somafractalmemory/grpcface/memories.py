# ruff: noqa: N802  # gRPC names its methods so
"""Calls about memories and their places."""

from collections.abc import AsyncIterator, Sequence

from somafractalmemory import memory_pb2 as pb
from somafractalmemory.grpcface import reading, showing
from somafractalmemory.grpcface.gate import Calls, answers
from somafractalmemory.grpcface.intake import numbered
from somafractalmemory.schemas.memories import ImportanceRequest
from somafractalmemory.security.admission import Admitted
from somafractalmemory.security.callers import Scope
from somafractalmemory.usecases.bulkstoring import Item, store_stream

MAX_ITEMS = 1000


class MemoryCalls(Calls):
    """Storing, reading, changing and deleting."""

    @answers(Scope.WRITE)
    async def Store(self, request: pb.StoreRequest, admitted: Admitted) -> pb.StoreResponse:
        """Store a memory."""
        coordinate, payload, memory_type = reading.item(request.memory)
        remembered = await self.runtime.service.remember(
            namespace=admitted.namespace,
            coordinate=coordinate,
            payload=payload,
            memory_type=memory_type,
            expected=reading.expected(request),
        )
        return showing.stored(remembered)

    @answers(Scope.WRITE)
    async def StoreBulk(self, request: pb.StoreBulkRequest, admitted: Admitted) -> pb.StoreSummary:
        """Store many, all or none."""
        reading.at_most(request.memories, MAX_ITEMS, "memories")
        stored, indexed = await self.runtime.service.remember_many(
            namespace=admitted.namespace, items=reading.items(request.memories)
        )
        return pb.StoreSummary(stored=stored, indexed=indexed)

    @answers(Scope.WRITE)
    async def StoreStream(self, requests: AsyncIterator[pb.StoreRequest], admitted: Admitted) -> pb.StoreSummary:
        """Store any number as they come."""
        service, pause = self.runtime.service, self.runtime.settings.body_timeout_seconds

        async def store(items: Sequence[Item]) -> bool:
            _, indexed = await service.remember_many(namespace=admitted.namespace, items=items)
            return indexed

        report = await store_stream(numbered(requests, seconds=pause), store)
        errors = [pb.ItemError(number=told["line"], message=told["detail"]) for told in report.errors]
        return pb.StoreSummary(stored=report.stored, indexed=report.indexed, failed=report.failed, errors=errors)

    @answers(Scope.READ)
    async def Get(self, request: pb.GetRequest, admitted: Admitted) -> pb.Memory:
        """One memory."""
        coordinate = reading.place(request.coord, "coord")
        found = await self.runtime.service.look_up(namespace=admitted.namespace, coordinate=coordinate)
        return showing.memory(found)

    @answers(Scope.READ)
    async def Versions(self, request: pb.GetRequest, admitted: Admitted) -> pb.MemoryList:
        """One memory as it is and as it was."""
        coordinate = reading.place(request.coord, "coord")
        found = await self.runtime.service.versions(namespace=admitted.namespace, coordinate=coordinate)
        return pb.MemoryList(memories=map(showing.memory, found))

    @answers(Scope.WRITE)
    async def Amend(self, request: pb.AmendRequest, admitted: Admitted) -> pb.StoreResponse:
        """Change some fields."""
        amended = await self.runtime.service.amend(
            namespace=admitted.namespace,
            coordinate=reading.place(request.coord, "coord"),
            patch=reading.json_object(request.patch_json, "patch_json"),
            memory_type=reading.wanted_type(request.memory_type),
            expected=reading.expected(request),
        )
        return showing.stored(amended)

    @answers(Scope.WRITE)
    async def SetImportance(self, request: pb.ImportanceRequest, admitted: Admitted) -> pb.StoreResponse:
        """Change how much a memory matters."""
        body = ImportanceRequest.model_validate({"importance": request.importance})
        changed = await self.runtime.service.set_importance(
            namespace=admitted.namespace,
            coordinate=reading.place(request.coord, "coord"),
            importance=body.importance,
            expected=reading.expected(request),
        )
        return showing.stored(changed)

    @answers(Scope.WRITE)
    async def Delete(self, request: pb.DeleteRequest, admitted: Admitted) -> pb.DeleteResponse:
        """Delete one memory everywhere."""
        gone = await self.runtime.service.forget(
            namespace=admitted.namespace,
            coordinate=reading.place(request.coord, "coord"),
            expected=reading.expected(request),
        )
        return pb.DeleteResponse(ok=True, version=gone.saved.version, indexed=gone.indexed)

    @answers(Scope.WRITE)
    async def DeleteMany(self, request: pb.DeleteManyRequest, admitted: Admitted) -> pb.DeleteManyResponse:
        """Delete many; places where none lives do not count."""
        reading.at_most(request.coords, MAX_ITEMS, "coords")
        places = [reading.place(coord, f"coords.{number}") for number, coord in enumerate(request.coords)]
        deleted, indexed = await self.runtime.service.forget_many(namespace=admitted.namespace, coordinates=places)
        return pb.DeleteManyResponse(deleted=deleted, indexed=indexed)

    @answers(Scope.READ)
    async def Stats(self, _: object, admitted: Admitted) -> pb.StatsResponse:
        """How many live here."""
        counts = await self.runtime.service.count(namespace=admitted.namespace)
        total = counts.episodic + counts.semantic
        return pb.StatsResponse(total_memories=total, episodic=counts.episodic, semantic=counts.semantic)
