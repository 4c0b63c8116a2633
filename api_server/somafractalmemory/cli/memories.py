"""Commands about single memories."""

import json
from dataclasses import replace
from typing import Annotated

import typer

from somafractalmemory.cli.commanding import Session, command
from somafractalmemory.cli.ending import UNAVAILABLE
from somafractalmemory.cli.reading import batches, coordinates, json_object
from somafractalmemory.cli.showing import Grid, Shown, brief, moment, one_line, place
from somafractalmemory.client import Answer
from somafractalmemory.model import MemoryType

Coord = Annotated[str, typer.Option("--coord", help="Numbers separated by commas, such as 1,2.5,3.")]
Payload = Annotated[str, typer.Option("--payload", help="A JSON object; @FILE reads it from a file, - from stdin.")]
Version = Annotated[int | None, typer.Option("--if-version", help="Only if the memory is at this version.")]


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    command(app, "store", example="""soma store --coord 1,2,3 --payload '{"fact": "cats purr"}' --type semantic""")(
        store
    )
    command(app, "get", example="soma get --coord 1,2,3")(get)
    command(app, "amend", example="""soma amend --coord 1,2,3 --payload '{"mood": "calm", "draft": null}'""")(amend)
    command(app, "importance", example="soma importance --coord 1,2,3 --value 5")(importance)
    command(app, "versions", example="soma versions --coord 1,2,3")(versions)
    command(app, "delete", example="soma delete --coord 1,2,3")(delete)
    command(app, "delete-many", example='soma delete-many --coords "1,2,3;4,5,6"')(delete_many)
    command(app, "stats", example="soma stats -o json")(stats)
    command(app, "health", example="soma health")(health)


def store(
    session: Session,
    coord: Coord,
    payload: Payload,
    kind: Annotated[MemoryType, typer.Option("--type", help="What it is.")] = MemoryType.EPISODIC,
) -> Shown:
    """Store a memory at a coordinate; what was there before is replaced."""
    return _committed(
        session, session.client.store(coord, json_object(payload, "--payload"), memory_type=kind.value), "stored"
    )


def get(session: Session, coord: Coord) -> Shown:
    """Show the memory at a coordinate."""
    memory = session.client.get(coord)
    rows = [
        ("coordinate", place(memory["coordinate"])),
        ("type", memory["memory_type"]),
        ("importance", f"{memory['importance']:g}"),
        ("time", moment(memory["timestamp"])),
        ("version", str(memory["version"])),
        ("created", moment(memory["created_at"])),
        ("updated", moment(memory["updated_at"])),
        *(
            (f"payload.{name}", value if isinstance(value, str) else brief(value))
            for name, value in memory["payload"].items()
        ),
    ]
    return Shown(memory, one_line(memory), Grid(("FIELD", "VALUE"), rows))


def amend(
    session: Session,
    coord: Coord,
    payload: Payload,
    kind: Annotated[MemoryType | None, typer.Option("--type", help="The new type.")] = None,
    if_version: Version = None,
) -> Shown:
    """Change some fields of a memory; null removes one."""
    patch = json_object(payload, "--payload")
    answer = session.client.amend(coord, patch, memory_type=kind and kind.value, version=if_version)
    return _committed(session, answer, "amended")


def importance(
    session: Session, coord: Coord, value: Annotated[float, typer.Option("--value", help="1 is the usual importance.")]
) -> Shown:
    """Say how much a memory matters."""
    return _committed(session, session.client.set_importance(coord, value), "weighed")


def versions(session: Session, coord: Coord) -> Shown:
    """Show a memory and what it was before, newest first."""
    answer = session.client.versions(coord)
    rows = [
        (str(old["version"]), moment(old["updated_at"]), old["memory_type"], brief(old["payload"]))
        for old in answer["versions"]
    ]
    return Shown(answer, one_line(answer["versions"]), Grid(("VERSION", "SINCE", "TYPE", "PAYLOAD"), rows))


def delete(session: Session, coord: Coord, if_version: Version = None) -> Shown:
    """Delete a memory from every store, with its versions and links."""
    return _committed(session, session.client.delete(coord, version=if_version), "deleted")


def delete_many(
    session: Session, coords: Annotated[str, typer.Option("--coords", help='Coordinates: "1,2,3;4,5,6".')]
) -> Shown:
    """Delete many memories; places where none lives do not count."""
    deleted = 0
    for batch in batches(coordinates(coords)):
        deleted += session.checked(session.client.delete_many(batch))["deleted"]
    answer = {"deleted": deleted}
    return Shown(answer, one_line(answer), f"{deleted} deleted", confirms=True)


def stats(session: Session) -> Shown:
    """Count the memories."""
    answer = session.client.stats()
    rows = [(name.replace("_", " "), str(count)) for name, count in answer.items()]
    return Shown(answer, json.dumps(answer, indent=2), Grid(("MEMORIES", "COUNT"), rows))


def health(session: Session) -> Shown:
    """Tell how every store is; ends with 5 while one that is needed is away."""
    answer = session.client.health()
    rows = [
        (name, "up" if part["ok"] else "away", "yes" if part["required"] else "no", part["detail"] or "")
        for name, part in answer["components"].items()
    ]
    shown = Shown(answer, one_line(answer), Grid(("STORE", "STATE", "REQUIRED", "DETAIL"), rows))
    return shown if answer["status"] != "unavailable" else replace(shown, code=UNAVAILABLE)


def _committed(session: Session, answer: Answer, word: str) -> Shown:
    session.checked(answer)
    return Shown(
        answer, "OK", f"{word}, now version {answer['version']}" if "version" in answer else word, confirms=True
    )
