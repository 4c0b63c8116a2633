"""A namespace out as lines, in bounded memory."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from somafractalmemory.model import Coordinate, Memory, searchable_text
from somafractalmemory.model.graph import LinkMark, PlacedLink
from somafractalmemory.model.transfer import Counted, End, Manifest, line_of, link_line, memory_line
from somafractalmemory.ports import Embedder, Records

_MOST_AT_ONCE = 200
_LINKS_AT_ONCE = 1000
_SMALL_PORTION = 1024 * 1024
_LARGE_PORTION = 4 * 1024 * 1024


class _Portion:
    """How many memories are read at once: few while they are large."""

    def __init__(self) -> None:
        self.limit = 10

    def heed(self, size: int) -> None:
        """Adapt to the bytes of the last portion."""
        if size > _LARGE_PORTION:
            self.limit = max(self.limit // 4, 1)
        elif size < _SMALL_PORTION:
            self.limit = min(self.limit * 2, _MOST_AT_ONCE)


class Exporting:
    """Exports are no snapshot: what is written meanwhile may or may not be in them, but each memory is whole."""

    def __init__(self, *, records: Records, embedder: Embedder, clock: Callable[[], float]) -> None:
        self._records = records
        self._embedder = embedder
        self._clock = clock

    async def lines(self, *, namespace: str, vectors: bool = False) -> AsyncIterator[bytes]:
        """Every line of the namespace, some at a time. Raises Unavailable, before the first lines or in between.

        Args:
            namespace: whose memories and links.
            vectors: give each memory the dense vector of its text, for other tools; an import computes its own.
        """
        counts = await self._records.count(namespace)
        manifest = Manifest(
            namespace=namespace,
            counts=Counted(memories=counts.episodic + counts.semantic),
            embedder=self._embedder.revision,
            vectors=vectors,
            exported_at=self._clock(),
        )
        yield line_of(manifest)
        end, portion = End(memories=0, links=0), _Portion()
        async for memories in self._pages(namespace, portion):
            lines = await self._memory_lines(memories, end, vectors=vectors)
            portion.heed(len(lines))
            yield lines
        async for links in self._links(namespace):
            end.links += len(links)
            yield b"".join(map(link_line, links))
        yield line_of(end)

    async def _pages(self, namespace: str, portion: _Portion) -> AsyncIterator[Sequence[Memory]]:
        after: Coordinate | None = None
        while page := await self._records.lookups.page(
            namespace=namespace, memory_type=None, after=after, limit=portion.limit
        ):
            yield page
            after = page[-1].coordinate

    async def _memory_lines(self, memories: Sequence[Memory], end: End, *, vectors: bool) -> bytes:
        histories = await self._records.transfers.histories([memory.id for memory in memories])
        dense = await self._vectors(memories) if vectors else [None] * len(memories)
        lines = []
        for memory, vector in zip(memories, dense, strict=True):
            older = histories.get(memory.id, ())
            line, kept = memory_line(memory, older, vector)
            lines.append(line)
            end.memories += 1
            end.versions += kept
            end.versions_left_out += sum(version.version < memory.version for version in older) - kept
        return b"".join(lines)

    async def _vectors(self, memories: Sequence[Memory]) -> list[list[float] | None]:
        found: Sequence[Any] = await self._embedder.documents([searchable_text(each.payload) for each in memories])
        return [None if each.dense is None else [float(number) for number in each.dense] for each in found]

    async def _links(self, namespace: str) -> AsyncIterator[Sequence[PlacedLink]]:
        after: LinkMark | None = None
        while links := await self._records.links.page(
            namespace=namespace, link_type=None, after=after, limit=_LINKS_AT_ONCE
        ):
            yield links
            after = links[-1].source, links[-1].type, links[-1].target
