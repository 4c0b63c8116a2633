"""What makes a function a command: the shared options, a session with a client, and its answer shown."""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import typer

from somafractalmemory.cli.options import SHARED, Given, connect
from somafractalmemory.cli.showing import Shown, show
from somafractalmemory.client import Answer, Client

Command = TypeVar("Command", bound=Callable[..., Shown])


class Session:
    """What a command works with."""

    def __init__(self, client: Client, *, quiet: bool) -> None:
        self.client = client
        self.quiet = quiet

    def note(self, words: str) -> None:
        """Tell people beside the answer."""
        if not self.quiet:
            print(f"soma: {words}", file=sys.stderr)

    def checked(self, answer: Answer) -> Answer:
        """The answer, after a note when it says that a store took no part."""
        if stores := answer.get("degraded"):
            self.note(f"answered without {', '.join(stores)}; `soma health` tells more")
        if answer.get("indexed") is False:
            self.note("committed, but recall does not know it yet; that mends itself, `soma health` tells more")
        return answer

    @contextmanager
    def progress(self, words: str, total: float | None = None) -> Iterator[Callable[[float], None]]:
        """A bar on stderr while something long goes on, when somebody looks; call with how much more is done."""
        if self.quiet or not sys.stderr.isatty():
            yield lambda _: None
            return
        from rich.console import Console  # noqa: PLC0415 - only people wait for this import
        from rich.progress import Progress  # noqa: PLC0415

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(words, total=total)
            yield lambda more: bar.advance(task, more)


def command(app: typer.Typer, name: str, *, example: str) -> Callable[[Command], Command]:
    """Register a function that takes a session and its own options by name, and returns what is to be shown."""

    def register(function: Command) -> Command:
        app.command(name, epilog=f"\b\nExample:\n  {example}")(_wrapped(function))
        return function

    return register


def _wrapped(function: Callable[..., Shown]) -> Callable[..., None]:
    own = [parameter for parameter in inspect.signature(function).parameters.values() if parameter.name != "session"]

    def run(ctx: typer.Context, **values: Any) -> None:
        shared = Given(**{name: values.pop(name) for name in SHARED}).over(ctx.obj)
        quiet = bool(shared.quiet)
        with (shared.connect or connect)(shared) as client:
            shown = function(Session(client, quiet=quiet), **values)
        show(shown, output=shared.output, quiet=quiet)
        if shown.code:
            raise typer.Exit(shown.code)

    parameters = [
        inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        *(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own),
        *(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
            for name, kind in SHARED.items()
        ),
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__name__, run.__doc__ = function.__name__, function.__doc__
    return run
