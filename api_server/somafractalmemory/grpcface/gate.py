"""The one way into every call: token and budget first, a deadline on all of it, errors as statuses, a count at the end.

Calls are written as methods that take the request (or the stream of them) and who was admitted.
"""

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

import grpc

from somafractalmemory import telemetry
from somafractalmemory.admission import Admitted
from somafractalmemory.callers import Caller, Scope
from somafractalmemory.errors import Unavailable
from somafractalmemory.grpcface.statuses import budget_metadata, status_of
from somafractalmemory.guard import Runtime

MAX_SECONDS = 30.0
"""The longest that a call with a single answer may take, whatever its deadline."""

_TRUSTED = Caller("loopback")
Request = TypeVar("Request")
Answer = TypeVar("Answer")
Context = grpc.aio.ServicerContext[Any, Any]


class Face(Protocol):
    """What has calls."""

    @property
    def runtime(self) -> Runtime: ...
    @property
    def going(self) -> asyncio.Event: ...


AnyFace = TypeVar("AnyFace", bound=Face)


def answers(
    needs: Scope,
) -> Callable[
    [Callable[[AnyFace, Request, Admitted], Awaitable[Answer]]],
    Callable[[AnyFace, Request, Context], Awaitable[Answer]],
]:
    """A call with one answer; `needs` is what the token must allow."""

    def guarded(
        method: Callable[[AnyFace, Request, Admitted], Awaitable[Answer]],
    ) -> Callable[[AnyFace, Request, Context], Awaitable[Answer]]:
        @functools.wraps(method)
        async def call(self: AnyFace, request: Request, context: Context) -> Answer:
            # A stream of requests takes as long as its sender likes; the pause between two of them is bounded there.
            longest = None if hasattr(request, "__aiter__") else MAX_SECONDS
            async with _gate(self, context, method.__name__, needs, longest) as admitted:
                return await method(self, request, admitted)

        return call

    return guarded


def streams(
    needs: Scope,
) -> Callable[
    [Callable[[AnyFace, Request, Admitted], AsyncIterator[Answer]]],
    Callable[[AnyFace, Request, Context], AsyncIterator[Answer]],
]:
    """A call with any number of answers."""

    def guarded(
        method: Callable[[AnyFace, Request, Admitted], AsyncIterator[Answer]],
    ) -> Callable[[AnyFace, Request, Context], AsyncIterator[Answer]]:
        @functools.wraps(method)
        async def call(self: AnyFace, request: Request, context: Context) -> AsyncIterator[Answer]:
            async with _gate(self, context, method.__name__, needs, None) as admitted:
                async for answer in method(self, request, admitted):
                    yield answer

        return call

    return guarded


@asynccontextmanager
async def _gate(
    face: Face, context: Context, method: str, needs: Scope, longest: float | None
) -> AsyncIterator[Admitted]:
    started, code = time.perf_counter(), grpc.StatusCode.OK
    try:
        async with asyncio.timeout(_seconds(context, longest)):
            yield await _admit(face, context, method, needs)
    except Exception as error:  # every one becomes a status
        status = status_of(error, method=method)
        code = status.code
        await context.abort(code, status.details, status.trailing)
    except (asyncio.CancelledError, GeneratorExit):
        code = grpc.StatusCode.CANCELLED
        raise
    finally:
        telemetry.GRPC_CALLS.labels(method, code.name).inc()
        telemetry.GRPC_LATENCY.labels(method).observe(time.perf_counter() - started)


async def _admit(face: Face, context: Context, method: str, needs: Scope) -> Admitted:
    if face.going.is_set():
        raise Unavailable("this server", "it is going away: call again", retry_after_seconds=1.0)
    runtime = face.runtime
    metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
    admitted = await runtime.admission.admit(
        authorization=metadata.get("authorization"),
        namespace=metadata.get("x-soma-namespace"),
        operation=method,
        needs=needs,
        request_id=metadata.get("x-request-id"),
        trusted=_TRUSTED if runtime.settings.grpc_trust_loopback else None,
    )
    if admitted.budget is not None:
        context.set_trailing_metadata(budget_metadata(admitted.budget))
    return admitted


def _seconds(context: Context, longest: float | None) -> float | None:
    """Until the caller's deadline, or ours."""
    remaining = context.time_remaining()
    known = [seconds for seconds in (remaining, longest) if seconds is not None]
    return min(known, default=None)
