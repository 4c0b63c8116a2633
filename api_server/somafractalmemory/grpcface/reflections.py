# ruff: noqa: N802  # gRPC names its methods so
"""Calls that remember without a question, that learn from what was, and that tell who did what."""

from collections.abc import Sequence

import orjson

from somafractalmemory import memory_pb2 as pb
from somafractalmemory.grpcface import reading, showing
from somafractalmemory.grpcface.gate import Calls, answers
from somafractalmemory.model import Memory
from somafractalmemory.schemas.audit import AuditQuery
from somafractalmemory.schemas.reflection import ConsolidateRequest, RecollectQuery, SampleQuery
from somafractalmemory.security.admission import Admitted
from somafractalmemory.security.callers import Scope


class ReflectionCalls(Calls):
    """Recollecting, learning, auditing."""

    @answers(Scope.READ)
    async def Recent(self, request: pb.RecollectRequest, admitted: Admitted) -> pb.MemoryList:
        """The latest."""
        kind, limit = reading.wanted_type(request.memory_type), _limit(request, RecollectQuery)
        recollecting = self.runtime.service.recollecting
        return _shown(await recollecting.recent(namespace=admitted.namespace, memory_type=kind, limit=limit))

    @answers(Scope.READ)
    async def Important(self, request: pb.RecollectRequest, admitted: Admitted) -> pb.MemoryList:
        """The most important."""
        kind, limit = reading.wanted_type(request.memory_type), _limit(request, RecollectQuery)
        recollecting = self.runtime.service.recollecting
        return _shown(await recollecting.important(namespace=admitted.namespace, memory_type=kind, limit=limit))

    @answers(Scope.READ)
    async def Replay(self, request: pb.RecollectRequest, admitted: Admitted) -> pb.MemoryList:
        """Some by chance."""
        return await self._sample(request, admitted)

    @answers(Scope.READ)
    async def Reflect(self, request: pb.RecollectRequest, admitted: Admitted) -> pb.MemoryList:
        """Some by chance."""
        return await self._sample(request, admitted)

    @answers(Scope.WRITE)
    async def Outcome(self, request: pb.OutcomeRequest, admitted: Admitted) -> pb.OutcomeResponse:
        """Note what happened."""
        noted = await self.runtime.service.consolidating.report_outcome(
            namespace=admitted.namespace,
            coordinate=reading.place(request.coord, "coord"),
            outcome=reading.json_value(request.outcome_json, "outcome_json"),
        )
        correction = None if noted.correction is None else showing.place(noted.correction)
        return pb.OutcomeResponse(
            ok=True, version=noted.version, error=noted.error, correction=correction, indexed=noted.indexed
        )

    @answers(Scope.WRITE)
    async def Consolidate(self, request: pb.ConsolidateRequest, admitted: Admitted) -> pb.ConsolidateResponse:
        """Draw facts from episodes."""
        body = ConsolidateRequest.model_validate(
            ({"window_seconds": request.window_seconds} if request.HasField("window_seconds") else {})
            | ({"limit": request.limit} if request.limit else {})
        )
        done = await self.runtime.service.consolidating.consolidate(
            namespace=admitted.namespace, window_seconds=body.window_seconds, limit=body.limit
        )
        return pb.ConsolidateResponse(
            stored=done.stored, unchanged=done.unchanged, complete=done.complete, indexed=done.indexed
        )

    @answers(Scope.ADMIN)
    async def Audit(self, request: pb.AuditRequest, admitted: Admitted) -> pb.AuditResponse:
        """Who did what."""
        asked = {"action": request.action or None, "limit": request.limit or 100, "before": request.before or None}
        query = AuditQuery.model_validate(asked)
        rows = await self.runtime.service.audit.page(
            admitted.namespace, action=query.action, before=query.before, limit=query.limit
        )
        entries = [
            pb.AuditEntry(
                number=row.number,
                at=row.at,
                caller=row.caller,
                action=row.deed.action,
                coord=None if row.deed.coordinate is None else showing.place(row.deed.coordinate),
                request_id=row.request_id,
                details_json=orjson.dumps(row.deed.details).decode(),
            )
            for row in rows
        ]
        return pb.AuditResponse(entries=entries)

    async def _sample(self, request: pb.RecollectRequest, admitted: Admitted) -> pb.MemoryList:
        kind, limit = reading.wanted_type(request.memory_type), _limit(request, SampleQuery)
        recollecting = self.runtime.service.recollecting
        return _shown(await recollecting.sample(namespace=admitted.namespace, memory_type=kind, limit=limit))


def _limit(request: pb.RecollectRequest, schema: type[RecollectQuery]) -> int:
    return schema.model_validate({"n": request.n} if request.n else {}).n


def _shown(memories: Sequence[Memory]) -> pb.MemoryList:
    return pb.MemoryList(memories=map(showing.memory, memories))
