"""Lines back in: checked one by one, committed batch by batch, and the same lines again change nothing."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from somafractalmemory.errors import InvalidRequest, Rejected, Unavailable
from somafractalmemory.indexing.freshening import Fresh, FreshIndex
from somafractalmemory.model.graph import PlacedLink
from somafractalmemory.model.restoring import Fate, Restored
from somafractalmemory.model.transfer import End, Manifest, Record, parse
from somafractalmemory.ports import Import, Records
from somafractalmemory.ports.care import Deed

BATCH = 500
BATCH_BYTES = 8 * 1024 * 1024
_TOLD_ERRORS = 20
Line = bytes | InvalidRequest
"""A line without its end, or why it could not be read."""


@dataclass(slots=True)
class ImportReport:
    """What an import did. It is `complete` when the file's last line came and every line before it was taken."""

    created: int = 0
    replaced: int = 0
    unchanged: int = 0
    versions: int = 0
    links: int = 0
    removed: int = 0
    failed: int = 0
    complete: bool = False
    indexed: bool = True
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def imported(self) -> int:
        """Memories of the file that are there now."""
        return self.created + self.replaced + self.unchanged

    def refuse(self, line: int, reason: str) -> None:
        """Count a bad line; the first ones are told."""
        self.failed += 1
        if len(self.errors) < _TOLD_ERRORS:
            self.errors.append({"line": line, "detail": reason})


class Importing:
    """Puts exports back, into any namespace."""

    def __init__(
        self,
        *,
        records: Records,
        index: FreshIndex,
        clock: Callable[[], float],
        written: Callable[[], None],
        noted: Callable[[Deed], Awaitable[None]],
    ) -> None:
        self._noted = noted
        self._records = records
        self._index = index
        self._clock = clock
        self._written = written

    async def take(self, lines: AsyncIterator[Line], *, namespace: str, replace: bool = False) -> ImportReport:
        """Put every line back.

        Args:
            lines: those of a file, in its order.
            namespace: where they go, wherever they came from.
            replace: remove, at the end of a complete file, all that was there before and that it did not bring.

        Raises:
            InvalidRequest: the first line is a manifest that is not ours to read; nothing was done.
            Unavailable: a store went away; what was done stays, and the same file can be sent again.
        """
        under = await self._records.transfers.begin() if replace else None
        taking = _Taking(self._records, self._index, namespace, under)
        number = 0
        try:
            async for line in lines:
                number += 1
                await taking.take(number, line, self._clock())
                if taking.committed:
                    self._written()
            report = await taking.finish()
        except Unavailable as error:
            done = f"{taking.report.imported} memories and {taking.report.links} links are imported"
            raise Unavailable(error.component, f"{error}; {done}, send the same file again") from error
        finally:
            self._written()
        await self._noted(Deed("import", namespace, details=_summary(report, replace=replace)))
        return report


def _summary(report: ImportReport, *, replace: bool) -> dict[str, Any]:
    """What the audit keeps of an import."""
    counts = {"imported": report.imported, "removed": report.removed, "failed": report.failed}
    return {**counts, "replace": replace, "complete": report.complete}


class _Taking:
    """One import under way."""

    def __init__(self, records: Records, index: FreshIndex, namespace: str, under: Import | None) -> None:
        self._records = records
        self._index = index
        self._namespace = namespace
        self._under = under
        self._memories: dict[UUID, tuple[int, Restored]] = {}
        self._links: dict[tuple[object, ...], tuple[int, PlacedLink]] = {}
        self._bytes = 0
        self._seen: Counter[type] = Counter()
        self._end: End | None = None
        self.committed = False
        self.report = ImportReport()

    async def take(self, number: int, line: Line, now: float) -> None:
        """One line; a bad one is counted."""
        self.committed = False
        if isinstance(line, bytes) and not line.strip():
            return
        try:
            record = self._parsed(number, line, now)
        except InvalidRequest as error:
            if number == 1 and isinstance(line, bytes) and b'"manifest"' in line:
                raise
            self.report.refuse(number, str(error))
            return
        self._seen[type(record)] += 1
        await self._keep(number, record, len(line) if isinstance(line, bytes) else 0)

    def _parsed(self, number: int, line: Line, now: float) -> Record:
        if isinstance(line, InvalidRequest):
            raise line
        record = parse(line, namespace=self._namespace, now=now)
        if self._end is not None:
            raise InvalidRequest("nothing comes after the end")
        if isinstance(record, Manifest) and number > 1:
            raise InvalidRequest("a manifest is the first line, and there is one only")
        return record

    async def _keep(self, number: int, record: Record, size: int) -> None:
        if isinstance(record, End):
            self._end = record
        if isinstance(record, Restored):
            if record.memory.id in self._memories:
                await self._flush()
            self._memories[record.memory.id] = number, record
        if isinstance(record, PlacedLink):
            key = record.source, record.type, record.target
            if self._memories or key in self._links:
                await self._flush()
            self._links[key] = number, record
        self._bytes += size
        if len(self._memories) >= BATCH or len(self._links) >= BATCH or self._bytes >= BATCH_BYTES:
            await self._flush()

    async def finish(self) -> ImportReport:
        """The last batch; and what is to be removed, if nothing is missing. Raises InvalidRequest without any line."""
        if not self._seen and not self.report.failed:
            raise InvalidRequest("the body holds no line: send the lines of an export", loc=("body",))
        await self._flush()
        self.report.complete = self._is_complete()
        if self._under is not None and self.report.complete:
            await self._remove_rest(self._under)
        self.report.errors.sort(key=lambda told: told["line"])
        return self.report

    def _is_complete(self) -> bool:
        """The original program's files have no last line; an empty one is not believed either."""
        if self.report.failed:
            return False
        if self._end is None:
            return not self._seen[Manifest] and self._seen[Restored] > 0
        return (self._end.memories, self._end.links) == (self._seen[Restored], self._seen[PlacedLink])

    async def _flush(self) -> None:
        memories, links = list(self._memories.values()), list(self._links.values())
        self._memories, self._links, self._bytes = {}, {}, 0
        if memories:
            await self._restore(memories)
        if links:
            await self._restore_links(links)
        self.committed = True

    async def _restore(self, batch: Sequence[tuple[int, Restored]]) -> None:
        """Commit and index; one memory that the store refuses does not keep the others out."""
        items = [item for _, item in batch]
        try:
            placed = await self._records.transfers.restore(items, under=self._under)
        except Rejected as error:
            if len(batch) == 1:
                self.report.refuse(batch[0][0], str(error))
                return
            middle = len(batch) // 2
            await self._restore(batch[:middle])
            await self._restore(batch[middle:])
            return
        pairs = list(zip(items, placed, strict=True))
        fates = Counter(place.fate for place in placed)
        self.report.created += fates[Fate.CREATED]
        self.report.replaced += fates[Fate.REPLACED]
        self.report.unchanged += fates[Fate.UNCHANGED]
        self.report.versions += sum(len(item.versions) for item in items)
        fresh = [Fresh(item.memory, place.version) for item, place in pairs if place.fate is not Fate.UNCHANGED]
        self.report.indexed &= await self._index.put_many(fresh)

    async def _restore_links(self, batch: Sequence[tuple[int, PlacedLink]]) -> None:
        """Commit; a link without both ends is a bad line."""
        links = [link for _, link in batch]
        lost = set(await self._records.transfers.restore_links(self._namespace, links, under=self._under))
        self.report.links += len(batch) - len(lost)
        for number, link in batch:
            if link in lost:
                self.report.refuse(number, "no memory lives at one end of this link")

    async def _remove_rest(self, under: Import) -> None:
        while ids := await self._records.transfers.foreign_to(self._namespace, under, BATCH):
            deleted = await self._records.delete(ids)
            self.report.removed += len(deleted)
            self.report.indexed &= await self._index.drop(self._namespace, deleted)
        await self._records.transfers.finish(self._namespace, under)
