"""What every truth promises about versions: kept, expected, forgotten. A subclass brings the fixture `records`."""

import asyncio
from uuid import uuid4

from somafractalmemory.model import MemoryType
from tests.contracts.records import Truth, a_memory, kinds, living, waiting


async def numbered(records: Truth, count: int) -> None:
    """A memory at 1, saved so many times."""
    for n in range(1, count + 1):
        await records.save([a_memory(1.0, payload={"n": n})])


PLACE = a_memory(1.0).id


class VersionsContract:
    """Behaviour, not implementation."""

    async def test_each_version_is_kept_as_it_was(self, records: Truth) -> None:
        await records.save([a_memory(1.0, payload={"n": 1, "importance": 3})])
        first = await living(records, a_memory(1.0))
        await records.save([a_memory(1.0, payload={"n": 2}, memory_type=MemoryType.SEMANTIC)])

        new, old = await records.lookups.versions(PLACE)

        assert old == first
        assert (new.version, new.payload, new.memory_type) == (2, {"n": 2}, "semantic")

    async def test_the_last_twenty_are_kept_beside_the_present_one(self, records: Truth) -> None:
        await numbered(records, 25)

        versions = await records.lookups.versions(PLACE)

        assert [memory.version for memory in versions] == list(range(25, 4, -1))
        assert [memory.payload["n"] for memory in versions] == list(range(25, 4, -1))

    async def test_a_deletion_forgets_them_for_good(self, records: Truth) -> None:
        await numbered(records, 3)
        await records.delete([PLACE])

        assert await records.lookups.versions(PLACE) == []

        await numbered(records, 1)
        assert [memory.version for memory in await records.lookups.versions(PLACE)] == [5]
        assert await records.lookups.versions(uuid4()) == []

    async def test_a_batch_keeps_the_versions_of_its_own_memories(self, records: Truth) -> None:
        memories = [a_memory(float(n)) for n in range(5)]
        await records.save(memories[:3])
        await records.save(memories)

        kept = [[each.version for each in await records.lookups.versions(memory.id)] for memory in memories]

        assert kept == [[2, 1]] * 3 + [[1]] * 2

    async def test_a_memory_is_replaced_only_at_the_expected_version(self, records: Truth) -> None:
        memory = a_memory(1.0)
        assert await records.replace(memory, expected=1) is None
        await numbered(records, 2)

        assert await records.replace(memory, expected=1) is None
        saved = await records.replace(a_memory(1.0, payload={"n": 3}), expected=2)

        assert saved is not None
        assert (saved.id, saved.version, saved.created) == (PLACE, 3, False)
        assert (await living(records, memory)).payload == {"n": 3}
        assert [each.version for each in await records.lookups.versions(PLACE)] == [3, 2, 1]
        assert kinds(await waiting(records), memory) == [("created", 1), ("updated", 2), ("updated", 3)]

    async def test_what_was_deleted_is_not_replaced(self, records: Truth) -> None:
        await numbered(records, 1)
        await records.delete([PLACE])

        assert await records.replace(a_memory(1.0), expected=2) is None
        assert (await living(records, a_memory(1.0))).deleted

    async def test_of_many_who_replace_one_version_one_wins(self, records: Truth) -> None:
        await numbered(records, 1)

        writers = (records.replace(a_memory(1.0, payload={"n": n}), expected=1) for n in range(10))
        answers = [saved for saved in await asyncio.gather(*writers) if saved]

        assert [saved.version for saved in answers] == [2]

    async def test_a_memory_is_deleted_only_at_the_expected_version(self, records: Truth) -> None:
        await numbered(records, 2)

        assert await records.delete([PLACE], expected=1) == []
        assert [saved.version for saved in await records.delete([PLACE], expected=2)] == [3]
