"""Use and age of memories in this process, beside the memories of `LocalRecords`."""

from collections import deque
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from typing import Protocol
from uuid import UUID

import orjson

from somafractalmemory.model import SEALED, Memory, Saved
from somafractalmemory.model.events import EventType
from somafractalmemory.model.importance import Heard, Window
from somafractalmemory.ports.care import Access, Ages, Changed


class _Truth(Protocol):
    """What it needs of `LocalRecords`."""

    async def delete(self, ids: Sequence[UUID], *, expected: int | None = None) -> Sequence[Saved]: ...


class LocalCare:
    """`check` raises while the truth is away; `note` writes to its outbox; `older` holds former versions.

    `keep` adds one to them.
    """

    def __init__(
        self,
        truth: _Truth,
        rows: MutableMapping[UUID, Memory],
        older: Mapping[UUID, deque[Memory]],
        keep: Callable[[Memory], None],
        *,
        check: Callable[[], None],
        note: Callable[[Memory, EventType, str], None],
        clock: Callable[[], float],
    ) -> None:
        self._truth = truth
        self._rows = rows
        self._older = older
        self._keep = keep
        self._check = check
        self._note = note
        self._clock = clock
        self._windows: dict[str, Window] = {}
        self._chores: dict[str, tuple[UUID, float, float]] = {}

    async def learn(self, namespace: str, heard: Heard) -> Window:
        self._check()
        window = self._windows[namespace] = self._windows.get(namespace, Window()).add(heard)
        return window

    async def windows(self, namespaces: Sequence[str]) -> Mapping[str, Window]:
        self._check()
        return {name: self._windows[name] for name in namespaces if name in self._windows}

    async def accessed(self, accesses: Sequence[Access]) -> None:
        self._check()
        for access in accesses:
            row = self._rows.get(access.id)
            if row is not None and not row.deleted:
                at = max(access.at, row.accessed_at or access.at)
                self._rows[row.id] = replace(row, access_count=row.access_count + access.count, accessed_at=at)

    async def hold(self, chore: str, holder: UUID, seconds: float) -> float | None:
        self._check()
        held_by, held_until, done_until = self._chores.get(chore, (holder, 0.0, 0.0))
        if held_by != holder and held_until >= self._clock():
            return None
        self._chores[chore] = (holder, self._clock() + seconds, done_until)
        return done_until

    async def done(self, chore: str, holder: UUID, until: float) -> None:
        self._check()
        held_by, held_until, done_until = self._chores.get(chore, (holder, 0.0, 0.0))
        if held_by == holder and held_until >= self._clock():
            self._chores[chore] = (holder, held_until, max(done_until, until))

    async def aged(self, ages: Ages, after: Memory | None, limit: int, *, former: bool) -> Sequence[Memory]:
        self._check()
        keys = {*ages.keys, SEALED}
        found = [
            row
            for row in self._states(former=former)
            if ages.since <= row.updated_at < ages.until
            and keys & row.payload.keys()
            and (after is None or _by_age(row) > _by_age(after))
        ]
        return sorted(found, key=_by_age)[:limit]

    async def shed(self, changed: Sequence[Changed], *, former: bool) -> int:
        self._check()
        wanted = {(each.id, each.version): each for each in changed}
        done = 0
        for row in self._states(former=former):
            if each := wanted.get((row.id, row.version)):
                self._put(row, orjson.loads(each.payload_json), each.payload_json if not former else None)
                done += 1
        return done

    def _put(self, row: Memory, payload: dict[str, object], event_json: str | None) -> None:
        if event_json is None:
            kept = self._older[row.id]
            kept[kept.index(row)] = replace(row, payload=payload)
            return
        self._keep(row)
        new = self._rows[row.id] = replace(row, payload=payload, version=row.version + 1)
        self._note(new, "updated", event_json)

    async def namespaces(self) -> Sequence[str]:
        self._check()
        return sorted({row.namespace for row in self._rows.values() if not row.deleted})

    async def prune(self, namespace: str, keep: int, limit: int) -> int:
        self._check()
        living = [row for row in self._rows.values() if not row.deleted and row.namespace == namespace]
        living.sort(key=lambda row: (row.importance, row.updated_at))
        excess = min(max(len(living) - keep, 0), limit)
        return len(await self._truth.delete([row.id for row in living[:excess]]))

    async def sealed(self, not_by: str, after: tuple[UUID, int] | None, limit: int) -> Sequence[Memory]:
        self._check()
        found = [
            row
            for row in [*self._states(former=False), *self._states(former=True)]
            if SEALED in row.payload
            and not str(row.payload[SEALED]).startswith(not_by)
            and (after is None or (row.id, row.version) > after)
        ]
        return sorted(found, key=lambda row: (row.id, row.version))[:limit]

    async def reseal(self, place: UUID, version: int, old: str, new: str) -> bool:
        self._check()
        done = False
        for former in (False, True):
            for row in self._states(former=former):
                if (row.id, row.version, row.payload.get(SEALED)) == (place, version, old):
                    payload = {**row.payload, SEALED: new}
                    if former:
                        self._put(row, payload, None)
                    else:
                        self._rows[place] = replace(row, payload=payload)
                    done = True
        return done

    def _states(self, *, former: bool) -> list[Memory]:
        if former:
            return [row for rows in list(self._older.values()) for row in rows]
        return [row for row in self._rows.values() if not row.deleted]


def _by_age(row: Memory) -> tuple[float, UUID, int]:
    return (row.updated_at, row.id, row.version)
