"""The truth read entry by entry, and where long tasks stand."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from somafractalmemory.model.events import version_of_foreign
from somafractalmemory.ports.states import State

SCAN = """
select id, namespace, version, deleted from memories
where (%(after)s::uuid is null or id > %(after)s) and (%(namespace)s::text is null or namespace = %(namespace)s)
order by id limit %(limit)s
"""

LOOK = "select id, namespace, version, deleted from memories where id = any(%(ids)s::uuid[])"

# Only their latest event counts, and only while the truth does not know the memory itself.
SCAN_FOREIGN = """
select distinct on (id) id, namespace, "timestamp", type = 'deleted' from memory_events
where version is null and (%(after)s::uuid is null or id > %(after)s)
    and (%(namespace)s::text is null or namespace = %(namespace)s)
    and not exists (select from memories where memories.id = memory_events.id)
order by id, "timestamp" desc, event_id
limit %(limit)s
"""

LOOK_FOREIGN = """
select distinct on (id) id, namespace, "timestamp", type = 'deleted' from memory_events
where id = any(%(ids)s::uuid[]) and version is null
    and not exists (select from memories where memories.id = memory_events.id)
order by id, "timestamp" desc, event_id
"""

PROGRESS = "select progress from long_tasks where task = %(task)s"

KEEP_PROGRESS = """
insert into long_tasks (task, progress) values (%(task)s, %(progress)s::jsonb)
on conflict (task) do update set progress = excluded.progress, updated_at = now()
"""

END_PROGRESS = "delete from long_tasks where task = %(task)s"

Run = Callable[[str, Mapping[str, Any]], Awaitable[list[tuple[Any, ...]]]]


class PostgresStates:
    """Implements the port TruthStates over the pool of `PostgresRecords`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def scan(self, after: UUID | None, limit: int, *, namespace: str | None = None) -> Sequence[State]:
        asked = {"after": after, "limit": limit, "namespace": namespace}
        own = [State(*row) for row in await self._run(SCAN, asked)]
        foreign = [_foreign(*row) for row in await self._run(SCAN_FOREIGN, asked)]
        return sorted([*own, *foreign], key=lambda state: state.id)[:limit]

    async def look(self, ids: Sequence[UUID]) -> Sequence[State]:
        own = [State(*row) for row in await self._run(LOOK, {"ids": list(ids)})]
        return [*own, *(_foreign(*row) for row in await self._run(LOOK_FOREIGN, {"ids": list(ids)}))]

    async def progress(self, task: str) -> Mapping[str, Any] | None:
        rows = await self._run(PROGRESS, {"task": task})
        return rows[0][0] if rows else None

    async def keep_progress(self, task: str, progress: Mapping[str, Any] | None) -> None:
        if progress is None:
            await self._run(END_PROGRESS, {"task": task})
        else:
            await self._run(KEEP_PROGRESS, {"task": task, "progress": orjson.dumps(progress).decode()})


def _foreign(place: UUID, namespace: str, moment: float, deleted: bool) -> State:
    return State(place, namespace, version_of_foreign(moment), deleted)
