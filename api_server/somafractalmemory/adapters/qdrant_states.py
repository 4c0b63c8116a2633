"""The index read entry by entry, for comparing it with the truth."""

from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import orjson

from somafractalmemory.adapters.qdrant_wire import MARKER_ID, equals
from somafractalmemory.ports.states import State

Ask = Callable[..., Awaitable[Any]]
_PAYLOAD = {"include": ["namespace", "version", "deleted_at"]}


class QdrantStates:
    """Implements the port IndexStates with the requests of `QdrantVectors`."""

    def __init__(self, ask: Ask, birth: Callable[[], Awaitable[str]]) -> None:
        self._ask = ask
        self._birth = birth

    async def birth(self) -> str:
        return await self._birth()

    async def scan(self, after: UUID | None, limit: int, *, namespace: str | None = None) -> Sequence[State]:
        condition: dict[str, Any] = {"must_not": [{"has_id": [str(MARKER_ID)]}]}
        if namespace is not None:
            condition["must"] = [equals("namespace", namespace)]
        body = {
            "filter": condition,
            "offset": str(after) if after else None,
            "limit": limit + 1,  # the offset itself is among the answers
            "with_payload": _PAYLOAD,
        }
        answer = await self._ask("POST", "/points/scroll", orjson.dumps(body))
        found = [_state(point) for point in answer["points"]]
        return [state for state in found if state.id != after][:limit]

    async def look(self, ids: Sequence[UUID]) -> Sequence[State]:
        if not ids:
            return []
        body = {"ids": [str(place) for place in ids], "with_payload": _PAYLOAD}
        return [_state(point) for point in await self._ask("POST", "/points", orjson.dumps(body))]

    async def drop(self, seen: Sequence[State]) -> None:
        if not seen:
            return
        groups = groupby(sorted(seen, key=lambda state: state.version), key=lambda state: state.version)
        conditions = [
            {"must": [{"has_id": [str(state.id) for state in group]}, equals("version", version)]}
            for version, group in groups
        ]
        await self._ask("POST", "/points/delete?wait=true", orjson.dumps({"filter": {"should": conditions}}))


def _state(point: dict[str, Any]) -> State:
    payload = point["payload"]
    return State(UUID(point["id"]), payload["namespace"], payload["version"], deleted="deleted_at" in payload)
