"""The ASGI application inside this process, for callers without an event loop: as a transport of `httpx.Client`."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTimeError
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from fastapi import FastAPI

Result = TypeVar("Result")
_START_SECONDS = 60.0
_CHUNKS = 16
_END = None


class InProcess(httpx.BaseTransport):
    """Opens the application on a thread of its own, and closes it; requests and answers are streamed."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="soma", daemon=True)
        self._leave = asyncio.Event()
        self._life: Future[None] | None = None

    def __enter__(self) -> Self:
        """Raises what the application raises when it cannot start."""
        self._thread.start()
        started: Future[None] = Future()
        self._life = asyncio.run_coroutine_threadsafe(self._live(started), self._loop)
        try:
            started.result(_START_SECONDS)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the application in order, then the thread. May be called again."""
        if not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._leave.set)
        try:
            if self._life is not None:
                self._life.result(_START_SECONDS)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_START_SECONDS)
            self._loop.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Raises httpx' own errors when the deadline passes."""
        seconds = request.extensions.get("timeout", {}).get("read")
        exchange = _Exchange(self._app, request, lambda coroutine: self._run(coroutine, seconds))
        task = asyncio.run_coroutine_threadsafe(exchange.serve(), self._loop)
        try:
            status, headers = self._run(exchange.begun(), seconds)
        except BaseException:
            task.cancel()
            raise
        return httpx.Response(status, headers=headers, stream=_Answer(exchange, task))

    async def _live(self, started: "Future[None]") -> None:
        """One task from the start to the end, as the stores' clients want it."""
        try:
            async with self._app.router.lifespan_context(self._app):
                started.set_result(None)
                await self._leave.wait()
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    def _run(self, coroutine: Coroutine[Any, Any, Result], seconds: float | None) -> Result:
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(seconds)
        except NotInTimeError:
            future.cancel()
            raise httpx.ReadTimeout(f"nothing within {seconds:g} s") from None


class _Exchange:
    """One request: the application is called on the loop, what it sends waits in a bounded queue."""

    def __init__(self, app: FastAPI, request: httpx.Request, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self._app = app
        self._request = request
        self.run = run
        self._body = iter(request.stream)  # type: ignore[arg-type]
        self._sent = False
        self.complete = False
        self._start: asyncio.Queue[tuple[int, list[tuple[bytes, bytes]]]] = asyncio.Queue()
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(_CHUNKS)

    async def serve(self) -> None:
        """Call the application; the end of the queue says that it is done."""
        with suppress(Exception):  # the application logged it, and answered 500 if it had not begun to answer
            await self._app(self._scope(), self._receive, self._send)
        self._start.put_nowait((500, []))  # read only if it never answered
        await self._chunks.put(_END)

    async def begun(self) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Status and headers, as soon as they are there."""
        return await self._start.get()

    async def chunk(self) -> bytes | None:
        """The next part of the body; None at its end."""
        return await self._chunks.get()

    def _scope(self) -> dict[str, Any]:
        url = self._request.url
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self._request.method,
            "headers": [(name.lower(), value) for name, value in self._request.headers.raw],
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.split(b"?")[0],
            "query_string": url.query,
            "server": (url.host, url.port),
            "client": ("127.0.0.1", 0),
            "root_path": "",
        }

    async def _receive(self) -> dict[str, Any]:
        if self._sent:
            await asyncio.Event().wait()  # the caller does not go away before the answer
        part = await asyncio.to_thread(next, self._body, None)
        self._sent = part is None
        return {"type": "http.request", "body": part or b"", "more_body": part is not None}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._start.put_nowait((message["status"], message["headers"]))
            return
        if message.get("body"):
            await self._chunks.put(message["body"])
        self.complete = not message.get("more_body", False)


class _Answer(httpx.SyncByteStream):
    """The body, as it comes."""

    def __init__(self, exchange: _Exchange, task: "Future[None]") -> None:
        self._exchange = exchange
        self._task = task

    def __iter__(self) -> Iterator[bytes]:
        while (part := self._exchange.run(self._exchange.chunk())) is not _END:
            yield part
        if not self._exchange.complete:
            raise httpx.RemoteProtocolError("the answer broke off")

    def close(self) -> None:
        self._task.cancel()
