"""What every truth promises about lookups by term and by place. A subclass brings the fixture `records`: empty."""

from typing import Any

import pytest

from somafractalmemory.model import Coordinate, MemoryType
from somafractalmemory.model.wording import Mode, term_of
from somafractalmemory.ports import Box, Search
from tests.contracts.records import Truth, a_memory

FACTS = [
    "The Tide-table of Kiel",
    "high water at 12:30, low water at 18:45",
    "a_b 100% c\\d",
    "cats.purr/loudly dogs@example.com",
    "Grüße aus Köln",
    "tides turn",
]


async def given(records: Truth, facts: list[str] = FACTS) -> None:
    """One memory for each fact, at 0, 1, 2 and so on."""
    await records.save([a_memory(float(n), payload={"fact": fact}) for n, fact in enumerate(facts)])


async def found(records: Truth, text: str, mode: Mode, *, case_sensitive: bool = False, **more: Any) -> list[int]:
    """The numbers of the facts that contain the term."""
    where: dict[str, Any] = {"namespace": "here", "memory_type": None, "limit": 100}
    term = term_of(text, mode, case_sensitive=case_sensitive)
    memories = await records.lookups.find_term(term, **(where | more))
    return sorted(int(memory.coordinate[0]) for memory in memories)


class LookupsContract:
    """Behaviour, not implementation."""

    @pytest.mark.parametrize(
        ("text", "mode", "expected"),
        [
            ("tide", Mode.WORD, [0]),
            ("TIDE", Mode.WORD, [0]),
            ("tide", Mode.SUBSTRING, [0, 5]),
            ("water low", Mode.WORD, [1]),
            ("water low", Mode.PHRASE, []),
            ("low water", Mode.PHRASE, [1]),
            ("high water at 12 30", Mode.PHRASE, [1]),
            ("tide table", Mode.PHRASE, [0]),
            ("ide", Mode.WORD, []),
            ("purr", Mode.WORD, [3]),
            ("example", Mode.WORD, [3]),
            ("a_b", Mode.WORD, [2]),
            ("a_b", Mode.SUBSTRING, [2]),
            ("_", Mode.SUBSTRING, [2]),
            ("%", Mode.SUBSTRING, [2]),
            ("c\\d", Mode.SUBSTRING, [2]),
            ("100%", Mode.SUBSTRING, [2]),
            ("1_0", Mode.SUBSTRING, []),
            (".*", Mode.SUBSTRING, []),
            ("grüße", Mode.WORD, [4]),
            ("KÖLN", Mode.SUBSTRING, [4]),
            ("fact", Mode.WORD, []),
            ("episodic", Mode.SUBSTRING, []),
            ("here", Mode.SUBSTRING, []),
            ("'; drop table memories; --", Mode.SUBSTRING, []),
        ],
    )
    async def test_a_term_finds_what_its_mode_says(
        self, records: Truth, text: str, mode: Mode, expected: list[int]
    ) -> None:
        await given(records)

        assert await found(records, text, mode) == expected

    @pytest.mark.parametrize("mode", list(Mode))
    async def test_case_counts_only_when_told(self, records: Truth, mode: Mode) -> None:
        await given(records)

        assert await found(records, "kiel", mode) == [0]
        assert await found(records, "kiel", mode, case_sensitive=True) == []
        assert await found(records, "Kiel", mode, case_sensitive=True) == [0]

    async def test_a_term_is_looked_for_among_the_living_of_one_namespace(self, records: Truth) -> None:
        mine, gone = a_memory(1.0, payload={"fact": "kestrel"}), a_memory(2.0, payload={"fact": "kestrel"})
        fact = a_memory(3.0, payload={"fact": "kestrel"}, memory_type=MemoryType.SEMANTIC)
        other = a_memory(4.0, payload={"fact": "kestrel"}, namespace="here2")
        await records.save([mine, gone, fact, other])
        await records.delete([gone.id])

        assert await found(records, "kestrel", Mode.WORD) == [1, 3]
        assert await found(records, "kestrel", Mode.WORD, memory_type=MemoryType.SEMANTIC) == [3]
        assert await found(records, "kestrel", Mode.WORD, namespace="here2") == [4]
        assert await found(records, "kestrel", Mode.WORD, namespace="her_") == []

    async def test_the_last_changed_come_first(self, records: Truth) -> None:
        memories = [a_memory(float(n)) for n in range(3)]
        for memory in [*memories, memories[0]]:
            await records.save([memory])

        term = term_of("herons", Mode.WORD)
        two = await records.lookups.find_term(term, namespace="here", memory_type=None, limit=2)

        assert [memory.coordinate for memory in two] == [(0.0,), (2.0,)]

    async def test_a_box_includes_its_edges_on_every_axis(self, records: Truth) -> None:
        await records.save([a_memory(float(x), float(y)) for x in range(5) for y in range(5)])

        places = await self.within(records, (1.0, 3.0), (2.0, 4.0))

        assert places == [(1.0, 3.0), (1.0, 4.0), (2.0, 3.0), (2.0, 4.0)]
        assert await self.within(records, (2.0, 2.0), (2.0, 2.0)) == [(2.0, 2.0)]
        assert await self.within(records, (2.0, 3.0), (3.0, 2.0)) == []

    async def test_a_box_holds_places_of_its_own_dimensions_only(self, records: Truth) -> None:
        await records.save([a_memory(1.0), a_memory(1.0, 1.0), a_memory(1.0, 1.0, 1.0)])

        assert await self.within(records, (0.0, 0.0), (2.0, 2.0)) == [(1.0, 1.0)]

    async def test_numbers_of_any_size_have_their_order(self, records: Truth) -> None:
        places = [-1e300, -2.5, -1e-300, 0.0, 1e-300, 0.1 + 0.2, 1e300]
        await records.save([a_memory(place) for place in reversed(places)])

        assert await self.within(records, (-1e308,), (1e308,)) == [(place,) for place in places]
        assert await self.within(records, (0.30000000000000004,), (0.30000000000000004,)) == [(0.1 + 0.2,)]
        assert await self.within(records, (-0.0,), (-0.0,)) == [(0.0,)]

    async def test_a_box_is_read_in_pages_that_miss_nothing(self, records: Truth) -> None:
        places = [(float(x), float(-y)) for x in range(6) for y in range(5)]
        await records.save([a_memory(*place) for place in places])

        seen: list[Coordinate] = []
        while page := await self.within(records, (0.0, -9.0), (9.0, 9.0), after=seen[-1] if seen else None, limit=7):
            assert len(page) <= 7
            seen += page

        assert seen == sorted(places)

    async def test_a_box_holds_the_living_of_one_namespace_and_type(self, records: Truth) -> None:
        gone = a_memory(2.0)
        fact = a_memory(3.0, memory_type=MemoryType.SEMANTIC)
        await records.save([a_memory(1.0), gone, fact, a_memory(4.0, namespace="here2")])
        await records.delete([gone.id])

        assert await self.within(records, (0.0,), (9.0,)) == [(1.0,), (3.0,)]
        assert await self.within(records, (0.0,), (9.0,), memory_type=MemoryType.SEMANTIC) == [(3.0,)]
        assert await self.within(records, (0.0,), (9.0,), namespace="here2") == [(4.0,)]

    async def test_all_memories_are_read_in_pages_by_their_places(self, records: Truth) -> None:
        places: list[Coordinate] = [(2.0,), (1.0, 5.0), (-1.0,), (1.0, -5.0), (0.5, 9.0), (10.0,), (0.0, 0.0, 0.0)]
        gone = a_memory(7.0)
        await records.save([*(a_memory(*place) for place in places), gone, a_memory(1.0, namespace="here2")])
        await records.delete([gone.id])

        seen: list[Coordinate] = []
        while page := await records.lookups.page(
            namespace="here", memory_type=None, after=seen[-1] if seen else None, limit=2
        ):
            assert len(page) <= 2
            seen += [memory.coordinate for memory in page]
        facts = await records.lookups.page(namespace="here", memory_type=MemoryType.SEMANTIC, after=None, limit=9)

        assert seen == sorted(places, key=lambda place: (len(place), place))
        assert facts == []

    async def test_the_places_around_one_are_those_next_to_it_on_either_side(self, records: Truth) -> None:
        await records.save([a_memory(float(x), float(y)) for x in range(5) for y in range(5)])
        await records.save([a_memory(2.0), a_memory(2.0, 2.0, 2.0), a_memory(2.0, 2.5, namespace="here2")])

        near = await self.around(records, (2.0, 2.0), limit=2)
        none = await self.around(records, (2.0, 2.0), limit=2, namespace="her_")

        assert near == [(2.0, 0.0), (2.0, 1.0), (2.0, 2.0), (2.0, 3.0)]
        assert none == []
        assert len(await self.around(records, (-1.0, 0.0), limit=100)) == 25

    async def test_of_the_places_around_one_only_those_sought_are_told(self, records: Truth) -> None:
        gone = a_memory(3.0, payload={"n": 1})
        fact = a_memory(4.0, payload={"n": 1}, memory_type=MemoryType.SEMANTIC)
        await records.save([a_memory(1.0, payload={"n": True}), a_memory(2.0, payload={"n": 1.0}), gone, fact])
        await records.delete([gone.id])

        assert await self.around(records, (2.5,), limit=9) == [(1.0,), (2.0,), (4.0,)]
        assert await self.around(records, (2.5,), limit=9, filters={"n": 1}) == [(2.0,), (4.0,)]
        assert await self.around(records, (2.5,), limit=9, memory_type=MemoryType.SEMANTIC) == [(4.0,)]
        assert await self.around(records, (9.0,), limit=1, memory_type=MemoryType.EPISODIC) == []

    async def around(self, records: Truth, place: Coordinate, **more: Any) -> list[Coordinate]:
        """The places around one, in order."""
        search: dict[str, Any] = {"namespace": "here", "memory_type": None, "filters": {}}
        return sorted(await records.lookups.around(place, Search(**(search | more))))

    async def within(
        self,
        records: Truth,
        low: Coordinate,
        high: Coordinate,
        *,
        after: Coordinate | None = None,
        limit: int = 100,
        **more: Any,
    ) -> list[Coordinate]:
        """The places in a box."""
        where: dict[str, Any] = {"namespace": "here", "low": low, "high": high}
        return list(await records.lookups.within(Box(**(where | more)), after=after, limit=limit))
