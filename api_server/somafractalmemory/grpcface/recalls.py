# ruff: noqa: N802  # gRPC names its methods so
"""Calls that find memories: by place, by text, by term, by box."""

from collections.abc import AsyncIterator

from somafractalmemory import memory_pb2 as pb
from somafractalmemory.errors import InvalidRequest
from somafractalmemory.grpcface import reading, showing
from somafractalmemory.grpcface.gate import Calls, answers, streams
from somafractalmemory.model.wording import Mode, term_of
from somafractalmemory.ports import Box
from somafractalmemory.schemas.memories import PageQuery
from somafractalmemory.schemas.recall import KeywordRequest, RangeQuery
from somafractalmemory.security.admission import Admitted
from somafractalmemory.security.callers import Scope

MAX_QUESTIONS = 64
_BY_TEXT_ONLY = ("terms", "context_json", "explain")


class RecallCalls(Calls):
    """Finding."""

    @answers(Scope.READ)
    async def Recall(self, request: pb.RetrieveRequest, admitted: Admitted) -> pb.RecallResult:
        """Memories by place or by text."""
        return await self._recall(request, admitted)

    @streams(Scope.READ)
    async def RecallBatch(self, request: pb.RecallBatchRequest, admitted: Admitted) -> AsyncIterator[pb.RecallResult]:
        """One answer for each question, each sent as soon as it is known."""
        reading.at_most(request.requests, MAX_QUESTIONS, "requests")
        for number, each in enumerate(request.requests):
            try:
                yield await self._recall(each, admitted)
            except InvalidRequest as error:
                raise InvalidRequest(f"requests.{number}: {error}", loc=("requests", number, *error.loc)) from None

    @answers(Scope.READ)
    async def KeywordSearch(self, request: pb.KeywordRequest, admitted: Admitted) -> pb.MemoryList:
        """Memories that contain a term."""
        body = KeywordRequest.model_validate(
            {"term": request.term, "mode": request.mode or None, "case_sensitive": request.case_sensitive}
            | ({"exact": request.exact} if request.HasField("exact") else {})
            | ({"top_k": request.top_k} if request.top_k else {})
        )
        mode = body.mode or (Mode.PHRASE if body.exact else Mode.SUBSTRING)
        found = await self.runtime.service.find_term(
            term_of(body.term, mode, case_sensitive=body.case_sensitive),
            namespace=admitted.namespace,
            memory_type=reading.wanted_type(request.memory_type),
            limit=body.top_k,
        )
        return pb.MemoryList(memories=map(showing.memory, found))

    @answers(Scope.READ)
    async def Range(self, request: pb.RangeRequest, admitted: Admitted) -> pb.RangeResponse:
        """Places in a box."""
        low, high = reading.place(request.min, "min"), reading.place(request.max, "max")
        limit = RangeQuery.model_validate({"min": "0", "max": "0", "limit": request.limit or 1000}).limit
        coords = await self.runtime.service.places_within(
            Box(admitted.namespace, low, high, reading.wanted_type(request.memory_type)),
            after=reading.place(request.after, "after") if request.HasField("after") else None,
            limit=limit,
        )
        following = showing.place(coords[-1]) if len(coords) == limit else None
        return pb.RangeResponse(coords=map(showing.place, coords), next=following)

    @answers(Scope.READ)
    async def List(self, request: pb.ListRequest, admitted: Admitted) -> pb.MemoryList:
        """All memories, page by page."""
        limit = PageQuery.model_validate({"limit": request.limit or 100}).limit
        memories = await self.runtime.service.page(
            namespace=admitted.namespace,
            memory_type=reading.wanted_type(request.memory_type),
            after=reading.place(request.after, "after") if request.HasField("after") else None,
            limit=limit,
        )
        following = showing.place(memories[-1].coordinate) if len(memories) == limit else None
        return pb.MemoryList(memories=map(showing.memory, memories), next=following)

    async def _recall(self, request: pb.RetrieveRequest, admitted: Admitted) -> pb.RecallResult:
        if request.HasField("query") == bool(request.text):
            raise InvalidRequest("query, text: give one of them, a place or a text", loc=("query",))
        if request.text:
            hybrid = self.runtime.settings.hybrid_recall_default
            question = reading.question(request, namespace=admitted.namespace, hybrid=hybrid)
            return showing.recalled(await self.runtime.service.recall(question), explain=request.explain)
        for name in _BY_TEXT_ONLY:
            if getattr(request, name):
                raise InvalidRequest(f"{name}: it goes with a text, not with a place", loc=(name,))
        found = await self.runtime.service.nearby.nearest(
            reading.place(request.query, "query"),
            namespace=admitted.namespace,
            memory_type=reading.wanted_type(request.memory_type),
            filters=reading.filters(request),
            top_k=PageQuery.model_validate({"limit": request.top_k or 5}).limit,
        )
        return showing.nearest(found)
