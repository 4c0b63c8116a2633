"""Where things live: everything built is cached outside of the checkout, under names that tell the content."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

KIND = Path(__file__).resolve().parent.parent
NODE_STATE = Path("/var/lib/somamemory-node")
"""The node's data. One node per machine, because its addresses are fixed; hence one fixed folder."""


def cache(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of everything that can be built again: $SOMAMEMORY_CACHE, else below the user's cache."""
    if own := environ.get("SOMAMEMORY_CACHE"):
        return Path(own)
    base = environ.get("XDG_CACHE_HOME") or str(Path(environ.get("HOME") or Path.home()) / ".cache")
    return Path(base) / "somamemory"


def content_key(*parts: str | bytes | Path) -> str:
    """Return ten hex digits that stand for the content of all `parts`; a path stands for its file's bytes."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:10]
