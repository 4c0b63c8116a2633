"""`soma token`: making bearer tokens."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from somafractalmemory.security.callers import Scope
from somafractalmemory.security.tokenfile import line_of, new_token

app = typer.Typer(name="token", help="Make bearer tokens.", no_args_is_help=True, add_completion=False)


@app.callback()
def token() -> None:
    """Make bearer tokens."""


@app.command()
def new(
    *,
    name: Annotated[str, typer.Option(help="Who will use it; told in logs and counted by the rate limit.")],
    scopes: Annotated[str, typer.Option(help="Of read, write and admin, separated by commas.")] = "read,write",
    namespaces: Annotated[
        str, typer.Option(help="The only ones it may enter, separated by commas; the first is its own. Empty: all.")
    ] = "",
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires; without: never.")] = None,
) -> None:
    """Print a new token, once, and the line that makes the API accept it."""
    expires = datetime.fromtimestamp(datetime.now(UTC).timestamp() // 1 + days * 86400, UTC) if days else None
    secret, entry = new_token(name=name, scopes=_scopes(scopes), namespaces=_listed(namespaces), expires=expires)
    typer.echo("Add this line below `tokens:` in the file of SOMA_API_TOKENS_FILE:\n", err=True)
    typer.echo(line_of(entry))
    typer.echo("\nThe token, shown only now:\n", err=True)
    typer.echo(secret)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _scopes(text: str) -> list[Scope]:
    try:
        return [Scope(word) for word in _listed(text)]
    except ValueError:
        raise typer.BadParameter("scopes are read, write and admin", param_hint="--scopes") from None
