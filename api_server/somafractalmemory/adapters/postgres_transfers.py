"""Taking memories out of Postgres and putting them back as they were."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from somafractalmemory.adapters import transfer_statements as statements
from somafractalmemory.adapters.postgres_links import Run
from somafractalmemory.adapters.postgres_rows import Row, array, memory_of
from somafractalmemory.model import Memory, memory_id
from somafractalmemory.model.graph import Link, PlacedLink
from somafractalmemory.model.restoring import Fate, Placed, Restored, fate
from somafractalmemory.ports import Import

Answer = TypeVar("Answer")


class Transact(Protocol):
    """Runs work in one transaction, and again when the server asks for that."""

    def __call__(self, work: Callable[[AsyncConnection[Row]], Awaitable[Answer]]) -> Awaitable[Answer]: ...


class PostgresTransfers:
    """Implements the port Transfers over the pool of `PostgresRecords`."""

    def __init__(self, run: Run, transact: Transact) -> None:
        self._run = run
        self._transact = transact

    async def histories(self, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Memory]]:
        found: dict[UUID, list[Memory]] = {}
        for row in await self._run(statements.HISTORIES, {"ids": list(ids)}):
            found.setdefault(row[0], []).append(memory_of(row))
        return found

    async def begin(self) -> Import:
        mark = uuid4()
        ((since,),) = await self._run(statements.BEGIN, {})
        return Import(mark, since)

    async def restore(
        self, items: Sequence[Restored], *, under: Import | None, view: Callable[[Memory], Memory] | None = None
    ) -> Sequence[Placed]:
        look = view or (lambda memory: memory)

        async def work(connection: AsyncConnection[Row]) -> Sequence[Placed]:
            cursor = await connection.execute(statements.LOCK, {"ids": [item.memory.id for item in items]})
            old = {row[0]: look(memory_of(row)) for row in await cursor.fetchall()}
            placed = [fate(old.get(item.memory.id), item) for item in items]
            changed = [
                (item, place) for item, place in zip(items, placed, strict=True) if place.fate is not Fate.UNCHANGED
            ]
            versions = await _put(connection, changed, exactly=under is not None) if changed else {}
            if under is not None:
                await connection.execute(statements.MARK, {"mark": under.mark, "ids": [place.id for place in placed]})
            return [Placed(place.id, place.fate, versions.get(place.id, place.version)) for place in placed]

        return await self._transact(work)

    async def restore_links(
        self, namespace: str, links: Sequence[PlacedLink], *, under: Import | None
    ) -> Sequence[PlacedLink]:
        keys = [
            Link(memory_id(namespace, link.source), memory_id(namespace, link.target), link.type, link.weight)
            for link in links
        ]
        rows = await self._run(
            statements.RESTORE_LINKS,
            {
                "namespace": namespace,
                "mark": under.mark if under else None,
                "sources": [key.source for key in keys],
                "targets": [key.target for key in keys],
                "types": [key.type for key in keys],
                "weights": [key.weight for key in keys],
                "times": [link.timestamp for link in links],
                "payloads": [
                    key.event_payload(source=link.source, target=link.target)
                    for key, link in zip(keys, links, strict=True)
                ],
            },
        )
        missing = set(rows)
        return [link for key, link in zip(keys, links, strict=True) if (key.source, key.type, key.target) in missing]

    async def foreign_to(self, namespace: str, under: Import, limit: int) -> Sequence[UUID]:
        parameters = {"namespace": namespace, "mark": under.mark, "since": under.since, "limit": limit}
        return [place for (place,) in await self._run(statements.FOREIGN_TO, parameters)]

    async def finish(self, namespace: str, under: Import) -> int:
        parameters = {"namespace": namespace, "mark": under.mark, "since": under.since}
        removed = len(await self._run(statements.UNLINK_FOREIGN, parameters))
        await self._run(statements.FORGET_MARKS, {"mark": under.mark})
        return removed


async def _put(
    connection: AsyncConnection[Row], changed: Sequence[tuple[Restored, Placed]], *, exactly: bool
) -> dict[UUID, int]:
    """Write rows and their past; answers the versions, which are higher where somebody came in between."""
    cursor = await connection.execute(statements.RESTORE, _columns(changed))
    versions: dict[UUID, int] = dict(await cursor.fetchall())
    if exactly:
        await connection.execute(statements.FORGET_PAST, {"ids": list(versions)})
    past = [version for item, _ in changed for version in item.versions]
    if past:
        await connection.execute(
            statements.RESTORE_PAST,
            {
                "ids": [old.memory.id for old in past],
                "versions": [old.version for old in past],
                "types": [old.memory.memory_type.value for old in past],
                "payloads": [old.memory.payload_json for old in past],
                "importances": [old.memory.importance for old in past],
                "timestamps": [old.memory.timestamp for old in past],
                "created": [old.created_at for old in past],
                "updated": [old.updated_at for old in past],
            },
        )
        await connection.execute(statements.PRUNE_PAST, {"ids": list(versions)})
    return versions


def _columns(changed: Sequence[tuple[Restored, Placed]]) -> dict[str, Any]:
    memories = [item.memory for item, _ in changed]
    return {
        "ids": [memory.id for memory in memories],
        "namespaces": [memory.namespace for memory in memories],
        "coordinates": [array(memory.coordinate) for memory in memories],
        "types": [memory.memory_type.value for memory in memories],
        "payloads": [memory.payload_json for memory in memories],
        "texts": [memory.text for memory in memories],
        "importances": [memory.importance for memory in memories],
        "timestamps": [memory.timestamp for memory in memories],
        "versions": [place.version for _, place in changed],
        "created": [item.created_at for item, _ in changed],
        "updated": [item.updated_at for item, _ in changed],
        "accessed": [item.accessed_at for item, _ in changed],
        "counts": [item.access_count for item, _ in changed],
        "kinds": ["created" if place.fate is Fate.CREATED else "updated" for _, place in changed],
    }
