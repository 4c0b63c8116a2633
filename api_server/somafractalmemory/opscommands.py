"""Commands of operation. They work on the stores themselves, beside running programs.

Results go to standard output, progress to standard error. Exit codes: 0 done and as it should be, 1 something differs,
failed or a store is away, 2 wrong configuration or usage.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import orjson
import typer
from rich.console import Console
from rich.status import Status
from rich.table import Table

from somafractalmemory import eventcommands, telemetry
from somafractalmemory.model import check_namespace
from somafractalmemory.opswiring import open_reconciler
from somafractalmemory.reconciling import Report
from somafractalmemory.settings import Settings, load_settings

Output = Annotated[Literal["table", "json"], typer.Option("--output", "-o", help="For people, or for machines.")]
Namespace = Annotated[str | None, typer.Option("--namespace", "-n", help="Only this one.", show_default="all of them")]


def register(app: typer.Typer) -> None:
    """Add the commands to `soma`."""
    app.command()(reconcile)
    app.add_typer(eventcommands.app)


def reconcile(
    *,
    check: Annotated[bool, typer.Option("--check", help="Compare only; exit code 1 when something differs.")] = False,
    rewrite: Annotated[
        bool, typer.Option("--rewrite", help="Write every memory again, also where both agree on the version.")
    ] = False,
    namespace: Namespace = None,
    output: Output = "table",
) -> None:
    """Make the index in Qdrant equal to the truth in Postgres; an interrupted run goes on where it stopped.

    Redis needs nothing of the kind: it holds counters and locks only, which end by themselves.
    """
    if check and rewrite:
        raise typer.BadParameter("--check only compares; leave --rewrite away")
    settings = settings_for("reconcile")
    if namespace is not None:
        check_namespace(namespace)
    report = asyncio.run(_reconcile(settings, namespace, check=check, rewrite=rewrite))
    show("Postgres and Qdrant", report.as_json(), output)
    if check and not report.equal:
        raise typer.Exit(1)


async def _reconcile(settings: Settings, namespace: str | None, *, check: bool, rewrite: bool) -> Report:
    with progress("comparing") as say:
        async with open_reconciler(settings) as reconciler:

            def seen(report: Report) -> None:
                say(f"{report.memories:,} memories compared, {report.mended:,} mended")

            if check:
                return await reconciler.check(namespace, seen)
            return await reconciler.mend(namespace, seen, rewrite=rewrite)


def settings_for(command: str) -> Settings:
    """The environment, with logs to standard error that do not drown the command's own words."""
    settings = load_settings(for_command=command)
    telemetry.configure_logs("WARNING" if settings.log_level == "INFO" else settings.log_level)
    return settings


class progress:  # noqa: N801  # reads as what it is: `with progress(...) as say`
    """One line on standard error that changes; nothing where nobody looks at it."""

    def __init__(self, what: str) -> None:
        self._status = Status(what, console=Console(stderr=True)) if sys.stderr.isatty() else None

    def __enter__(self) -> Callable[[str], None]:
        if self._status is None:
            return lambda _: None
        self._status.start()
        return self._status.update

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()


def show(title: str, content: Mapping[str, Any], output: str) -> None:
    """One object: as JSON, or as a table of its fields."""
    if output == "json":
        typer.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())
        return
    table = Table("", "", title=title, show_header=False)
    for name, value in content.items():
        if not isinstance(value, list):
            table.add_row(name.replace("_", " "), _cell(value))
    Console().print(table)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
