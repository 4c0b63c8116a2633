"""The engine's folder: opened for one process, made when it is missing."""

import fcntl
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import qdrant_edge as engine

from somafractalmemory.adapters.qdrant_wire import MARKER_ID
from somafractalmemory.adapters.vector_file_wire import DENSE, SPARSE
from somafractalmemory.errors import ConfigurationError

MARKER = str(MARKER_ID)


def only_user_of(folder: Path) -> int:
    """An open file that is locked as long as it is open."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigurationError(f"QDRANT_PATH: {folder} cannot be written ({error.strerror}); correct it") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise ConfigurationError(
            f"QDRANT_PATH: another process uses {folder}; end it, name another folder, or use a Qdrant server"
        ) from None
    return lock


def opened(folder: Path, dimensions: int) -> Any:
    """The engine on its folder. Raises ConfigurationError when it cannot be read."""
    if folder.exists():
        try:
            return engine.EdgeShard.load(str(folder))
        except Exception as error:
            raise ConfigurationError(
                f"QDRANT_PATH: {folder} holds no index that can be read ({error}); delete it, it is filled again"
            ) from None
    folder.mkdir()
    config = engine.EdgeConfig(
        vectors={DENSE: engine.EdgeVectorParams(size=dimensions, distance=engine.Distance.Cosine)},
        sparse_vectors={SPARSE: engine.EdgeSparseVectorParams(modifier=engine.Modifier.Idf)},
    )
    shard = engine.EdgeShard.create(str(folder), config)
    shard.update(engine.UpdateOperation.create_field_index("namespace", engine.PayloadSchemaType.Keyword))
    for field in ("facets", "version", "deleted_at"):
        shard.update(engine.UpdateOperation.create_field_index(field, engine.PayloadSchemaType.Integer))
    marker = engine.Point(MARKER, {}, {"version": 1, "birth": str(uuid4())})
    shard.update(engine.UpdateOperation.upsert_points([marker]))
    return shard


def marker_of(shard: Any) -> dict[str, Any]:
    """What the index says of itself: its birth, and whether it was ever complete."""
    return dict(shard.retrieve([MARKER], with_payload=True, with_vector=False)[0].payload)


def closed(shard: Any) -> None:
    """Put everything on disk and let go."""
    shard.flush()
    shard.close()
