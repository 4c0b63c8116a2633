"""`soma events`: what is on the topics, and applying it again, beside the running programs."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
import typer

from somafractalmemory.cli.operations.output import Output, progress, settings_for, show, show_rows
from somafractalmemory.cli.operations.wiring import open_dead_letters, open_lag, open_replay
from somafractalmemory.errors import InvalidRequest, NotFound, Unavailable
from somafractalmemory.events.deadletters import Letter, Retried
from somafractalmemory.events.replaying import Replayed, ReplayInterrupted, stretch
from somafractalmemory.model.events import event_schema
from somafractalmemory.settings import Settings

app = typer.Typer(name="events", help="The topic of memory events and its dead letters.", no_args_is_help=True)
dlq = typer.Typer(name="dlq", help="Events that could not be applied.", no_args_is_help=True)
app.add_typer(dlq)

Partition = Annotated[int | None, typer.Option(min=0, help="Only this one.", show_default="all of them")]


@app.command()
def schema() -> None:
    """Print the JSON Schema of an event."""
    typer.echo(schema_text())


def schema_text() -> str:
    """The document, the same in every environment."""
    return orjson.dumps(event_schema(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()


@app.command()
def lag(*, output: Output = "table") -> None:
    """How far the consumers are behind, partition by partition, and how much waits in the outbox."""
    answer = asyncio.run(_lag(settings_for("events")))
    if output == "json":
        show("", answer, output)
        return
    show_rows(["partition", "end", "committed", "lag"], answer["partitions"], title=f"group {answer['group']}")
    if answer["outbox"]:
        show("outbox", answer["outbox"], output)


async def _lag(settings: Settings) -> dict[str, Any]:
    async with open_lag(settings) as (history, outbox):
        spans, committed = await history.spans(), await history.committed()
        depth = await outbox.depth() if outbox else None
    partitions = []
    for partition, span in sorted(spans.items()):
        done = committed.get(partition)
        behind = span.end - max(done or 0, span.first)
        partitions.append({"partition": partition, "end": span.end, "committed": done, "lag": max(behind, 0)})
    return {
        "group": settings.kafka_group,
        "topic": settings.kafka_topic,
        "lag": sum(part["lag"] or 0 for part in partitions),
        "partitions": partitions,
        "outbox": depth and {"rows": depth.rows, "age_seconds": round(depth.age_seconds, 1)},
    }


@app.command()
def replay(
    *,
    beginning: Annotated[bool, typer.Option("--beginning", help="Everything that the topic still holds.")] = False,
    from_offset: Annotated[int | None, typer.Option(min=0, help="From this offset of each partition.")] = None,
    from_time: Annotated[str | None, typer.Option(help="From this time: ISO 8601, or seconds since 1970.")] = None,
    partition: Partition = None,
    output: Output = "table",
) -> None:
    """Apply events again, up to what is there now. What was applied before changes nothing.

    It reads in no group: the running consumers go on undisturbed, and nothing is committed.
    """
    if sum((beginning, from_offset is not None, from_time is not None)) != 1:
        raise typer.BadParameter("say one of --beginning, --from-offset and --from-time")
    moment = None if from_time is None else _moment(from_time)
    done, error = asyncio.run(_replay(settings_for("events replay"), partition, from_offset, moment))
    show("replayed", done.as_json(), output)
    if error is not None:
        raise error


async def _replay(
    settings: Settings, partition: int | None, offset: int | None, moment: float | None
) -> tuple[Replayed, Unavailable | None]:
    with progress("reading") as say:
        async with open_replay(settings, lambda done: say(f"{done.applied:,} of {done.total:,}")) as (
            again,
            history,
            run,
        ):
            try:
                await run(await stretch(history, partition=partition, offset=offset, moment=moment))
            except ReplayInterrupted as interrupted:
                return again.done, interrupted.error
            return again.done, None


@dlq.command("list")
def list_letters(
    *,
    pending: Annotated[bool, typer.Option("--pending", help="Only those that were not retried.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many.")] = 100,
    output: Output = "table",
) -> None:
    """What was set aside, why, and whether it was retried."""
    letters = asyncio.run(_letters(settings_for("events"), limit=limit, pending=pending))
    rows = [letter.as_json() for letter in letters]
    if output == "json":
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    shown = ["partition", "offset", "set_aside_at", "reason", "error", "original_offset", "retried"]
    show_rows(shown, rows, title=f"{len(rows)} dead letters")


async def _letters(settings: Settings, *, limit: int, pending: bool) -> list[Letter]:
    async with open_dead_letters(settings) as dead:
        return list(await dead.list(limit=limit, pending=pending))


@dlq.command()
def retry(
    *,
    all_of_them: Annotated[bool, typer.Option("--all", help="Every letter that was not retried yet.")] = False,
    partition: Annotated[
        int | None, typer.Option(min=0, help="With --offset: this one, retried before or not.")
    ] = None,
    offset: Annotated[int | None, typer.Option(min=0)] = None,
    output: Output = "table",
) -> None:
    """Publish dead letters as events again, and mark them; one that still cannot be applied comes back as a new one."""
    one = partition is not None and offset is not None
    if one == all_of_them or (not one and (partition, offset) != (None, None)):
        raise typer.BadParameter("say --all, or --partition and --offset")
    done = asyncio.run(_retry(settings_for("events"), partition, offset))
    show("dead letters", asdict(done), output)
    if done.without_value:
        raise InvalidRequest(
            f"{done.without_value} letters have no value, because it was too large for the topic: it may still be "
            "at its original offset, where `soma events replay` finds it"
        )


async def _retry(settings: Settings, partition: int | None, offset: int | None) -> Retried:
    with progress("looking for dead letters") as say:
        async with open_dead_letters(settings) as dead:
            done = await dead.retry(
                partition=partition, offset=offset, progress=lambda done: say(f"{done.retried:,} retried")
            )
    if offset is not None and not done.found:
        raise NotFound(f"there is no dead letter at offset {offset} of partition {partition}")
    return done


def _moment(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("--from-time is a time such as 2026-01-31T12:00:00Z, or seconds since 1970") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
