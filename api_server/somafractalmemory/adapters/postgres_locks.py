"""Locks as rows, for services that have no Redis."""

from somafractalmemory.adapters.postgres_links import Run
from somafractalmemory.ports import Lease

# A released row stays for a day, so that the fences of its name keep growing; a few old ones go with each new lock.
_TAKE = """
with clock as (
    select extract(epoch from clock_timestamp())::double precision as now
), swept as (
    delete from locks where name in (
        select name from locks, clock where expires_at < now - 86400 and name <> %(name)s
        order by expires_at limit 10 for update of locks skip locked
    )
)
insert into locks as l (name, owner, fence, expires_at)
select %(name)s, %(owner)s, nextval('lock_fences'), now + %(ttl)s from clock
on conflict (name) do update set
    fence = case
        when l.owner = excluded.owner and l.expires_at > extract(epoch from clock_timestamp()) then l.fence
        else greatest(l.fence + 1, excluded.fence)
    end,
    owner = excluded.owner, expires_at = excluded.expires_at
where l.owner = excluded.owner or l.expires_at <= extract(epoch from clock_timestamp())
returning fence
"""
_RENEW = """
update locks set expires_at = extract(epoch from clock_timestamp()) + %(ttl)s
where name = %(name)s and fence = %(fence)s and expires_at > extract(epoch from clock_timestamp())
returning fence
"""
_RELEASE = """
update locks set expires_at = extract(epoch from clock_timestamp())
where name = %(name)s and fence = %(fence)s and expires_at > extract(epoch from clock_timestamp())
returning fence
"""
_DROP = """
with gone as (delete from locks where starts_with(name, %(prefix)s) returning name) select count(*) from gone
"""


class PostgresLocks:
    """Implements the port Locks over the pool of `PostgresRecords`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def ping(self) -> None:
        await self._run("select", {})

    async def take(self, name: str, *, owner: str, ttl_seconds: float) -> Lease | None:
        rows = await self._run(_TAKE, {"name": name, "owner": owner, "ttl": ttl_seconds})
        return Lease(name, owner, rows[0][0]) if rows else None

    async def renew(self, lease: Lease, *, ttl_seconds: float) -> bool:
        return bool(await self._run(_RENEW, {"name": lease.name, "fence": lease.fence, "ttl": ttl_seconds}))

    async def release(self, lease: Lease) -> bool:
        return bool(await self._run(_RELEASE, {"name": lease.name, "fence": lease.fence}))

    async def drop(self, prefix: str) -> int:
        return int((await self._run(_DROP, {"prefix": prefix}))[0][0])
