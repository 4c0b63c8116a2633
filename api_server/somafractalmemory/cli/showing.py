"""What a command answers, in the three ways of showing it."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from somafractalmemory.cli.options import Format

_WIDEST = 200


@dataclass(frozen=True, slots=True)
class Grid:
    """A table for people."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    empty: str = "nothing found"


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer.

    `answer` is for machines, `plain` what scripts have always been given, `people` a table or a sentence;
    `confirms` marks what says no more than that all went well; `code` is what the command ends with;
    `silent` when the answer has been given.
    """

    answer: Any
    plain: str
    people: Grid | str
    confirms: bool = False
    code: int = 0
    silent: bool = False


def one_line(value: Any) -> str:
    """JSON on one line, in ASCII, so that no terminal takes it for a command."""
    return json.dumps(value, separators=(", ", ": "))


def show(shown: Shown, *, output: Format | None, quiet: bool) -> None:
    """Write to stdout."""
    chosen = output or (Format.TABLE if sys.stdout.isatty() else Format.PLAIN)
    if shown.silent or (quiet and shown.confirms):
        return
    if chosen is Format.JSON:
        print(one_line(shown.answer))
    elif chosen is Format.PLAIN:
        print(shown.plain)
    elif isinstance(shown.people, str):
        print(visible(shown.people))
    else:
        _print_grid(shown.people)


def place(coordinate: Sequence[float]) -> str:
    """As people write it: without `.0`."""
    return ",".join(
        repr(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number) for number in coordinate
    )


def moment(seconds: float | None) -> str:
    """A time in UTC; empty without."""
    if seconds is None:
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return repr(seconds)


def brief(payload: Any) -> str:
    """A payload in a cell."""
    text = json.dumps(payload, ensure_ascii=False)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def visible(text: str) -> str:
    """Without control characters: what somebody stored must not move the reader's cursor."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _print_grid(grid: Grid) -> None:
    # Only people wait for this import.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    if not grid.rows:
        print(grid.empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in grid.columns:
        table.add_column(column, overflow="fold")
    for row in grid.rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    Console(soft_wrap=False).print(table)
