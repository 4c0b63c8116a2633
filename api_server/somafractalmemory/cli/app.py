"""All commands together, and the options before them."""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from somafractalmemory import __version__
from somafractalmemory.cli import graphs, memories, ports, programs, reflecting, searching, transfers
from somafractalmemory.cli.operations import keys, passwords, preflight, tokens
from somafractalmemory.cli.options import (
    MODE,
    Ca,
    Config,
    Given,
    Namespace,
    Output,
    Quiet,
    Timeout,
    TokenFile,
    Url,
)

_EXAMPLES = """\b
Examples:
  export SOMA_API_TOKEN_FILE=~/.soma-token
  soma store --coord 1,2,3 --payload '{"fact": "cats purr"}' --type semantic
  soma recall --query "what do cats do" -o json
  soma export-memories --path memories.ndjson
  soma --config embedded.yaml stats
  soma serve --embedded

\b
Exit codes: 0 done, 1 failed, 2 wrong options or configuration, 3 not found, 4 refused, 5 away or over its limit."""


class _Group(TyperGroup):
    """Commands that work on the stores themselves load every store's client: only when they are looked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, for the help."""
        self._complete()
        return super().list_commands(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by its name."""
        found = super().get_command(ctx, cmd_name)
        if found is None:
            self._complete()
            found = super().get_command(ctx, cmd_name)
        return found

    def _complete(self) -> None:
        from somafractalmemory.cli.operations import config, stores  # noqa: PLC0415

        late = typer.Typer(rich_markup_mode=None)
        late.command(name="config")(config.show)
        stores.register(late)
        for name, found in get_group(late).commands.items():
            self.commands.setdefault(name, found)


app = typer.Typer(
    cls=_Group,
    name="soma",
    epilog=_EXAMPLES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"soma {__version__}")
        raise typer.Exit


@app.callback()
def soma(
    ctx: typer.Context,
    *,
    url: Url = None,
    ca: Ca = None,
    token_file: TokenFile = None,
    namespace: Namespace = None,
    timeout: Timeout = None,
    config: Config = None,
    output: Output = None,
    quiet: Quiet = None,
    mode: Annotated[
        str, typer.Option("--mode", envvar="MEMORY_MODE", help="Any; there is one mode, and another one is replaced.")
    ] = MODE,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """SomaFractalMemory: a memory service whose truth is Postgres.

    Commands speak to a running API, or, with --config, run the service in their own process.
    """
    del version
    if mode != MODE and not quiet:
        print(f"soma: the mode {mode!r} is replaced by {MODE}: there is no other", file=sys.stderr)
    given = Given(url, ca, token_file, namespace, timeout, config, output, quiet)
    ctx.obj = given.over(ctx.obj or Given())


@app.command()
def version() -> None:
    """Print the version."""
    print(f"soma {__version__}")


for part in (memories, searching, reflecting, graphs, transfers, programs, ports):
    part.register(app)
app.add_typer(tokens.app)
app.command()(keys.rotate_keys)
passwords.register(app)
app.command()(preflight.preflight)
