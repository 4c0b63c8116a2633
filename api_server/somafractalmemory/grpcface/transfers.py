# ruff: noqa: N802  # gRPC names its methods so
"""Calls about a whole namespace: out and back as lines of JSON, and gone for good."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict

from somafractalmemory import memory_pb2 as pb
from somafractalmemory.errors import InvalidRequest, SlowBody
from somafractalmemory.grpcface import reading
from somafractalmemory.grpcface.gate import Calls, answers, streams
from somafractalmemory.security.admission import Admitted
from somafractalmemory.security.callers import Scope
from somafractalmemory.usecases.erasing import Erased

ERASING_SECONDS = 15.0


class TransferCalls(Calls):
    """Export and import. A line that is longer than a message may be goes over HTTP."""

    @streams(Scope.READ)
    async def Export(self, request: pb.ExportRequest, admitted: Admitted) -> AsyncIterator[pb.ExportLines]:
        """Everything, some lines in each message."""
        exporting = self.runtime.service.exporting
        async for portion in exporting.lines(namespace=admitted.namespace, vectors=request.vectors):
            yield pb.ExportLines(lines=portion)

    @answers(Scope.WRITE)
    async def Import(self, requests: AsyncIterator[pb.ImportLines], admitted: Admitted) -> pb.ImportResponse:
        """Everything back."""
        stream, pause = aiter(requests), self.runtime.settings.body_timeout_seconds
        first = await _next(stream, pause)
        report = await self.runtime.service.importing.take(
            _lines(first, stream, pause),
            namespace=admitted.namespace,
            replace=first is not None and first.replace,
        )
        told = asdict(report)
        errors = [pb.ItemError(number=error["line"], message=error["detail"]) for error in told.pop("errors")]
        return pb.ImportResponse(imported=report.imported, errors=errors, **told)

    @answers(Scope.ADMIN)
    async def Erase(self, request: pb.EraseRequest, admitted: Admitted) -> pb.EraseResponse:
        """A memory or a namespace, for good; works for about 15 seconds at most."""
        if request.HasField("coord") == bool(request.namespace):
            raise InvalidRequest("coord, namespace: give one of them", loc=("coord",))
        eraser = self.runtime.service.eraser
        if request.HasField("coord"):
            return _report(await eraser.erase_place(admitted.namespace, reading.place(request.coord, "coord")))
        if request.namespace != admitted.namespace:
            raise InvalidRequest(
                f"namespace: this call works in {admitted.namespace}; for another one set x-soma-namespace",
                loc=("namespace",),
            )
        return _report(await eraser.erase_namespace(admitted.namespace, seconds=ERASING_SECONDS))


def _report(done: Erased) -> pb.EraseResponse:
    return pb.EraseResponse(
        complete=done.complete,
        postgres=done.postgres,
        index_entries=done.index_entries,
        index_reached=done.index_reached,
        locks=done.locks,
        locks_reached=done.locks_reached,
        topics=done.topics,
    )


async def _lines(
    first: pb.ImportLines | None, stream: AsyncIterator[pb.ImportLines], pause: float
) -> AsyncIterator[bytes]:
    message = first
    while message is not None:
        for line in message.lines.removesuffix(b"\n").split(b"\n"):
            yield line
        message = await _next(stream, pause)


async def _next(stream: AsyncIterator[pb.ImportLines], pause: float) -> pb.ImportLines | None:
    try:
        async with asyncio.timeout(pause):
            return await anext(stream, None)
    except TimeoutError:
        raise SlowBody(f"nothing came for {pause:g} s") from None
