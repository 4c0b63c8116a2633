"""`soma ports`: host ports for the compose stack."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from somafractalmemory.cli import hostports
from somafractalmemory.cli.options import Output


def register(app: typer.Typer) -> None:
    """Put the command into the application."""
    app.command()(ports)


def ports(
    *,
    file: Annotated[
        Path, typer.Option(help="Environment file of compose: read for what is wanted, written with what is free.")
    ] = Path("api_server/.env"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    output: Output = None,
) -> None:
    """Choose free host ports for the stores of the compose stack.

    A port is taken from the environment, else from the file, else the usual one; the next free one replaces it when
    somebody listens there. Run it while the stack is down: its own ports look taken to it.
    """
    wanted = hostports.read(file) | {name: os.environ[name] for name in hostports.DEFAULTS if os.environ.get(name)}
    assigned = hostports.assign(wanted, hostports.is_free)
    if not dry_run:
        hostports.write(file, assigned)
    if str(output) == "json":
        print(json.dumps({each.variable: each.port for each in assigned}))
        return
    for each in assigned:
        print(f"{each.variable}={each.port}" + (f"  # {each.wanted} is taken" if each.moved else ""))
