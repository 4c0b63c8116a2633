"""Commands of operation. They work on the stores themselves, beside running programs.

Results go to standard output, progress to standard error. Exit codes: 0 done and as it should be, 1 something differs,
failed or a store is away, 2 wrong configuration or usage.
"""

import asyncio
from typing import Annotated

import typer

from somafractalmemory.cli.operations import events
from somafractalmemory.cli.operations.output import Output, progress, settings_for, show
from somafractalmemory.cli.operations.wiring import open_eraser, open_reconciler
from somafractalmemory.indexing.reconciling import Report
from somafractalmemory.model import Coordinate, check_namespace, parse_coordinate
from somafractalmemory.settings import Settings
from somafractalmemory.usecases.erasing import Erased

Namespace = Annotated[str | None, typer.Option("--namespace", "-n", help="Only this one.", show_default="all of them")]


def register(app: typer.Typer) -> None:
    """Add the commands to `soma`."""
    app.command()(reconcile)
    app.command()(erase)
    app.add_typer(events.app)


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


def erase(
    *,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="All of it; with --coord: where the memory is.")
    ] = None,
    coord: Annotated[str | None, typer.Option(help="Only the memory at this place, such as 1,2,3.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    output: Output = "table",
) -> None:
    """Erase a memory, or a whole namespace, from every store for good, and report what was where.

    What was interrupted, or could not reach a store (exit code 1), is repeated until the report says complete.
    """
    if namespace is None and coord is None:
        raise typer.BadParameter("say --namespace, --coord or both")
    settings = settings_for("erase")
    place, within = parse_coordinate(coord) if coord else None, check_namespace(namespace or settings.namespace)
    what = f"the memory at {coord} in namespace {within}" if coord else f"everything in namespace {within}"
    if not yes:
        typer.confirm(f"Erase {what} for good?", abort=True, err=True)
    done = asyncio.run(_erase(settings, within, place))
    show(f"erased {what}", done.as_json(), output)
    if not done.complete:
        raise typer.Exit(1)


async def _erase(settings: Settings, namespace: str, place: Coordinate | None) -> Erased:
    with progress("erasing") as say:
        async with open_eraser(settings) as eraser:
            if place is not None:
                return await eraser.erase_place(namespace, place)
            return await eraser.erase_namespace(
                namespace, progress=lambda done: say(f"{done.postgres.get('memories', 0):,} memories erased")
            )
