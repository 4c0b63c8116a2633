"""`soma preflight`: whether the stores can be used as they are configured, and if not, which step fails."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import orjson
import typer

from somafractalmemory.adapters.preflight import Finding
from somafractalmemory.adapters.preflight_stores import CHECKS
from somafractalmemory.cli.operations.output import Output, progress, settings_for, show_rows
from somafractalmemory.settings import Settings


class Store(StrEnum):
    """What can be tried."""

    POSTGRES = "postgres"
    REDIS = "redis"
    QDRANT = "qdrant"
    KAFKA = "kafka"


def preflight(
    stores: Annotated[list[Store] | None, typer.Argument(help="Only these.", show_default="all that are set")] = None,
    *,
    output: Output = "table",
) -> None:
    """Try the stores as the settings name them: name, port, TLS, login, version, rights. Nothing is changed there.

    Exit code 1 when one of them cannot be used.
    """
    settings = settings_for("preflight")
    chosen = list(dict.fromkeys(stores or _set(settings)))
    with progress(f"trying {', '.join(chosen)}"):
        findings = asyncio.run(_examined(settings, chosen))
    _print(findings, output)
    if not all(finding.is_good for finding in findings):
        raise typer.Exit(1)


def _set(settings: Settings) -> list[Store]:
    """The stores that the settings name."""
    named: dict[Store, bool] = {
        Store.POSTGRES: settings.postgres_url is not None,
        Store.REDIS: settings.redis_address is not None,
        Store.QDRANT: settings.qdrant_address is not None and settings.qdrant_path is None,
        Store.KAFKA: settings.eventing_enabled and settings.kafka_bootstrap_servers is not None,
    }
    return [store for store, is_named in named.items() if is_named]


async def _examined(settings: Settings, stores: Sequence[Store]) -> list[Finding]:
    return list(await asyncio.gather(*(CHECKS[store](settings) for store in stores)))


def _print(findings: Sequence[Finding], output: str) -> None:
    rows = [
        {"store": each.store, "reason": each.reason, "version": each.version, "message": each.message}
        for each in findings
    ]
    if output == "json":
        typer.echo(orjson.dumps({row["store"]: row for row in rows}).decode())
    else:
        show_rows(("store", "reason", "version", "message"), rows, title="Preflight")
