"""Snapshots: a packed tar file of a collection's folder, complete and consistent.

Packed, because the engine sets its files up with room to grow: mostly zeros.
"""

import asyncio
import hashlib
import shutil
import tarfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from .catalogue import Catalogue
from .errors import BadRequest, NotFound
from .filters import Json

_CHUNK_BYTES = 1 << 20


class Snapshots:
    """Makes, lists, sends, deletes and restores them; blocking work on files is done on a thread."""

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        self._folder = folder
        self._catalogue = catalogue

    async def create(self, name: str, *, now: datetime) -> Json:
        """A snapshot of the collection; its writers wait while the files are copied, readers do not."""
        folder = self._folder / name
        snapshot = folder / f"{name}-{now.astimezone(UTC):%Y-%m-%d-%H-%M-%S-%f}.snapshot"
        async with self._catalogue[name].frozen() as source:
            await asyncio.to_thread(_pack, source, snapshot)
        return await asyncio.to_thread(_describe, snapshot)

    async def list(self, name: str) -> list[Json]:
        """The snapshots of a collection, oldest first."""
        self._catalogue[name]  # a collection that does not exist is an error, not an empty list
        return [await asyncio.to_thread(_describe, path) for path in sorted((self._folder / name).glob("*.snapshot"))]

    def path(self, name: str, snapshot: str) -> Path:
        """The file; raises NotFound. Only a plain name inside the folder is looked at."""
        found = self._folder / name / snapshot
        if Path(snapshot).name != snapshot or Path(name).name != name or not found.is_file():
            raise NotFound(f"Not found: Snapshot {snapshot} not found")
        return found

    def located(self, location: str) -> Path:
        """The file that a `file://` location names; raises BadRequest for one outside of the snapshots' folder."""
        path = Path(location.removeprefix("file://")).resolve()
        if not path.is_relative_to(self._folder.resolve()) or not path.is_file():
            raise BadRequest(f"Wrong input: qdrant-edge restores files below {self._folder} only, not {location}")
        return path

    async def chunks(self, path: Path) -> AsyncIterator[bytes]:
        """The bytes of a file, without ever holding it whole."""
        with path.open("rb") as file:
            while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
                yield chunk

    async def restore(self, name: str, archive: Path) -> None:
        """Put the snapshot in place of the collection; raises BadRequest for a file that is none."""
        prepared = self._catalogue.unfinished_folder()
        try:
            await asyncio.to_thread(_unpack, archive, prepared)
            await self._catalogue.adopt(name, prepared)
        finally:
            await asyncio.to_thread(shutil.rmtree, prepared, ignore_errors=True)


def _pack(source: Path, snapshot: Path) -> None:
    snapshot.parent.mkdir(parents=True, exist_ok=True)
    unfinished = snapshot.with_suffix(".unfinished")
    with tarfile.open(unfinished, "w:gz", compresslevel=1) as archive:
        archive.add(source, arcname=".")
    unfinished.rename(snapshot)


def _unpack(archive: Path, target: Path) -> None:
    try:
        with tarfile.open(archive) as opened:
            opened.extractall(target, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise BadRequest(f"Wrong input: not a snapshot of qdrant-edge: {error}") from error
    if not (target / "collection.json").is_file():
        raise BadRequest("Wrong input: not a snapshot of qdrant-edge: it has no collection.json")


def _describe(snapshot: Path) -> Json:
    facts = snapshot.stat()
    with snapshot.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    created = datetime.fromtimestamp(facts.st_mtime, UTC)
    return {
        "name": snapshot.name,
        "creation_time": created.strftime("%Y-%m-%dT%H:%M:%S"),
        "size": facts.st_size,
        "checksum": checksum,
    }
