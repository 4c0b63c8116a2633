"""The truth and the index side by side: what differs, and mending it. Both may be written meanwhile."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog

from somafractalmemory.indexing.points import Indexer
from somafractalmemory.ports import Records, Vectors
from somafractalmemory.ports.states import State

log = structlog.get_logger(__name__)

_PAGE = 500
_CONFIRMATIONS = 4
_EXAMPLES = 20


class Difference(StrEnum):
    """How an entry of the index can be wrong."""

    MISSING = "missing"  # a living memory that the index does not have
    STALE = "stale"  # another version than the truth's, or alive there and deleted here
    ORPHANED = "orphaned"  # found by the index, unknown to the truth


@dataclass(slots=True)
class Report:
    """What a run saw; `mended` counts the entries that were written or removed."""

    memories: int = 0
    entries: int = 0
    missing: int = 0
    stale: int = 0
    orphaned: int = 0
    mended: int = 0
    resumed: bool = False
    examples: list[dict[str, str]] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether nothing differed."""
        return not (self.missing or self.stale or self.orphaned)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {"equal": self.equal, **asdict(self)}


@dataclass(frozen=True, slots=True)
class _Page:
    """The same stretch of identifiers in both stores."""

    truth: Mapping[UUID, State]
    index: Mapping[UUID, State]
    last: UUID | None


class Reconciler:
    """Walks both stores in the order of their identifiers, page by page."""

    def __init__(
        self, *, records: Records, vectors: Vectors, indexer: Indexer, page: int = _PAGE, settle_seconds: float = 0.3
    ) -> None:
        self._records = records
        self._vectors = vectors
        self._indexer = indexer
        self._page = page
        self._settle_seconds = settle_seconds

    async def check(self, namespace: str | None, progress: Callable[[Report], None] = lambda _: None) -> Report:
        """Compare only. What writers have under way is looked at again before it counts as different."""
        report = Report()
        async for page in self._pages(None, namespace):
            await self._judged(page, report)
            progress(report)
        return report

    async def mend(
        self, namespace: str | None, progress: Callable[[Report], None] = lambda _: None, *, rewrite: bool = False
    ) -> Report:
        """Make the index equal to the truth, and go on where an interrupted run stopped.

        With `rewrite` every memory is written again, whatever version the index says it has.
        """
        task = f"reconcile:{namespace or '*'}{':rewrite' if rewrite else ''}"
        report, after = await self._begun(task)
        async for page in self._pages(after, namespace):
            wrong = await self._judged(page, report)
            await self._mend(list(page.truth.keys() | page.index.keys()) if rewrite else list(wrong), report)
            if page.last is not None:
                await self._keep(task, report, page.last)
            progress(report)
        if namespace is None:
            await self._vectors.mark_complete()
        await self._records.states.keep_progress(task, None)
        return report

    async def _begun(self, task: str) -> tuple[Report, UUID | None]:
        complete = await self._vectors.is_complete()  # also remembers which index `mark_complete` is about
        kept = await self._records.states.progress(task)
        if not kept or kept["birth"] != await self._vectors.states.birth():
            return Report(), None
        log.info("reconcile_resumed", task=task, after=kept["after"], complete=complete)
        return Report(**{**kept["report"], "resumed": True}), UUID(kept["after"])

    async def _keep(self, task: str, report: Report, after: UUID) -> None:
        birth = await self._vectors.states.birth()
        await self._records.states.keep_progress(task, {"birth": birth, "after": str(after), "report": asdict(report)})

    async def _pages(self, after: UUID | None, namespace: str | None) -> AsyncIterator[_Page]:
        while True:
            truth = await self._records.states.scan(after, self._page, namespace=namespace)
            last = truth[-1].id if len(truth) == self._page else None
            index = await self._index_up_to(after, last, namespace)
            yield _Page({state.id: state for state in truth}, {state.id: state for state in index}, last)
            if last is None:
                return
            after = last

    async def _index_up_to(self, after: UUID | None, last: UUID | None, namespace: str | None) -> list[State]:
        found: list[State] = []
        while True:
            page = await self._vectors.states.scan(after, self._page, namespace=namespace)
            found += [state for state in page if last is None or state.id <= last]
            if len(page) < self._page or (last is not None and page[-1].id >= last):
                return found
            after = page[-1].id

    async def _judged(self, page: _Page, report: Report) -> Mapping[UUID, Difference]:
        """What differs for good on this page; the report counts it."""
        wrong = differences(page.truth, page.index)
        for attempt in range(_CONFIRMATIONS):
            if not wrong:
                break
            await asyncio.sleep(self._settle_seconds * (attempt + random.random()))  # noqa: S311  # jitter
            truth, index = await self._now(list(wrong))
            wrong = differences(truth, index)
        report.memories += sum(not state.deleted for state in page.truth.values())
        report.entries += sum(not state.deleted for state in page.index.values())
        for place, difference in wrong.items():
            setattr(report, difference.value, getattr(report, difference.value) + 1)
            if len(report.examples) < _EXAMPLES:
                report.examples.append({"id": str(place), "difference": difference.value})
        return wrong

    async def _now(self, ids: Sequence[UUID]) -> tuple[dict[UUID, State], dict[UUID, State]]:
        """The index first: whatever it has was committed before, so the truth has it too."""
        index = {state.id: state for state in await self._vectors.states.look(ids)}
        truth = {state.id: state for state in await self._records.states.look(ids)}
        return truth, index

    async def _mend(self, ids: Sequence[UUID], report: Report) -> None:
        """Remove what stands in the way of the truth's version, then write that."""
        for at in range(0, len(ids), self._page):
            some = ids[at : at + self._page]
            truth, index = await self._now(some)
            in_the_way = [
                state for state in index.values() if state.id not in truth or state.version >= truth[state.id].version
            ]
            await self._vectors.states.drop(in_the_way)
            await self._indexer.refresh_what_fits(some)
            report.mended += len(some)


def differences(truth: Mapping[UUID, State], index: Mapping[UUID, State]) -> dict[UUID, Difference]:
    """What is wrong with the index. A tombstone that the index lacks, or has of an older version, is no difference."""
    wrong: dict[UUID, Difference] = {}
    for place in truth.keys() | index.keys():
        said, found = truth.get(place), index.get(place)
        if said is None:
            if found is not None and not found.deleted:
                wrong[place] = Difference.ORPHANED
        elif said.deleted:
            if found is not None and not found.deleted:
                wrong[place] = Difference.STALE
        elif found is None:
            wrong[place] = Difference.MISSING
        elif found.deleted or found.version != said.version:
            wrong[place] = Difference.STALE
    return wrong
