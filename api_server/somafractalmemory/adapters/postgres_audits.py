"""The audit in Postgres."""

from collections.abc import Sequence
from typing import Any

import orjson

from somafractalmemory.adapters.postgres_links import Run
from somafractalmemory.ports.care import AuditRow, Deed

APPEND = """
insert into audit (at, caller, action, namespace, coordinate, memory_id, request_id, details)
select extract(epoch from statement_timestamp()), caller, action, namespace, coordinate::double precision[], memory_id,
    request_id, details::jsonb
from unnest(
    %(callers)s::text[], %(actions)s::text[], %(namespaces)s::text[], %(coordinates)s::text[], %(memory_ids)s::uuid[],
    %(request_ids)s::text[], %(details)s::text[]
) as n (caller, action, namespace, coordinate, memory_id, request_id, details)
"""

PAGE = """
select number, at, caller, action, namespace, coordinate, memory_id, request_id, details from audit
where namespace = %(namespace)s and (%(action)s::text is null or action = %(action)s)
    and (%(before)s::bigint is null or number < %(before)s)
order by number desc limit %(limit)s
"""

# Rows are numbered in the order of their times, but for moments: the oldest are the first.
TRIM = """
delete from audit where number in (select number from audit order by number limit %(limit)s) and at < %(older_than)s
returning number
"""


class PostgresAudits:
    """Implements the port Audits over the pool of `PostgresRecords`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def append(self, deeds: Sequence[tuple[Deed, str, str | None]]) -> None:
        places = [deed.coordinate for deed, _, _ in deeds]
        await self._run(
            APPEND,
            {
                "callers": [caller for _, caller, _ in deeds],
                "actions": [deed.action for deed, _, _ in deeds],
                "namespaces": [deed.namespace for deed, _, _ in deeds],
                "coordinates": [None if place is None else "{" + ",".join(map(repr, place)) + "}" for place in places],
                "memory_ids": [deed.memory_id for deed, _, _ in deeds],
                "request_ids": [request for _, _, request in deeds],
                "details": [orjson.dumps(dict(deed.details)).decode() for deed, _, _ in deeds],
            },
        )

    async def page(self, namespace: str, *, action: str | None, before: int | None, limit: int) -> Sequence[AuditRow]:
        parameters = {"namespace": namespace, "action": action, "before": before, "limit": limit}
        return [_row(*row) for row in await self._run(PAGE, parameters)]

    async def trim(self, older_than: float, limit: int) -> int:
        return len(await self._run(TRIM, {"older_than": older_than, "limit": limit}))


def _row(number: int, at: float, caller: str, action: str, namespace: str, coordinate: Any, *rest: Any) -> AuditRow:
    place, request_id, details = rest
    deed = Deed(action, namespace, None if coordinate is None else tuple(coordinate), place, details)
    return AuditRow(number, at, caller, deed, request_id)
