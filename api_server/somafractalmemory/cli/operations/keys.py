"""`soma rotate-keys`: everything that an older key encrypted is encrypted again by the first one."""

import asyncio

import typer

from somafractalmemory.adapters.postgres import open_records
from somafractalmemory.cli.operations.output import Output, progress, settings_for, show
from somafractalmemory.errors import ConfigurationError
from somafractalmemory.security.resealing import Resealer, ResealReport
from somafractalmemory.settings import Settings, postgres_conninfo
from somafractalmemory.wiring import rules_of


def rotate_keys(*, output: Output = "table") -> None:
    """Encrypt again, by the first key of SOMA_ENCRYPTION_KEY_FILE, what other keys encrypted.

    It works beside running programs, and can be interrupted and repeated. Exit code 1 when no key opens some of it.
    """
    report = asyncio.run(_reseal(settings_for("rotate-keys")))
    show("Encrypted fields", {"resealed": report.resealed, "locked": report.locked}, output)
    if report.locked:
        raise typer.Exit(1)


async def _reseal(settings: Settings) -> ResealReport:
    seal = rules_of(settings).seal
    if seal is None:
        raise ConfigurationError("SOMA_ENCRYPTION_KEY_FILE: required; the first key in it encrypts, all decrypt")
    passed = 0
    with progress("encrypting") as say:
        async with open_records(postgres_conninfo(settings), pool_size=2) as records:

            def seen(count: int) -> None:
                nonlocal passed
                passed += count
                say(f"{passed:,} states of memories passed")

            return await Resealer(records=records, seal=seal).run(seen)
