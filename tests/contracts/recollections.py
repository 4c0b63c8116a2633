"""What every truth promises about memories by chance and by time. A subclass brings the fixture `records`: empty."""

from collections import Counter
from uuid import UUID

from somafractalmemory.model import MemoryType
from somafractalmemory.ports import Period
from tests.contracts.records import Truth, a_memory


class RecollectionsContract:
    """Behaviour, not implementation."""

    async def test_a_sample_holds_each_of_the_living_at_most_once(self, records: Truth) -> None:
        memories, gone = [a_memory(float(n)) for n in range(5)], a_memory(9.0)
        fact, other = a_memory(7.0, memory_type=MemoryType.SEMANTIC), a_memory(8.0, namespace="here2")
        await records.save([*memories, gone, fact, other])
        await records.delete([gone.id])

        all_of_them = await self.sample(records, limit=50)
        facts = await self.sample(records, memory_type=MemoryType.SEMANTIC, limit=50)

        assert sorted(all_of_them) == sorted([*(memory.id for memory in memories), fact.id])
        assert facts == [fact.id]
        assert len(set(await self.sample(records, limit=3))) == 3
        assert await self.sample(records, namespace="her_", limit=50) == []

    async def test_a_sample_leaves_nobody_out_for_ever(self, records: Truth) -> None:
        await records.save([a_memory(float(n)) for n in range(4)])

        drawn = Counter([(await self.sample(records, limit=1))[0] for _ in range(200)])

        assert len(drawn) == 4
        assert max(drawn.values()) < 120

    async def test_the_newest_come_first_by_their_own_time(self, records: Truth) -> None:
        old, new = a_memory(1.0, payload={"timestamp": 100}), a_memory(2.0, payload={"timestamp": 300})
        middle, facts = a_memory(3.0, payload={"timestamp": 200}), a_memory(4.0, memory_type=MemoryType.SEMANTIC)
        other = a_memory(5.0, payload={"timestamp": 250}, namespace="here2")
        gone = a_memory(6.0, payload={"timestamp": 260})
        await records.save([old, new, middle, facts, other, gone])
        await records.delete([gone.id])

        episodes = Period("here", 150.0, MemoryType.EPISODIC)
        everything = await records.recollections.newest(Period("here", 0.0), before=None, limit=9)

        assert await records.recollections.newest(episodes, before=None, limit=9) == [
            (300.0, new.id),
            (200.0, middle.id),
        ]
        assert [place for _, place in everything] == [facts.id, new.id, middle.id, old.id]
        assert everything[0][0] > 1e9, "what tells no time has the one at which it was stored"

    async def test_the_newest_are_read_in_pages_that_miss_nothing(self, records: Truth) -> None:
        memories = [a_memory(float(n), payload={"timestamp": 100 + n // 4}) for n in range(23)]
        await records.save(memories)

        seen: list[tuple[float, UUID]] = []
        while page := await records.recollections.newest(
            Period("here", 0.0), before=seen[-1] if seen else None, limit=5
        ):
            assert len(page) <= 5
            seen += page

        assert seen == sorted(seen, reverse=True)
        assert sorted(place for _, place in seen) == sorted(memory.id for memory in memories)

    async def sample(
        self, records: Truth, *, namespace: str = "here", memory_type: MemoryType | None = None, limit: int
    ) -> list[UUID]:
        """Some identifiers."""
        return list(await records.recollections.sample(namespace=namespace, memory_type=memory_type, limit=limit))
