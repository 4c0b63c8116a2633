"""`soma config`: what the programs will run with, and why."""

import json
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from somafractalmemory.settings import Resolved, redacted, resolve
from somafractalmemory.settings.tree import GROUPS, variables


def show(
    *,
    command: Annotated[
        str | None, typer.Option("--for", help="Also say what serve, consume or migrate would miss.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Print every setting with where it comes from; secrets are hidden."""
    resolved = resolve(for_command=command)
    rows = rows_of(resolved)
    if as_json:
        typer.echo(json.dumps({name: {"value": value, "from": origin} for name, value, origin in rows}, indent=2))
    else:
        width = max(len(name) for name, _, _ in rows)
        for name, value, origin in rows:
            typer.echo(f"{name:<{width}}  {'-' if value is None else value}  ({origin})")
    for warning in resolved.warnings:
        typer.echo(f"warning: {warning}", err=True)


def rows_of(resolved: Resolved) -> list[tuple[str, Any, str]]:
    """Variable, value fit to be seen, origin."""
    names = {field: variables(field)[0] for group in GROUPS for field in group.model_fields}
    return [
        (name, _seen(getattr(resolved.settings, field), name), resolved.origins.get(name, "default"))
        for field, name in names.items()
    ]


def _seen(value: Any, name: str) -> Any:
    if isinstance(value, SecretStr):
        return "********"
    if value is not None and name.endswith("_URL"):
        return redacted(str(value))
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return value if isinstance(value, bool | int | float | None) else str(value)
