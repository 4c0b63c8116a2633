"""One collection: a folder with its description and the engine's shard.

    FOLDER/collection.json    what was asked for, the payload indexes, and which shard folder is current
    FOLDER/shard-1/           the engine's files

An update returns after the engine has appended it to its log on disk, so it outlives the process, however that ends;
`flush` additionally forces everything to the disk itself, which matters when the machine loses power.
"""

import asyncio
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import qdrant_edge as engine

from .errors import NotFound
from .filters import Json
from .indexes import create_index
from .points import vector_in
from .schema import collection_info, edge_config

_LONGEST_JOURNAL = 20_000
"""Writes during one rebuild; repeating more of them would make every request wait for too long."""


class Collection:
    """Owns the shard: every read and write of it goes through here."""

    def __init__(self, folder: Path, description: Json, shard: Any) -> None:
        self.folder = folder
        self._description = description
        self._shard = shard
        self._writes = asyncio.Lock()  # held for long only while a snapshot is copied; reads go on
        self._operations = itertools.count(1)
        self._dirty = False
        self._closed = False
        self._journal: list[Any] | None = None  # what is written while a rebuilt copy is being prepared

    @classmethod
    def create(cls, folder: Path, body: Json) -> "Collection":
        """A new collection in an empty `folder`; raises what the engine says about an impossible configuration."""
        config = edge_config(body)
        description = {"params": body, "indexes": {}, "shard": "shard-1"}
        (folder / "shard-1").mkdir(parents=True)
        shard = engine.EdgeShard.create(str(folder / "shard-1"), config)
        shard.flush()
        _write_description(folder, description)
        return cls(folder, description, shard)

    @classmethod
    def open(cls, folder: Path) -> "Collection":
        """The collection in `folder`, with every update that was acknowledged."""
        description = orjson.loads((folder / "collection.json").read_bytes())
        collection = cls(folder, description, engine.EdgeShard.load(str(folder / description["shard"])))
        collection._sweep()
        return collection

    @property
    def reader(self) -> Any:
        """The engine's shard, for reads."""
        return self._shard

    async def apply(self, operations: Iterable[Any]) -> int:
        """Apply in order; returns the number of the last operation."""
        number = 0
        async with self._writes:
            for operation in operations:
                self._dirty = True
                self._shard.update(operation)
                number = next(self._operations)
                if self._journal is not None:
                    self._journal.append(operation)
        return number

    async def create_index(self, field: str, schema: Any) -> int:
        """Index a payload field; doing it again changes nothing."""
        number = await self.apply([create_index(field, schema)])
        self._save(indexes={**self._description["indexes"], field: schema})
        return number

    async def delete_index(self, field: str) -> int:
        """Drop the index of a payload field."""
        number = await self.apply([engine.UpdateOperation.delete_field_index(field)])
        self._save(indexes={name: kept for name, kept in self._description["indexes"].items() if name != field})
        return number

    def set_metadata(self, metadata: Json) -> None:
        """Keep the caller's own notes with the collection."""
        self._save(params={**self._description["params"], "metadata": metadata})

    def _save(self, **changes: Any) -> None:
        changed = self._description | changes
        _write_description(self.folder, changed)
        self._description = changed

    def info(self) -> Json:
        """What GET /collections/NAME answers."""
        return collection_info(self._description["params"], self._description["indexes"], self._shard.info())

    def vector_of(self, point_id: Any, using: str) -> Any:
        """The stored vector of a point, ready for a query; raises NotFound without one."""
        found = self._shard.retrieve([point_id], with_payload=False, with_vector=True)
        vector = found[0].vector if found else None
        if isinstance(vector, dict):
            vector = vector.get(using)
        if vector is None:
            raise NotFound(f"Not found: No point with id {point_id} and vector `{using}` found")
        return vector_in(vector) if isinstance(vector, list) else vector

    def flush(self) -> None:
        """Force what was written to the disk; cheap when nothing was."""
        if self._dirty:
            self._dirty = False
            self._shard.flush()

    @asynccontextmanager
    async def frozen(self) -> AsyncIterator[Path]:
        """The folder with complete files that no write touches until the block ends."""
        async with self._writes:
            self._shard.flush()
            yield self.folder

    @property
    def points(self) -> int:
        """How many there are."""
        return int(self._shard.info().points_count)

    @property
    def points_at_last_build(self) -> int:
        """How many there were when the graphs were last built."""
        return int(self._description.get("points_at_last_build", 0))

    async def reindex(self, optimised: Callable[[Path], Awaitable[None]]) -> bool:
        """Have a copy of the shard optimised, bring it up to date, and take its place; reads and writes go on.

        The description names the current shard, and is replaced at once: a crash leaves the old one or the new one,
        each complete. Returns False if too much was written meanwhile, or the collection went away.
        """
        copy = self.folder / f"shard-{int(self._description['shard'].rpartition('-')[2]) + 1}"
        try:
            async with self.frozen():
                points = self.points
                await asyncio.to_thread(shutil.copytree, self.folder / self._description["shard"], copy)
                self._journal = []
            await optimised(copy)
            async with self._writes:
                return self._take_over(copy, self._journal, points)
        finally:
            self._journal = None
            if not self._closed:  # else the folder's name may be somebody else's by now
                await asyncio.to_thread(self._sweep)

    def _sweep(self) -> None:
        """Delete shard folders that are not current: replaced ones, and copies that a crash left behind."""
        for other in set(self.folder.glob("shard-*")) - {self.folder / self._description["shard"]}:
            shutil.rmtree(other, ignore_errors=True)

    def _take_over(self, copy: Path, journal: list[Any], points: int) -> bool:
        if len(journal) > _LONGEST_JOURNAL or self._closed:
            return False
        shard = engine.EdgeShard.load(str(copy))
        for operation in journal:
            shard.update(operation)
        shard.flush()
        self._save(shard=copy.name, points_at_last_build=points)
        self._shard, old = shard, self._shard
        old.close()
        return True

    def close(self) -> None:
        """Flush and let go of the files."""
        self._closed = True
        self._shard.flush()
        self._shard.close()


def _write_description(folder: Path, description: Json) -> None:
    """Replace the file at once: a reader, or a restart, sees the old or the new one."""
    temporary = folder / "collection.json.new"
    with temporary.open("wb") as file:
        file.write(orjson.dumps(description))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / "collection.json")
