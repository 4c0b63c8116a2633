"""One collection: a folder with its description and the engine's shard.

    FOLDER/collection.json    what was asked for, the payload indexes, and which shard folder is current
    FOLDER/shard-1/           the engine's files

An update returns after the engine has appended it to its log on disk, so it outlives the process, however that ends;
`flush` additionally forces everything to the disk itself, which matters when the machine loses power.
"""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Iterable
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


class Collection:
    """Owns the shard: every read and write of it goes through here."""

    def __init__(self, folder: Path, description: Json, shard: Any) -> None:
        self.folder = folder
        self._description = description
        self._shard = shard
        self._writes = asyncio.Lock()  # held for long only while a snapshot is copied; reads go on
        self._operations = itertools.count(1)
        self._dirty = False

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
        return cls(folder, description, engine.EdgeShard.load(str(folder / description["shard"])))

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

    def close(self) -> None:
        """Flush and let go of the files."""
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
