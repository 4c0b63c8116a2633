"""Commands about links."""

from typing import Annotated

import typer

from somafractalmemory.cli.commanding import Session, command
from somafractalmemory.cli.showing import Grid, Shown, moment, one_line, place

Source = Annotated[str, typer.Option("--from", help="Where it begins.")]
Target = Annotated[str, typer.Option("--to", help="Where it ends.")]
Type = Annotated[str | None, typer.Option("--type", help="Only links of this type.")]
OwnType = Annotated[str, typer.Option("--type", help="The link's type.")]


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    command(app, "link", example="soma link --from 1,2,3 --to 4,5,6 --type causes --weight 0.5")(link)
    command(app, "unlink", example="soma unlink --from 1,2,3 --to 4,5,6 --type causes")(unlink)
    command(app, "neighbors", example="soma neighbors --coord 1,2,3")(neighbors)
    command(app, "path", example="soma path --from 1,2,3 --to 7,8,9")(path)


def link(
    session: Session,
    source: Source,
    target: Target,
    kind: OwnType = "related",
    weight: Annotated[float, typer.Option("--weight", min=0, help="What it costs to follow.")] = 1.0,
) -> Shown:
    """Link a memory to another; a link of the same type gets the new weight."""
    return Shown(session.client.link(source, target, link_type=kind, weight=weight), "OK", "linked", confirms=True)


def unlink(session: Session, source: Source, target: Target, kind: OwnType = "related") -> Shown:
    """Remove a link."""
    return Shown(session.client.unlink(source, target, link_type=kind), "OK", "unlinked", confirms=True)


def neighbors(
    session: Session,
    coord: Annotated[str, typer.Option("--coord", help="Whose links to follow.")],
    kind: Type = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, max=1000, help="How many at most. [default: 100]")
    ] = None,
) -> Shown:
    """Show where links lead from a memory."""
    answer = session.client.neighbors(coord, link_type=kind, limit=limit)
    found = answer["neighbors"]
    rows = [(place(at), edge["type"], f"{edge['weight']:g}", moment(edge["timestamp"])) for at, edge in found]
    plain = one_line([at for at, _ in found])
    return Shown(answer, plain, Grid(("TO", "TYPE", "WEIGHT", "SINCE"), rows, "no links lead from here"))


def path(session: Session, source: Source, target: Target, kind: Type = None) -> Shown:
    """Show the lightest path along links."""
    answer = session.client.shortest_path(source, target, link_type=kind)
    found = answer["path"]
    return Shown(answer, one_line(found), " -> ".join(map(place, found)) or "no path leads there")
