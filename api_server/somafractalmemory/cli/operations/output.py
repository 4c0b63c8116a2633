"""What commands of operation show: results on standard output, progress and logs on standard error."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import orjson
import typer
from rich.console import Console
from rich.status import Status
from rich.table import Table

from somafractalmemory import telemetry
from somafractalmemory.settings import Settings, load_settings

Output = Annotated[Literal["table", "json"], typer.Option("--output", "-o", help="For people, or for machines.")]


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


def show_rows(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, title: str) -> None:
    """Many objects, as a table for people."""
    table = Table(*(name.replace("_", " ") for name in columns), title=title)
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in columns))
    Console().print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_cell(one)}" for name, one in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)
