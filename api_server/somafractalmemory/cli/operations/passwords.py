"""`soma rotate-password`: Postgres takes the newest password."""

import asyncio
import time
from typing import Any

import psycopg
import typer

from somafractalmemory.adapters.postgres import connection_arguments
from somafractalmemory.adapters.postgres_login import take_newest
from somafractalmemory.cli.operations.output import Output, progress, settings_for, show
from somafractalmemory.errors import ConfigurationError, Unavailable
from somafractalmemory.settings import Settings, postgres_conninfo
from somafractalmemory.settings.passwords import Password

_PAUSE_SECONDS = 2.0


def rotate_password(*, wait: float = 300.0, output: Output = "table") -> None:
    """Have Postgres take the password in POSTGRES_PASSWORD_FILE for our user; repeating it changes nothing.

    While it is not valid yet, it logs in by that of POSTGRES_PASSWORD_FILE_PREVIOUS, a file of this name beside it.
    Programs that hold both go on meanwhile. `--wait` says for how many seconds a Postgres that is away is waited for.
    """
    with progress("waiting for Postgres") as say:
        changed = asyncio.run(_rotate(settings_for("rotate-password"), wait, say))
    show("Password of Postgres", {"changed": changed}, output)


async def _rotate(settings: Settings, wait_seconds: float, say: Any) -> bool:
    arguments = connection_arguments(postgres_conninfo(settings))
    password = arguments.pop("password", None)
    if not isinstance(password, Password):
        raise ConfigurationError("POSTGRES_PASSWORD_FILE: required; set it to the file with the new password")
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return await take_newest(arguments, password)
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise Unavailable("postgres", str(error).splitlines()[0]) from error
            say(str(error).splitlines()[0])
        except psycopg.Error as error:
            raise Unavailable("postgres", f"it keeps its password: {error}") from error
        await asyncio.sleep(_PAUSE_SECONDS)


def register(app: typer.Typer) -> None:
    """Add the command to `soma`."""
    app.command()(rotate_password)
