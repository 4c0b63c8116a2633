"""The synchronous gRPC server of the first releases: `python -m somafractalmemory.grpc_server`.

Threads take the calls; the service behind them is the one of every other face. `async_grpc_server` is the faster one.
"""

import asyncio
import signal
import sys
from typing import Annotated

import structlog
import typer

from somafractalmemory.async_grpc_server import settings_for
from somafractalmemory.errors import ConfigurationError
from somafractalmemory.grpcface.threaded import serving_threads
from somafractalmemory.settings import Settings
from somafractalmemory.wiring import open_api, open_embedded

log = structlog.get_logger(__name__)


async def serve(settings: Settings, leaving: asyncio.Event, *, embedded: bool = False) -> None:
    """Serve until `leaving` is set. Raises ConfigurationError when it cannot start."""
    opener = open_embedded if embedded else open_api
    async with opener(settings) as runtime, serving_threads(runtime, leaving=leaving) as port:
        log.info("grpc_listening", host=settings.grpc_host, port=port, threads=True)
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
    """Run the synchronous gRPC server of SomaFractalMemory."""
    asyncio.run(_until_signalled(settings_for(port, host, embedded=embedded), embedded=embedded))


async def _until_signalled(settings: Settings, *, embedded: bool) -> None:
    leaving, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leaving.set)
    await serve(settings, leaving, embedded=embedded)


def main() -> None:
    """Run the command; a wrong configuration becomes one message and exit code 2."""
    try:
        typer.run(run)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
