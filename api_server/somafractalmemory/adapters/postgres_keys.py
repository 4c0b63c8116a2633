"""Keys of requests in Postgres, on its own clock."""

from typing import Any
from uuid import UUID

import orjson

from somafractalmemory.adapters.postgres_links import Run
from somafractalmemory.ports.repeats import Answered, KeyScope, Known

# The row is looked at only where it was not taken: a statement does not see what it has just written.
RESERVE = """
with taken as (
    insert into request_keys as k (caller, namespace, operation, key, digest, owner, reserved_until, expires_at)
    values (
        %(caller)s, %(namespace)s, %(operation)s, %(key)s, %(digest)s, %(owner)s,
        now() + %(lease)s * interval '1 second', now() + greatest(%(lease)s, 3600) * interval '1 second'
    )
    on conflict (caller, namespace, operation, key) do update set
        digest = excluded.digest, owner = excluded.owner, reserved_until = excluded.reserved_until,
        expires_at = excluded.expires_at, status = null, headers = null, body = null
        where k.expires_at <= now() or (k.status is null and k.reserved_until <= now() and k.digest = excluded.digest)
    returning true
)
select true, null, null, null, null from taken
union all
select false, digest, status, headers, body from request_keys
where caller = %(caller)s and namespace = %(namespace)s and operation = %(operation)s and key = %(key)s
    and not exists (select from taken)
"""

COMPLETE = """
update request_keys set
    status = %(status)s, headers = %(headers)s::jsonb, body = %(body)s,
    expires_at = now() + %(keep)s * interval '1 second'
where caller = %(caller)s and namespace = %(namespace)s and operation = %(operation)s and key = %(key)s
    and owner = %(owner)s
"""

RELEASE = """
delete from request_keys
where caller = %(caller)s and namespace = %(namespace)s and operation = %(operation)s and key = %(key)s
    and owner = %(owner)s and status is null
"""

PRUNE = """
delete from request_keys where ctid = any(
    array(
        select ctid from request_keys where expires_at <= now() order by expires_at limit %(limit)s
        for update skip locked
    )
)
returning true
"""


class PostgresKeys:
    """Implements the port RequestKeys over the pool of `PostgresRecords`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def reserve(self, scope: KeyScope, digest: bytes, owner: UUID, *, lease_seconds: float) -> Known | None:
        parameters = {**_parameters(scope), "digest": digest, "owner": owner, "lease": lease_seconds}
        rows = await self._run(RESERVE, parameters)
        if not rows:  # somebody else took it at this very moment, so our snapshot does not show it yet
            return Known(digest, None)
        taken, known, status, headers, body = rows[0]
        if taken:
            return None
        answer = None if status is None else Answered(status, [(name, value) for name, value in headers], bytes(body))
        return Known(bytes(known), answer)

    async def complete(self, scope: KeyScope, owner: UUID, answer: Answered, *, keep_seconds: float) -> None:
        parameters = {
            **_parameters(scope),
            "owner": owner,
            "status": answer.status,
            "headers": orjson.dumps(list(answer.headers)).decode(),
            "body": answer.body,
            "keep": keep_seconds,
        }
        await self._run(COMPLETE, parameters)

    async def release(self, scope: KeyScope, owner: UUID) -> None:
        await self._run(RELEASE, {**_parameters(scope), "owner": owner})

    async def prune(self, limit: int) -> int:
        return len(await self._run(PRUNE, {"limit": limit}))


def _parameters(scope: KeyScope) -> dict[str, Any]:
    return {
        "caller": scope.caller,
        "namespace": scope.namespace,
        "operation": scope.operation,
        "key": scope.key,
    }
