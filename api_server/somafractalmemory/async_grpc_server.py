"""The gRPC server alone, on the same settings as `soma serve`: `python -m somafractalmemory.async_grpc_server`."""

import asyncio
import signal
import sys
from typing import Annotated

import structlog
import typer
import uvloop

from somafractalmemory import telemetry, tracing
from somafractalmemory.errors import ConfigurationError
from somafractalmemory.grpcface.listening import check_listening
from somafractalmemory.grpcface.server import serving_grpc
from somafractalmemory.settings import Settings, load_settings
from somafractalmemory.wiring import open_api, open_embedded, tokens_of

log = structlog.get_logger(__name__)


async def serve(settings: Settings, *, embedded: bool = False, leaving: asyncio.Event | None = None) -> None:
    """Serve until `leaving` is set. Raises ConfigurationError when it cannot start."""
    leaving = leaving or asyncio.Event()
    opener = open_embedded if embedded else open_api
    async with opener(settings) as runtime, serving_grpc(runtime, leaving=leaving):
        await leaving.wait()
    log.info("grpc_ended")


def run(
    *,
    port: Annotated[int | None, typer.Option(help="Port to listen on; default: SOMA_GRPC_PORT, else 50053.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to bind; default: SOMA_GRPC_HOST, else all.")] = None,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="No stores: everything in this process, lost with it.")
    ] = False,
) -> None:
    """Run the asynchronous gRPC server of SomaFractalMemory."""
    settings = settings_for(port, host, embedded=embedded)
    uvloop.run(_until_signalled(settings, embedded=embedded))


def settings_for(port: int | None, host: str | None, *, embedded: bool) -> Settings:
    """The environment's settings with these instead, checked. Raises ConfigurationError."""
    settings = load_settings(for_command="serve --embedded" if embedded else "serve")
    given = {"grpc_port": port, "grpc_host": host}
    settings = settings.model_copy(update={name: value for name, value in given.items() if value is not None})
    telemetry.configure_logs(settings.log_level)
    tracing.configure("somafractalmemory-grpc")
    tokens_of(settings)
    check_listening(settings)
    return settings


async def _until_signalled(settings: Settings, *, embedded: bool) -> None:
    leaving, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leaving.set)
    await serve(settings, embedded=embedded, leaving=leaving)


def main() -> None:
    """Run the command; a wrong configuration becomes one message and exit code 2."""
    try:
        typer.run(run)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
