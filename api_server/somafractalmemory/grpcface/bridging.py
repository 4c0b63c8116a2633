"""From the threads of a synchronous server to calls on the event loop, each in one task from its start to its end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, Executor, Future
from typing import Any, TypeVar

import grpc

from somafractalmemory.grpcface.statuses import Metadata, Status

_ENDLESS = 1e8  # seconds; a synchronous context gives a huge number for a call without a deadline
_AHEAD = 16
_END: Any = object()
Answer = TypeVar("Answer")


class Ended(Exception):  # noqa: N818  # it is no error but how a call leaves its handler
    """A call that was refused."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.details)
        self.status = status


class Context:
    """What the calls use of an asynchronous context, over a synchronous one."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context

    def invocation_metadata(self) -> Any:
        return self._context.invocation_metadata()

    def set_trailing_metadata(self, metadata: Metadata) -> None:
        self._context.set_trailing_metadata(metadata)

    def time_remaining(self) -> float | None:
        seconds = self._context.time_remaining()
        return None if seconds is None or seconds > _ENDLESS else float(seconds)

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing: Metadata = ()) -> None:
        raise Ended(Status(code, details, trailing))


class Bridge:
    """Runs asynchronous calls for the threads of a server."""

    def __init__(self, loop: asyncio.AbstractEventLoop, executor: Executor) -> None:
        self._loop = loop
        self._executor = executor

    def handler(self, method: Any, call: Callable[..., Any]) -> "grpc.RpcMethodHandler[Any, Any]":
        """The handler of a method of the service, by its description."""
        kinds: dict[tuple[bool, bool], Any] = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }
        make = kinds[method.client_streaming, method.server_streaming]

        def handle(request: Any, context: grpc.ServicerContext) -> Any:
            if method.client_streaming:
                request = self._stream(request)
            answer = self._many if method.server_streaming else self._one
            return answer(call(request, Context(context)), context)

        handler: grpc.RpcMethodHandler[Any, Any] = make(
            handle,
            request_deserializer=method.input_type._concrete_class.FromString,  # noqa: SLF001  # as generated code does
            response_serializer=method.output_type._concrete_class.SerializeToString,  # noqa: SLF001
        )
        return handler

    def _one(self, call: Coroutine[Any, Any, Answer], context: grpc.ServicerContext) -> Answer:
        return _result(self._start(call, context), context)

    def _many(self, call: AsyncIterator[Answer], context: grpc.ServicerContext) -> Iterator[Answer]:
        answers: asyncio.Queue[Answer] = asyncio.Queue(_AHEAD)

        async def pump() -> None:
            async for answer in call:
                await answers.put(answer)

        pumping = self._start(pump(), context)
        while True:
            answer = self._start(_next(answers, pumping), context).result()
            if answer is _END:
                break
            yield answer
        _result(pumping, context)

    def _start(self, call: Coroutine[Any, Any, Answer], context: grpc.ServicerContext) -> "Future[Answer]":
        future = asyncio.run_coroutine_threadsafe(call, self._loop)
        if not context.add_callback(lambda: _cancel(future)):  # the caller is gone already
            future.cancel()
        return future

    async def _stream(self, requests: Iterator[Any]) -> AsyncIterator[Any]:
        while (request := await self._loop.run_in_executor(self._executor, _following, requests)) is not _END:
            yield request


async def _next(answers: "asyncio.Queue[Answer]", pumping: "Future[None]") -> Any:
    """The next answer; _END when there is none left and none will come."""
    getting: asyncio.Future[Any] = asyncio.ensure_future(answers.get())
    ended: asyncio.Future[Any] = asyncio.wrap_future(pumping)
    ended.add_done_callback(lambda done: done.cancelled() or done.exception())  # told to the caller elsewhere
    await asyncio.wait({getting, ended}, return_when=asyncio.FIRST_COMPLETED)
    if getting.done():
        return getting.result()
    getting.cancel()
    return answers.get_nowait() if not answers.empty() else _END


def _cancel(future: "Future[Any]") -> None:
    future.cancel()


def _following(requests: Iterator[Any]) -> Any:
    try:
        return next(requests, _END)
    except grpc.RpcError:  # the caller went away in the middle
        return _END


def _result(future: "Future[Answer]", context: grpc.ServicerContext) -> Answer:
    try:
        return future.result()
    except Ended as ended:
        status = ended.status
        context.set_trailing_metadata(status.trailing)
        context.abort(status.code, status.details)
    except CancelledError:
        context.abort(grpc.StatusCode.CANCELLED, "the caller went away")
    raise AssertionError("unreachable: abort raises")
