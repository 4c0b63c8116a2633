"""Commands that carry many memories or links from and to files."""

import io
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer

from somafractalmemory.cli import graphfiles
from somafractalmemory.cli.commanding import Session, command
from somafractalmemory.cli.ending import FAILED
from somafractalmemory.cli.reading import batches, items, read_text
from somafractalmemory.cli.showing import Shown, one_line
from somafractalmemory.client import Answer
from somafractalmemory.errors import InvalidRequest, SomaError

_CHUNK = 64 * 1024
_LAST = 4096


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    command(app, "store-bulk", example="soma store-bulk --file memories.json")(store_bulk)
    command(app, "export-memories", example="soma export-memories --path memories.ndjson")(export_memories)
    command(app, "import-memories", example="soma import-memories --path memories.ndjson --replace")(import_memories)
    command(app, "export-graph", example="soma export-graph --path links.graphml")(export_graph)
    command(app, "import-graph", example="soma import-graph --path links.json")(import_graph)


def store_bulk(
    session: Session,
    file: Annotated[
        Path, typer.Option("--file", help="A JSON array of {coord, payload, type}, or one of them a line; - is stdin.")
    ],
) -> Shown:
    """Store many memories: the items of an array all checked before any is stored, lines one by one."""
    if _begins(file) != b"[":
        return _store_lines(session, file)
    found = items(read_text(file, "--file"))
    stored = sent = 0
    with session.progress("storing", len(found)) as more:
        for batch in batches(found):
            try:
                stored += session.checked(session.client.store_bulk(batch))["stored"]
            except SomaError:
                session.note(f"the first {sent} of {len(found)} are stored; storing them again does no harm")
                raise
            sent += len(batch)
            more(len(batch))
    return Shown({"stored": stored}, one_line({"stored": stored}), f"{stored} stored", confirms=True)


def _store_lines(session: Session, file: Path) -> Shown:
    with session.progress("storing", _size(file, "--file")) as more:
        answer = session.checked(session.client.store_lines(lambda: _parts(file, more)))
    _note_lines(session, answer)
    plain = one_line({"stored": answer["stored"]})
    return Shown(answer, plain, f"{answer['stored']} stored", confirms=True, code=FAILED if answer["failed"] else 0)


def export_memories(
    session: Session,
    path: Annotated[Path, typer.Option("--path", help="File to write; - is stdout.")],
    vectors: Annotated[
        bool, typer.Option("--vectors", help="Also the vectors, which an import can make itself.")
    ] = False,
) -> Shown:
    """Write all memories with their versions, and all links, into a file of JSON lines."""
    end = b""
    with session.progress("exporting") as more, session.client.export(vectors=vectors) as parts, _written(path) as file:
        for part in parts:
            file.write(part)
            end = (end + part)[-_LAST:]
            more(1)
        exported = _told_by(end)
    return _counted(session, path, "exported", exported)


def import_memories(
    session: Session,
    path: Annotated[Path, typer.Option("--path", help="What export-memories wrote, here or in an earlier release.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Remove what the file does not hold, so that only it is left.")
    ] = False,
) -> Shown:
    """Put back memories, versions and links of a file; the same file again changes nothing."""
    with session.progress("importing", _size(path)) as more:
        answer = session.checked(session.client.import_lines(lambda: _parts(path, more), replace=replace))
    _note_lines(session, answer)
    if not answer["complete"]:
        session.note("not everything was imported: mend the lines above, or fetch the whole file, and import it again")
    plain = one_line({"imported": answer["imported"]})
    return Shown(
        answer, plain, f"{answer['imported']} imported", confirms=True, code=0 if answer["complete"] else FAILED
    )


def export_graph(
    session: Session, path: Annotated[Path, typer.Option("--path", help="File to write: .graphml, else JSON.")]
) -> Shown:
    """Write all links into a file."""
    links = []
    with session.progress("exporting") as more:
        for link in session.client.links():
            links.append(link)
            more(1)
    text = io.StringIO()
    (graphfiles.write_graphml if graphfiles.is_graphml(path) else graphfiles.write_json)(text, links)
    with _written(path) as file:
        file.write(text.getvalue().encode())
    return _counted(session, path, "exported", len(links))


def import_graph(
    session: Session,
    path: Annotated[Path, typer.Option("--path", help="What export-graph wrote; the memories must be there.")],
) -> Shown:
    """Put the links of a file; those that are there get its weights."""
    links = graphfiles.read(path, read_text(path, "--path"))
    put = 0
    with session.progress("linking", len(links)) as more:
        for batch in batches(links):
            try:
                put += session.client.link_many(batch)["linked"]
            except SomaError:
                session.note(f"{put} of {len(links)} links are put; putting them again does no harm")
                raise
            more(len(batch))
    return Shown({"imported": put}, one_line({"imported": put}), f"{put} imported", confirms=True)


def _note_lines(session: Session, answer: Answer) -> None:
    """Which lines were not taken, the first ones by number."""
    for wrong in answer["errors"]:
        session.note(f"line {wrong['line']}: {wrong['detail']}")
    if (more := answer["failed"] - len(answer["errors"])) > 0:
        session.note(f"and {more} more")


def _counted(session: Session, path: Path, word: str, count: int) -> Shown:
    """How many were written; beside the data when that went to stdout."""
    if str(path) == "-":
        session.note(f"{count} {word}")
        return Shown(None, "", "", confirms=True, silent=True)
    return Shown({word: count}, one_line({word: count}), f"{count} {word}", confirms=True)


@contextmanager
def _written(path: Path) -> Iterator[IO[bytes]]:
    """A file for its owner's eyes that takes its place when it is whole; stdout for `-`. Raises InvalidRequest."""
    if str(path) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        file = tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False)  # noqa: SIM115
    except OSError as error:
        raise InvalidRequest(f"--path: {path} cannot be written ({error}); choose another place") from None
    try:
        with file:
            yield file
        Path(file.name).replace(path)
    except BaseException:
        Path(file.name).unlink(missing_ok=True)
        raise


def _told_by(end: bytes) -> int:
    """How many memories the last line counts. Raises SomaError when there is none, that is, when lines are missing."""
    try:
        last = json.loads(end.splitlines()[-1])
        if last["kind"] == "end":
            return int(last["memories"])
    except (ValueError, LookupError, TypeError):
        pass
    raise SomaError("the export was cut off")


def _parts(path: Path, more: Callable[[float], None]) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(_CHUNK):
            yield part
            more(len(part))


def _begins(file: Path) -> bytes:
    """The first character that is no blank; an array for stdin, which cannot be read twice."""
    if str(file) == "-":
        return b"["
    _size(file, "--file")
    with file.open("rb") as opened:
        return opened.read(_CHUNK).lstrip()[:1]


def _size(path: Path, option: str = "--path") -> int:
    try:
        with path.open("rb"):
            return path.stat().st_size
    except OSError as error:
        raise InvalidRequest(f"{option}: {path} cannot be read ({error}); correct the path") from None
