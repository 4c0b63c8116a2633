"""All collections of this server, and their folders."""

import asyncio
import re
import shutil
import uuid
from pathlib import Path

from .collection import Collection
from .errors import BadRequest, Conflict, NotFound
from .filters import Json

_NAME = re.compile(r"[^<>:\"/\\|?*\0.][^<>:\"/\\|?*\0]{0,254}")
_UNFINISHED = ".unfinished-"  # folders being made or removed; swept at the next start


class Catalogue:
    """Opens every collection at the start, and is asked for one by name on each request."""

    def __init__(self, folder: Path) -> None:
        """Open what is in `folder`; raises RuntimeError naming the collection that cannot be opened."""
        self._folder = folder
        self._open: dict[str, Collection] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for found in sorted(folder.iterdir()):
            if found.name.startswith(_UNFINISHED):
                shutil.rmtree(found)
            elif (found / "collection.json").exists():
                self._open[found.name] = _opened(found)

    def __getitem__(self, name: str) -> Collection:
        try:
            return self._open[name]
        except KeyError:
            raise NotFound(f"Not found: Collection `{name}` doesn't exist!") from None

    def __contains__(self, name: object) -> bool:
        return name in self._open

    def items(self) -> list[tuple[str, Collection]]:
        """Names and collections, as of now."""
        return list(self._open.items())

    def create(self, name: str, body: Json) -> None:
        """Make a collection; a crash in between leaves none. Raises Conflict for one that exists."""
        if not _NAME.fullmatch(name):
            raise BadRequest(f"Validation error: {name!r} cannot be the name of a collection")
        if name in self._open:
            raise Conflict(f"Wrong input: Collection `{name}` already exists!")
        unfinished = self._folder / f"{_UNFINISHED}{uuid.uuid4().hex}"
        try:
            Collection.create(unfinished, body).close()
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        unfinished.rename(self._folder / name)
        self._open[name] = Collection.open(self._folder / name)

    async def adopt(self, name: str, prepared: Path) -> None:
        """Put a folder with a complete collection in the place of `name`, which may exist.

        Raises BadRequest for a folder that cannot be opened; what was there stays.
        """
        if not _NAME.fullmatch(name):
            raise BadRequest(f"Validation error: {name!r} cannot be the name of a collection")
        try:
            Collection.open(prepared).close()
        except Exception as error:
            raise BadRequest(f"Wrong input: the snapshot cannot be opened: {error}") from error
        doomed = self._replace(name, prepared)
        if doomed is not None:
            await asyncio.to_thread(shutil.rmtree, doomed)

    def _replace(self, name: str, prepared: Path) -> Path | None:
        doomed = self.remove(name)
        prepared.rename(self._folder / name)
        self._open[name] = _opened(self._folder / name)
        return doomed

    def unfinished_folder(self) -> Path:
        """A new folder's path that a crash leaves to be swept."""
        return self._folder / f"{_UNFINISHED}{uuid.uuid4().hex}"

    def remove(self, name: str) -> Path | None:
        """Forget a collection; returns the folder that is left to delete, or None if there was none."""
        collection = self._open.pop(name, None)
        if collection is None:
            return None
        collection.close()
        doomed = self.unfinished_folder()
        collection.folder.rename(doomed)
        return doomed

    async def delete(self, name: str) -> bool:
        """Delete a collection and its files; False if there was none."""
        doomed = self.remove(name)
        if doomed is not None:
            await asyncio.to_thread(shutil.rmtree, doomed)
        return doomed is not None

    def close(self) -> None:
        """Flush and close all."""
        while self._open:
            self._open.popitem()[1].close()


def _opened(folder: Path) -> Collection:
    try:
        return Collection.open(folder)
    except Exception as error:
        raise RuntimeError(
            f"collection {folder.name} cannot be opened: {error}. Restore {folder} from a snapshot, or delete it: "
            "SomaMemory rebuilds its vectors from Postgres."
        ) from error
