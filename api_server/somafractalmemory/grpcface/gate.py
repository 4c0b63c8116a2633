"""The one way into every call: token and budget first, a deadline on all of it, errors as statuses, a count at the end.

Calls are written as methods that take the request (or the stream of them) and who was admitted.
"""

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol, TypeVar

import grpc

from somafractalmemory import memory_pb2 as pb
from somafractalmemory import telemetry, tracing
from somafractalmemory.errors import InvalidRequest, Unavailable
from somafractalmemory.grpcface.statuses import Status, budget_metadata, status_of
from somafractalmemory.ports.repeats import Answered, KeyScope, check_key
from somafractalmemory.runtime import Runtime
from somafractalmemory.security.admission import Admitted
from somafractalmemory.security.callers import Caller, Scope

MAX_SECONDS = 30.0
"""The longest that a call with a single answer may take, whatever its deadline."""

NAME: str = pb.DESCRIPTOR.services_by_name["MemoryService"].full_name
_LEASE_SECONDS = 60.0
_TRUSTED = Caller("loopback")
Request = TypeVar("Request")
Answer = TypeVar("Answer")
Context = grpc.aio.ServicerContext[Any, Any]


class Calls(Protocol):
    """A part of the service's calls, and what they need."""

    @property
    def runtime(self) -> Runtime: ...
    @property
    def going(self) -> asyncio.Event: ...


AnyCalls = TypeVar("AnyCalls", bound=Calls)


def answers(
    needs: Scope,
) -> Callable[
    [Callable[[AnyCalls, Request, Admitted], Awaitable[Answer]]],
    Callable[[AnyCalls, Request, Context], Awaitable[Answer]],
]:
    """A call with one answer; `needs` is what the token must allow."""

    def guarded(
        method: Callable[[AnyCalls, Request, Admitted], Awaitable[Answer]],
    ) -> Callable[[AnyCalls, Request, Context], Awaitable[Answer]]:
        @functools.wraps(method)
        async def call(self: AnyCalls, request: Request, context: Context) -> Answer:
            # A stream of requests takes as long as its sender likes; the pause between two of them is bounded there.
            longest = None if hasattr(request, "__aiter__") else MAX_SECONDS
            async with _gate(self, context, method.__name__, needs, longest) as admitted:
                key = _metadata(context).get("idempotency-key")
                if key is None or needs is Scope.READ:
                    return await method(self, request, admitted)
                work = functools.partial(method, self, request, admitted)
                answer: Answer = await _once(self, Keyed(method.__name__, key, request, admitted), work)
                return answer

        return call

    return guarded


def streams(
    needs: Scope,
) -> Callable[
    [Callable[[AnyCalls, Request, Admitted], AsyncIterator[Answer]]],
    Callable[[AnyCalls, Request, Context], AsyncIterator[Answer]],
]:
    """A call with any number of answers."""

    def guarded(
        method: Callable[[AnyCalls, Request, Admitted], AsyncIterator[Answer]],
    ) -> Callable[[AnyCalls, Request, Context], AsyncIterator[Answer]]:
        @functools.wraps(method)
        async def call(self: AnyCalls, request: Request, context: Context) -> AsyncIterator[Answer]:
            async with _gate(self, context, method.__name__, needs, None) as admitted:
                async for answer in method(self, request, admitted):
                    yield answer

        return call

    return guarded


@dataclass(frozen=True, slots=True)
class Keyed:
    """A call that is to be done once."""

    method: str
    key: str
    request: Any
    admitted: Admitted


async def _once(calls: Calls, keyed: Keyed, work: Callable[[], Awaitable[Any]]) -> Any:
    """The answer of the call, or the one of its first time. Raises InvalidRequest, InProgress."""
    if hasattr(keyed.request, "__aiter__"):
        raise InvalidRequest("idempotency-key: it goes with a call of one request, not with a stream")
    caller = keyed.admitted
    scope = KeyScope(caller.caller.name, caller.namespace, f"grpc {keyed.method}", check_key(keyed.key))

    async def answered() -> Answered:
        return Answered(200, [], (await work()).SerializeToString())

    digest = sha256(keyed.request.SerializeToString(deterministic=True)).digest()
    answer, _ = await calls.runtime.service.repeating.once(scope, digest, answered, lease_seconds=_LEASE_SECONDS)
    method = pb.DESCRIPTOR.services_by_name["MemoryService"].methods_by_name[keyed.method]
    return getattr(pb, method.output_type.name).FromString(answer.body)


@asynccontextmanager
async def _gate(
    calls: Calls, context: Context, method: str, needs: Scope, longest: float | None
) -> AsyncIterator[Admitted]:
    started, status = time.perf_counter(), Status(grpc.StatusCode.OK, "")
    try:
        with tracing.request_span(f"{NAME}/{method}", _metadata(context).get("traceparent")) as span:
            try:
                async with asyncio.timeout(_seconds(context, longest)):
                    yield await _admit(calls, context, method, needs)
            except Exception as error:  # every one becomes a status
                status = status_of(error, method=method)
            if span is not None:
                span.set_attributes({"rpc.system": "grpc", "rpc.grpc.status_code": status.code.value[0]})
        if status.code is not grpc.StatusCode.OK:
            await context.abort(status.code, status.details, status.trailing)
    except (asyncio.CancelledError, GeneratorExit):
        status = Status(grpc.StatusCode.CANCELLED, "")
        raise
    finally:
        telemetry.GRPC_CALLS.labels(method, status.code.name).inc()
        telemetry.GRPC_LATENCY.labels(method).observe(time.perf_counter() - started)


async def _admit(calls: Calls, context: Context, method: str, needs: Scope) -> Admitted:
    if calls.going.is_set():
        raise Unavailable("this server", "it is going away: call again", retry_after_seconds=1.0)
    runtime = calls.runtime
    metadata = _metadata(context)
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


def _metadata(context: Context) -> dict[str, str]:
    return {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}


def _seconds(context: Context, longest: float | None) -> float | None:
    """Until the caller's deadline, or ours."""
    remaining = context.time_remaining()
    known = [seconds for seconds in (remaining, longest) if seconds is not None]
    return min(known, default=None)
