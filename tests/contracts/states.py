"""What every truth promises of its entries. A subclass brings the fixture `records`: empty."""

from uuid import uuid4

from somafractalmemory.model.events import MemoryEvent
from somafractalmemory.ports.states import State
from tests.contracts.records import Truth, a_memory


class StatesContract:
    """Behaviour, not implementation."""

    async def test_entries_are_read_in_the_order_of_their_identifiers(self, records: Truth) -> None:
        memories = [a_memory(float(n), namespace="here" if n % 3 else "there") for n in range(12)]
        await records.save(memories)
        await records.save(memories[:4])
        await records.delete([memories[1].id])
        versions = {memory.id: 1 + (n < 4) + (n == 1) for n, memory in enumerate(memories)}
        expected = [
            State(memory.id, memory.namespace, versions[memory.id], deleted=memory is memories[1])
            for memory in sorted(memories, key=lambda memory: memory.id)
        ]

        first = await records.states.scan(None, 7)
        rest = await records.states.scan(first[-1].id, 7)

        assert [*first, *rest] == expected
        assert list(await records.states.scan(None, 100, namespace="there")) == [
            state for state in expected if state.namespace == "there"
        ]
        assert list(await records.states.look([memories[1].id, uuid4()])) == [
            State(memories[1].id, "here", 3, deleted=True)
        ]

    async def test_a_foreign_memory_has_the_entry_of_its_latest_event(self, records: Truth) -> None:
        place = uuid4()
        for moment, kind in ((10.0, "created"), (12.5, "deleted"), (11.0, "updated")):
            await records.append([MemoryEvent(uuid4(), place, "there", kind, moment, '{"fact":"x"}')])  # type: ignore[arg-type]

        expected = [State(place, "there", 12_500, deleted=True)]
        assert list(await records.states.scan(None, 10)) == expected
        assert list(await records.states.scan(place, 10)) == []
        assert list(await records.states.scan(None, 10, namespace="elsewhere")) == []
        assert list(await records.states.look([place])) == expected

    async def test_progress_is_kept_until_the_task_ends(self, records: Truth) -> None:
        assert await records.states.progress("walk") is None

        await records.states.keep_progress("walk", {"after": "a", "seen": 1})
        await records.states.keep_progress("walk", {"after": "b", "seen": 2})
        assert await records.states.progress("walk") == {"after": "b", "seen": 2}
        assert await records.states.progress("another walk") is None

        await records.states.keep_progress("walk", None)
        assert await records.states.progress("walk") is None
