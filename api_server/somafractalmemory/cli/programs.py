"""The programs behind the service: their starts, their schema, their contract. They are imported when they are run."""

# ruff: noqa: PLC0415

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

if TYPE_CHECKING:
    import ssl

    from somafractalmemory.settings import Settings

log = structlog.get_logger("somafractalmemory")


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    for program in (serve, consume, migrate, openapi):
        app.command()(program)


def serve(
    *,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="No stores: everything in this process, lost with it.")
    ] = False,
) -> None:
    """Run the API."""
    from somafractalmemory import tracing
    from somafractalmemory.grpcface.listening import check_listening
    from somafractalmemory.grpcface.server import Opener, with_grpc
    from somafractalmemory.httpface import serving
    from somafractalmemory.httpface.app import create_app
    from somafractalmemory.wiring import open_api, open_embedded, tokens_of

    settings = _settings("serve --embedded" if embedded else "serve")
    tokens_of(settings)
    if settings.uvicorn_workers > 1:
        log.warning("one_worker", asked_for=settings.uvicorn_workers, hint="one worker is faster here; add replicas")
    leaving = asyncio.Event()
    opener: Opener = open_embedded if embedded else open_api
    if settings.grpc_enabled:
        check_listening(settings)
        opener = with_grpc(opener, leaving)
    log.info("starting", **_summary(settings), traced=tracing.configure("somafractalmemory-api"))
    serving.run(
        create_app(settings, opener),
        host=settings.uvicorn_host,
        port=settings.uvicorn_port,
        graceful_seconds=settings.uvicorn_graceful_seconds,
        backlog=settings.uvicorn_backlog,
        keep_alive=settings.uvicorn_keep_alive_seconds,
        leaving=leaving,
        tls=_tls(settings),
    )


def consume() -> None:
    """Run the event consumer, with its metrics and health on CONSUMER_METRICS_PORT."""
    from somafractalmemory import tracing
    from somafractalmemory.httpface import serving
    from somafractalmemory.httpface.consumer_app import create_consumer_app
    from somafractalmemory.wiring import open_consumer

    settings = _settings("consume")
    log.info("starting", **_summary(settings), traced=tracing.configure("somafractalmemory-consumer"))
    serving.run(
        create_consumer_app(settings, open_consumer),
        host=settings.consumer_metrics_host,
        port=settings.consumer_metrics_port,
        graceful_seconds=settings.uvicorn_graceful_seconds,
    )


def migrate(
    *, wait: Annotated[float, typer.Option(help="Seconds to wait for a Postgres that is not up yet.")] = 60.0
) -> None:
    """Bring the schema of Postgres up to this release; repeating it changes nothing."""
    from somafractalmemory.adapters.migrations import migrate as apply_migrations
    from somafractalmemory.adapters.postgres import connection_arguments
    from somafractalmemory.settings import postgres_conninfo

    settings = _settings("migrate")
    arguments = connection_arguments(postgres_conninfo(settings))
    applied = asyncio.run(apply_migrations(arguments, wait_seconds=wait))
    log.info("schema_current", applied=applied)


def openapi() -> None:
    """Print the OpenAPI document."""
    print(openapi_text())


def openapi_text() -> str:
    """The document, the same in every environment."""
    from somafractalmemory.httpface.app import create_app
    from somafractalmemory.settings import Settings
    from somafractalmemory.wiring import open_embedded

    return json.dumps(create_app(Settings(), open_embedded).openapi(), indent=2, sort_keys=True)


def _tls(settings: "Settings") -> "ssl.SSLContext | None":
    """What the API shows its clients; None for plain HTTP. Raises ConfigurationError."""
    from somafractalmemory.security.certificates import ServerCertificate

    if settings.tls_cert is None or settings.tls_key is None:
        return None
    return ServerCertificate(settings.tls_cert, settings.tls_key, named="SOMA_TLS_CERT, SOMA_TLS_KEY").context()


def _settings(command: str) -> "Settings":
    from somafractalmemory import telemetry
    from somafractalmemory.settings import resolve

    resolved = resolve(for_command=command)
    settings = resolved.settings
    telemetry.configure_logs(settings.log_level)
    for warning in resolved.warnings:
        log.warning("variable_ignored", problem=warning)
    if settings.memory_mode != "evented_enterprise":
        log.warning("mode_replaced", asked_for=settings.memory_mode, used="evented_enterprise")
    return settings


def _summary(settings: "Settings") -> dict[str, object]:
    from somafractalmemory.settings import redacted

    return {
        "mode": "evented_enterprise",
        "namespace": settings.namespace,
        "postgres": redacted(settings.postgres_url),
        "redis": redacted(settings.redis_address),
        "qdrant": redacted(settings.qdrant_address),
        "kafka": settings.kafka_bootstrap_servers,
        "eventing": settings.eventing_enabled,
    }
