"""Storing a stream of memories of any length: batch by batch, each committed by itself, bad ones told by their line."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from somafractalmemory.errors import InvalidRequest, Rejected, Unavailable
from somafractalmemory.model import Coordinate, MemoryType, Payload

BATCH = 500
BATCH_BYTES = 8 * 1024 * 1024
_TOLD_ERRORS = 20
Item = tuple[Coordinate, Payload, MemoryType]
Store = Callable[[Sequence[Item]], Awaitable[bool]]
"""Commits all or none, and says whether recall finds them already."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """One line of the stream: an item, or why it is none."""

    line: int
    size: int
    item: Item | InvalidRequest


@dataclass(slots=True)
class BulkReport:
    """How many lines were committed, how many were refused, and why the first of those were."""

    stored: int = 0
    failed: int = 0
    indexed: bool = True
    errors: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, line: int, reason: str) -> None:
        """Count a bad line; the first ones are told."""
        self.failed += 1
        if len(self.errors) < _TOLD_ERRORS:
            self.errors.append({"line": line, "detail": reason})


async def store_stream(stream: AsyncIterator[Numbered], store: Store) -> BulkReport:
    """Store every good item. Raises Unavailable, which says how many lines are committed."""
    report, batch, size = BulkReport(), list[tuple[int, Item]](), 0
    try:
        async for numbered in stream:
            if isinstance(numbered.item, InvalidRequest):
                report.refuse(numbered.line, str(numbered.item))
                continue
            batch.append((numbered.line, numbered.item))
            size += numbered.size
            if len(batch) >= BATCH or size >= BATCH_BYTES:
                await _store(batch, store, report)
                batch, size = [], 0
        if batch:
            await _store(batch, store, report)
    except Unavailable as error:
        done = f"{report.stored} memories are stored, send the others again"
        raise Unavailable(error.component, f"{error}; {done}") from error
    report.errors.sort(key=lambda told: told["line"])
    return report


async def _store(batch: Sequence[tuple[int, Item]], store: Store, report: BulkReport) -> None:
    """One that only the store refuses does not keep the others out."""
    try:
        report.indexed &= await store([item for _, item in batch])
    except (Rejected, InvalidRequest) as error:
        if len(batch) == 1:
            report.refuse(batch[0][0], str(error).removeprefix("item 0: "))
            return
        middle = len(batch) // 2
        await _store(batch[:middle], store, report)
        await _store(batch[middle:], store, report)
    else:
        report.stored += len(batch)
