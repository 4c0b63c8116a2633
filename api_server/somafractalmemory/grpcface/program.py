"""A gRPC server as a program of its own, on the settings of `soma serve`: options, start, signals, end."""

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Protocol

import structlog
import typer
import uvloop

from somafractalmemory import telemetry, tracing
from somafractalmemory.errors import ConfigurationError
from somafractalmemory.grpcface.listening import check_listening
from somafractalmemory.runtime import Runtime
from somafractalmemory.settings import Settings, load_settings
from somafractalmemory.wiring import open_api, open_embedded, tokens_of

log = structlog.get_logger(__name__)

Port = Annotated[int | None, typer.Option(help="Port to listen on; default: SOMA_GRPC_PORT, else 50053.")]
Host = Annotated[str | None, typer.Option(help="Address to bind; default: SOMA_GRPC_HOST, else all.")]
Embedded = Annotated[bool, typer.Option("--embedded", help="No stores: everything in this process, lost with it.")]


class Serving(Protocol):
    """Serves a runtime beside its body; once `leaving` is set it takes no new calls."""

    def __call__(self, runtime: Runtime, *, leaving: asyncio.Event) -> AbstractAsyncContextManager[int]: ...


def program(serving: Serving, *, about: str) -> Callable[[], None]:
    """The command; a wrong configuration becomes one message and exit code 2."""

    def run(*, port: Port = None, host: Host = None, embedded: Embedded = False) -> None:
        settings = _settings_for(port, host, embedded=embedded)
        uvloop.run(_until_signalled(serving, settings, embedded=embedded))

    run.__doc__ = about

    def main() -> None:
        try:
            typer.run(run)
        except ConfigurationError as error:
            sys.stderr.write(f"{error}\n")
            sys.exit(2)

    return main


def _settings_for(port: int | None, host: str | None, *, embedded: bool) -> Settings:
    """The environment's settings with these instead, checked. Raises ConfigurationError."""
    settings = load_settings(for_command="serve --embedded" if embedded else "serve")
    given = {"grpc_port": port, "grpc_host": host}
    settings = settings.model_copy(update={name: value for name, value in given.items() if value is not None})
    telemetry.configure_logs(settings.log_level)
    tracing.configure("somafractalmemory-grpc")
    tokens_of(settings)
    check_listening(settings)
    return settings


async def _until_signalled(serving: Serving, settings: Settings, *, embedded: bool) -> None:
    leaving, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leaving.set)
    opener = open_embedded if embedded else open_api
    async with opener(settings) as runtime, serving(runtime, leaving=leaving):
        await leaving.wait()
    log.info("grpc_ended")
