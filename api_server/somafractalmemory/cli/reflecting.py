"""Commands that remember without a question, learn from what was, and tell who did what."""

import itertools
import json
from typing import Annotated, Any

import typer

from somafractalmemory.cli.commanding import Session, command
from somafractalmemory.cli.searching import Type, listing
from somafractalmemory.cli.showing import Grid, Shown, brief, moment, one_line, place
from somafractalmemory.client import Recollection
from somafractalmemory.errors import InvalidRequest
from somafractalmemory.model import MemoryType

Number = Annotated[
    int | None, typer.Option("--n", min=1, max=1000, help="How many at most. [default: 10; by chance: 5]")
]


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    command(app, "recent", example="soma recent --n 3 --type episodic")(recent)
    command(app, "important", example="soma important --n 3")(important)
    command(app, "replay", example="soma replay --n 3")(replay)
    command(app, "reflect", example="soma reflect --n 3")(reflect)
    command(app, "outcome", example="soma outcome --coord 1,2,3 --outcome '\"rain\"'")(outcome)
    command(app, "consolidate", example="soma consolidate --window-seconds 86400")(consolidate)
    command(app, "audit", example="soma audit --limit 20")(audit)


def recent(session: Session, n: Number = None, kind: Type = None) -> Shown:
    """Show the latest memories."""
    return _recollect(session, "recent", n, kind)


def important(session: Session, n: Number = None, kind: Type = None) -> Shown:
    """Show the most important memories."""
    return _recollect(session, "important", n, kind)


def replay(session: Session, n: Number = None, kind: Type = None) -> Shown:
    """Show some memories by chance."""
    return _recollect(session, "replay", n, kind)


def reflect(session: Session, n: Number = None, kind: Type = None) -> Shown:
    """Show some memories by chance, as `replay`."""
    return _recollect(session, "reflect", n, kind)


def outcome(
    session: Session,
    coord: Annotated[str, typer.Option("--coord", help="The memory that predicted.")],
    outcome: Annotated[str, typer.Option("--outcome", help="What really happened, as JSON.")],
) -> Shown:
    """Note what really happened; a wrong prediction leaves a correction, linked to its memory."""
    try:
        happened = json.loads(outcome)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"--outcome: this is not valid JSON ({error}); a text is written '\"rain\"'") from None
    answer = session.checked(session.client.outcome(coord, happened))
    words = f"noted; corrected at {place(answer['correction'])}" if answer["correction"] else "noted"
    return Shown(answer, "OK", words, confirms=True)


def consolidate(
    session: Session,
    window: Annotated[
        float | None, typer.Option("--window-seconds", help="How far back to look. [default: 3600]")
    ] = None,
) -> Shown:
    """Draw a fact from each recent episode that has none yet."""
    stored, unchanged, complete = 0, 0, False
    with session.progress("consolidating") as more:
        while not complete:
            answer = session.checked(session.client.consolidate(window_seconds=window))
            stored += answer["stored"]
            unchanged = answer["unchanged"]
            complete = answer["complete"] or not answer["stored"]
            more(1)
    told = {"stored": stored, "unchanged": unchanged}
    return Shown(told, one_line(told), f"{stored} facts stored", confirms=True)


def audit(
    session: Session,
    action: Annotated[str | None, typer.Option("--action", help="Only this one.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 100,
) -> Shown:
    """Show who did what in the namespace, newest first; the token must be an admin's."""
    found: list[dict[str, Any]] = list(itertools.islice(session.client.audit(action=action), limit))
    rows = [
        (moment(each["at"]), each["caller"], each["action"], place(each["coordinate"] or ()), brief(each["details"]))
        for each in found
    ]
    return Shown({"entries": found}, one_line(found), Grid(("TIME", "CALLER", "ACTION", "COORDINATE", "DETAILS"), rows))


def _recollect(session: Session, how: Recollection, n: int | None, kind: MemoryType | None) -> Shown:
    return listing(session.client.recollect(how, n=n, memory_type=kind and kind.value)["memories"])
