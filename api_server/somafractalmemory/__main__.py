"""The `soma` command."""

import asyncio
import json
import sys
from typing import Annotated

import structlog
import typer

from somafractalmemory import configcommand, opscommands, serving, telemetry, tokencommands
from somafractalmemory.adapters.migrations import migrate as apply_migrations
from somafractalmemory.adapters.postgres import connection_arguments
from somafractalmemory.app import create_app
from somafractalmemory.consumer_app import create_consumer_app
from somafractalmemory.errors import ConfigurationError, SomaError
from somafractalmemory.grpcface.listening import check_listening
from somafractalmemory.grpcface.server import Opener, with_grpc
from somafractalmemory.settings import Settings, postgres_conninfo, redacted, resolve
from somafractalmemory.wiring import open_api, open_consumer, open_embedded, tokens_of

app = typer.Typer(
    name="soma",
    help="SomaFractalMemory: a memory service whose truth is Postgres.",
    no_args_is_help=True,
    add_completion=False,
)
app.add_typer(tokencommands.app)
app.command(name="config")(configcommand.show)
opscommands.register(app)
log = structlog.get_logger("somafractalmemory")


@app.command()
def serve(
    *,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="No stores: everything in this process, lost with it.")
    ] = False,
) -> None:
    """Run the API."""
    settings = _settings("serve --embedded" if embedded else "serve")
    tokens_of(settings)
    if settings.uvicorn_workers > 1:
        log.warning("one_worker", asked_for=settings.uvicorn_workers, hint="one worker is faster here; add replicas")
    leaving = asyncio.Event()
    opener: Opener = open_embedded if embedded else open_api
    if settings.grpc_enabled:
        check_listening(settings)
        opener = with_grpc(opener, leaving)
    log.info("starting", **_summary(settings))
    serving.run(
        create_app(settings, opener),
        host=settings.uvicorn_host,
        port=settings.uvicorn_port,
        graceful_seconds=settings.uvicorn_graceful_seconds,
        backlog=settings.uvicorn_backlog,
        keep_alive=settings.uvicorn_keep_alive_seconds,
        leaving=leaving,
    )


@app.command()
def consume() -> None:
    """Run the event consumer, with its metrics and health on CONSUMER_METRICS_PORT."""
    settings = _settings("consume")
    log.info("starting", **_summary(settings))
    serving.run(
        create_consumer_app(settings, open_consumer),
        host=settings.consumer_metrics_host,
        port=settings.consumer_metrics_port,
        graceful_seconds=settings.uvicorn_graceful_seconds,
    )


@app.command()
def migrate(
    *, wait: Annotated[float, typer.Option(help="Seconds to wait for a Postgres that is not up yet.")] = 60.0
) -> None:
    """Bring the schema of Postgres up to this release; repeating it changes nothing."""
    settings = _settings("migrate")
    arguments = connection_arguments(postgres_conninfo(settings))
    applied = asyncio.run(apply_migrations(arguments, wait_seconds=wait))
    log.info("schema_current", applied=applied)


@app.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    print(openapi_text())


def openapi_text() -> str:
    """The document, the same in every environment."""
    return json.dumps(create_app(Settings(), open_embedded).openapi(), indent=2, sort_keys=True)


def _settings(command: str) -> Settings:
    resolved = resolve(for_command=command)
    settings = resolved.settings
    telemetry.configure_logs(settings.log_level)
    for warning in resolved.warnings:
        log.warning("variable_ignored", problem=warning)
    if settings.memory_mode != "evented_enterprise":
        log.warning("mode_replaced", asked_for=settings.memory_mode, used="evented_enterprise")
    return settings


def _summary(settings: Settings) -> dict[str, object]:
    return {
        "mode": "evented_enterprise",
        "namespace": settings.namespace,
        "postgres": redacted(settings.postgres_url),
        "redis": redacted(settings.redis_address),
        "qdrant": redacted(settings.qdrant_address),
        "kafka": settings.kafka_bootstrap_servers,
        "eventing": settings.eventing_enabled,
    }


def main() -> None:
    """Run a command; our own errors become one message and exit code 2 (configuration) or 1."""
    try:
        app()
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except SomaError as error:
        print(f"{error}; try again, or look at the logs of that component", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
