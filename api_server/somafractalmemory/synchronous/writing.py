"""Writing: store, link, forget."""

import random
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from somafractalmemory.errors import InvalidRequest, NotFound, SomaError
from somafractalmemory.model import Coordinate, MemoryType, Payload
from somafractalmemory.synchronous.base import Face
from somafractalmemory.synchronous.values import payload_of, place_of, type_of

_TOGETHER = 500
_ATTEMPTS = 5


class Writing(Face):
    """Success means committed; whatever is not committed raises. (The original program only logged it.)"""

    def store_memory(self, coordinate: Any, value: Any, memory_type: MemoryType | str = MemoryType.EPISODIC) -> None:
        """Store a memory at its place, over the one that was there, whose links stay.

        Raises:
            SomaFractalMemoryError: nothing was stored.
        """
        kind = type_of(memory_type) or MemoryType.EPISODIC
        self._hooks.fire("before_store", value, coordinate, kind)
        self._put(place_of(coordinate), payload_of(value), kind)
        self._hooks.fire("after_store", value, coordinate, kind)

    def store(self, coordinate: Any, value: Any) -> None:
        """As `store_memory`, with the type that the value names in `memory_type`, else episodic."""
        named = value.get("memory_type") if isinstance(value, dict) else None
        self.store_memory(coordinate, value, named or MemoryType.EPISODIC)

    def remember(self, data: Any, coordinate: Any = None, memory_type: MemoryType | str = MemoryType.EPISODIC) -> None:
        """As `store_memory`; without a coordinate at a free place: two random numbers from 0 to 100."""
        self.store_memory(self._free_place() if coordinate is None else coordinate, data, memory_type)

    def store_memories_bulk(self, items: Iterable[Sequence[Any]]) -> bool:
        """Store `(coordinate, payload)` or `(coordinate, payload, type)`, up to 500 together: all of them or none.

        Raises:
            SomaFractalMemoryError: what was stored before stays.
        """
        waiting = iter(items)
        while portion := [_item(item) for item in islice(waiting, _TOGETHER)]:
            for place, payload, kind in portion:
                self._hooks.fire("before_store", payload, place, kind)
            self._ask(self._service.remember_many(namespace=self.namespace, items=portion))
            for place, payload, kind in portion:
                self._hooks.fire("after_store", payload, place, kind)
        return True

    def store_vector_only(self, coordinate: Any, vector: Any, payload: Any = None) -> None:
        """Left out: a vector is made from its memory's text and can be made again at any time. Always raises."""
        del coordinate, vector, payload
        raise SomaError("vectors are made from a memory's text: store the text with store_memory")

    def amend(
        self, coordinate: Any, patch: Any, memory_type: MemoryType | str | None = None, version: int | None = None
    ) -> None:
        """Change some fields of a memory, those that the patch names; None removes one.

        Raises:
            NotFound: no memory lives there.
            VersionMismatch: it is at another version than the one given.
        """
        self._ask(
            self._service.amend(
                namespace=self.namespace,
                coordinate=place_of(coordinate),
                patch=payload_of(patch),
                memory_type=type_of(memory_type),
                expected=version,
            )
        )

    def set_importance(self, coordinate: Any, importance: float = 1.0) -> None:
        """Say how much a memory matters. Raises NotFound."""
        self._ask(
            self._service.set_importance(
                namespace=self.namespace, coordinate=place_of(coordinate), importance=importance
            )
        )

    def delete(self, coordinate: Any) -> bool:
        """Delete a memory everywhere; says whether there was one."""
        return self.delete_many([coordinate]) == 1

    def delete_many(self, coordinates: Iterable[Any]) -> int:
        """Delete memories everywhere; answers how many there were."""
        places = iter([place_of(coordinate) for coordinate in coordinates])
        deleted = 0
        while portion := list(islice(places, _TOGETHER)):
            count, _ = self._ask(self._service.forget_many(namespace=self.namespace, coordinates=portion))
            deleted += count
        return deleted

    def forget(self, coordinate: Any) -> None:
        """As `delete`, with hooks."""
        self._hooks.fire("before_forget", coordinate)
        self.delete(coordinate)
        self._hooks.fire("after_forget", coordinate)

    def link_memories(
        self, from_coord: Any, to_coord: Any, link_type: str = "related", weight: float | None = None
    ) -> None:
        """Link two memories. Raises NotFound when either does not live."""
        self._ask(
            self._service.links.link(
                namespace=self.namespace,
                source=place_of(from_coord),
                target=place_of(to_coord),
                link_type=_named(link_type),
                weight=_weight(weight),
            )
        )

    def unlink(self, from_coord: Any, to_coord: Any, link_type: str = "related") -> bool:
        """Remove a link; says whether there was one."""
        source, target = place_of(from_coord), place_of(to_coord)
        try:
            self._ask(
                self._service.links.unlink(
                    namespace=self.namespace, source=source, target=target, link_type=_named(link_type)
                )
            )
        except NotFound:
            return False
        return True

    def _put(self, place: Coordinate, payload: Payload, kind: MemoryType) -> None:
        self._ask(self._service.remember(namespace=self.namespace, coordinate=place, payload=payload, memory_type=kind))

    def _free_place(self) -> Coordinate:
        for _ in range(_ATTEMPTS):
            place = (random.uniform(0, 100), random.uniform(0, 100))  # noqa: S311  # a place, no secret
            if not self._ask(self._service.recollecting.at(namespace=self.namespace, coordinates=[place])):
                return place
        raise SomaError("no free place was found: name a coordinate")


def _item(item: Sequence[Any]) -> tuple[Coordinate, Payload, MemoryType]:
    if not 2 <= len(item) <= 3:
        raise InvalidRequest("an item is (coordinate, payload) or (coordinate, payload, type)", loc=("items",))
    kind = type_of(item[2]) if len(item) == 3 else None
    return place_of(item[0]), payload_of(item[1]), kind or MemoryType.EPISODIC


def _named(link_type: Any) -> str:
    if not isinstance(link_type, str) or not 1 <= len(link_type) <= 64 or "\x00" in link_type:
        raise InvalidRequest("a link's type is a text of 1 to 64 characters without NUL", loc=("link_type",))
    return link_type


def _weight(weight: Any) -> float:
    if weight is None:
        return 1.0
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1e9:
        raise InvalidRequest("a link's weight is a number from 0 to 1e9", loc=("weight",))
    return float(weight)
