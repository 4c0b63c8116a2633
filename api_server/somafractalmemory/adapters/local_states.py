"""Entries of the truth and of the index in this process."""

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any
from uuid import UUID

from somafractalmemory.model import Memory, Point
from somafractalmemory.ports.states import State


class LocalTruthStates:
    """Implements the port TruthStates over the memories of `LocalRecords`."""

    def __init__(self, rows: Callable[[], Mapping[UUID, Memory]], *, check: Callable[[], None]) -> None:
        self._rows = rows
        self._check = check
        self._tasks: dict[str, Mapping[str, Any]] = {}

    async def scan(self, after: UUID | None, limit: int, *, namespace: str | None = None) -> Sequence[State]:
        self._check()
        return _page(self._states(), after, limit, namespace)

    async def look(self, ids: Sequence[UUID]) -> Sequence[State]:
        self._check()
        wanted = set(ids)
        return [state for state in self._states() if state.id in wanted]

    async def progress(self, task: str) -> Mapping[str, Any] | None:
        self._check()
        return self._tasks.get(task)

    async def keep_progress(self, task: str, progress: Mapping[str, Any] | None) -> None:
        self._check()
        self._tasks.pop(task, None)
        if progress is not None:
            self._tasks[task] = progress

    def _states(self) -> list[State]:
        return [State(row.id, row.namespace, row.version, row.deleted) for row in self._rows().values()]


class LocalIndexStates:
    """Implements the port IndexStates over the points of `LocalVectors`."""

    def __init__(
        self, points: MutableMapping[UUID, Point], *, check: Callable[[], None], birth: Callable[[], str]
    ) -> None:
        self._points = points
        self._check = check
        self._birth = birth

    async def birth(self) -> str:
        self._check()
        return self._birth()

    async def scan(self, after: UUID | None, limit: int, *, namespace: str | None = None) -> Sequence[State]:
        self._check()
        return _page(map(_of_point, self._points.values()), after, limit, namespace)

    async def look(self, ids: Sequence[UUID]) -> Sequence[State]:
        self._check()
        return [_of_point(self._points[place]) for place in ids if place in self._points]

    async def drop(self, seen: Sequence[State]) -> None:
        self._check()
        for state in seen:
            if state.id in self._points and self._points[state.id].version == state.version:
                del self._points[state.id]


def _of_point(point: Point) -> State:
    return State(point.id, point.namespace, point.version, deleted=point.deleted_at is not None)


def _page(states: Iterable[State], after: UUID | None, limit: int, namespace: str | None) -> list[State]:
    behind = [state for state in states if (after is None or state.id > after) and namespace in {None, state.namespace}]
    return sorted(behind, key=lambda state: state.id)[:limit]
