"""The HTTP server of both programs, and how it goes away without breaking a request."""

import asyncio
import gc
import socket
import ssl
import time

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from somafractalmemory.httpface.wire import GatheringProtocol

_CLOSE = (b"connection", b"close")
_YOUNG_OBJECTS = 20_000


class Draining:
    """Once told so, every answer says `Connection: close`, so that no client sends another request on it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.going = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def last(message: Message) -> None:
            if self.going and message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), _CLOSE]}
            await send(message)

        await self._app(scope, receive, last if scope["type"] == "http" else send)


class Server(uvicorn.Server):
    """Goes on answering for a moment after SIGTERM.

    Uvicorn alone closes a kept connection although the client's next request may already be on its way; that client
    then cannot know whether it was carried out. Connections that stay idle for the whole moment are closed as ever.
    """

    drain_seconds = 2.0

    def __init__(self, config: uvicorn.Config, draining: Draining, leaving: asyncio.Event) -> None:
        super().__init__(config)
        self._draining = draining
        self._leaving = leaving

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Once everything is open, take what lives as long as the program out of the garbage collector's sight.

        It looked through the young objects every few requests and through modules and routes again and again: a
        sixth of the processor time of a write (measured). Requests leave no cycles behind that could not wait.
        """
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(_YOUNG_OBJECTS, 20, 20)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let busy connections end with an answer, then close what is left."""
        self._draining.going = True
        self._leaving.set()
        deadline = time.monotonic() + self.drain_seconds
        # Uvicorn has no event for the last connection.
        while self.server_state.connections and not self.force_exit and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await super().shutdown(sockets)


def run(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    graceful_seconds: int,
    backlog: int = 2048,
    keep_alive: int = 30,
    leaving: asyncio.Event | None = None,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, which sets `leaving` too; with `tls` nothing else is spoken.

    Raises SystemExit when it cannot start.
    """
    draining = Draining(app)
    config = uvicorn.Config(
        draining,
        host=host,
        port=port,
        loop="uvloop",
        http=GatheringProtocol,
        backlog=backlog,
        timeout_keep_alive=keep_alive,
        timeout_graceful_shutdown=graceful_seconds,
        access_log=False,
        log_config=None,
        proxy_headers=False,  # nothing here depends on who a proxy says asks
        server_header=False,
    )
    if tls is not None:
        config.load()  # which knows files only
        config.ssl = tls
    server = Server(config, draining, leaving or asyncio.Event())
    server.run()
    if not server.started:
        raise SystemExit(3)
