"""What every truth promises, with its outbox and its event log. A subclass brings the fixture `records`: empty."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol
from uuid import UUID, uuid4

import pytest

from somafractalmemory.errors import Rejected
from somafractalmemory.indexing.batching import Batcher
from somafractalmemory.model import Memory, MemoryType, NewMemory, new_memory
from somafractalmemory.model.events import MemoryEvent
from somafractalmemory.ports import EventLog, Outbox, OutboxDepth, Records, Search


class Truth(Records, Outbox, EventLog, Protocol):
    """The three ports that one store serves."""


def a_memory(*coordinate: float, **changes: Any) -> NewMemory:
    """A memory in the namespace `here`."""
    fields: dict[str, Any] = {
        "namespace": "here",
        "coordinate": coordinate or (1.0,),
        "payload": {"fact": "herons wade"},
        "memory_type": MemoryType.EPISODIC,
        "now": 1000.0,
    }
    return new_memory(**(fields | changes))


def poisoned(*coordinate: float) -> NewMemory:
    """A memory whose payload passed our checks by mistake, and that no store can hold."""
    return replace(a_memory(*coordinate), payload_json='{"fact": "a\\u0000b"}')


async def living(records: Records, memory: NewMemory) -> Memory:
    """What the truth says of a memory."""
    return (await records.get([memory.id]))[memory.id]


async def found(records: Records, query: str, **search: Any) -> list[UUID]:
    """The identifiers that a search by words finds, best first."""
    conditions: dict[str, Any] = {"namespace": "here", "memory_type": None, "filters": {}, "limit": 50}
    return [memory.id for memory, _ in await records.find_text(query, Search(**(conditions | search)))]


async def waiting(records: Outbox) -> list[MemoryEvent]:
    """What the outbox holds."""
    assert await records.lead()
    return [event for _, event in await records.pending(10_000)]


def kinds(events: Sequence[MemoryEvent], memory: NewMemory) -> list[tuple[str, int | None]]:
    """Type and version of one memory's events."""
    return [(event.type, event.version) for event in events if event.id == memory.id]


class RecordsContract:
    """Behaviour, not implementation."""

    async def test_a_saved_memory_is_read_back_as_it_came(self, records: Truth) -> None:
        payload = {"fact": "ä ß 漢", "n": [1, 2.5, None, True], "deep": {"er": {}}, "importance": 2, "timestamp": 50}
        memory = a_memory(1.5, -2.0, 1e300, payload=payload, memory_type=MemoryType.SEMANTIC)

        (saved,) = await records.save([memory])

        assert (saved.id, saved.version, saved.created) == (memory.id, 1, True)
        read = await living(records, memory)
        assert read.payload == payload
        assert read.coordinate == (1.5, -2.0, 1e300)
        assert (read.namespace, read.memory_type, read.importance, read.timestamp) == ("here", "semantic", 2.0, 50.0)
        assert (read.version, read.deleted, read.created_at) == (1, False, read.updated_at)

    async def test_each_write_at_a_place_raises_its_version_by_one(self, records: Truth) -> None:
        memory = a_memory(2.0)

        versions = [(await records.save([memory]))[0] for _ in range(3)]
        versions += await records.delete([memory.id])
        versions += await records.save([memory])

        assert [(saved.version, saved.created) for saved in versions] == [
            (1, True),
            (2, False),
            (3, False),
            (4, False),
            (5, True),
        ]

    async def test_an_update_keeps_the_time_of_creation(self, records: Truth) -> None:
        memory = a_memory(3.0)
        await records.save([memory])
        first = await living(records, memory)

        await records.save([a_memory(3.0, payload={"fact": "new"})])

        second = await living(records, memory)
        assert second.created_at == first.created_at
        assert second.updated_at >= first.updated_at
        assert second.payload == {"fact": "new"}

    async def test_a_deleted_memory_leaves_an_empty_tombstone(self, records: Truth) -> None:
        memory = a_memory(4.0, payload={"fact": "secret", "importance": 5})
        await records.save([memory])

        (gone,) = await records.delete([memory.id])

        assert (gone.id, gone.version) == (memory.id, 2)
        tombstone = await living(records, memory)
        assert (tombstone.deleted, tombstone.payload, tombstone.version) == (True, {}, 2)
        assert await found(records, "secret") == []

    async def test_what_does_not_live_cannot_be_deleted(self, records: Truth) -> None:
        memory = a_memory(5.0)
        await records.save([memory])
        await records.delete([memory.id])

        assert await records.delete([memory.id, uuid4()]) == []
        assert (await living(records, memory)).version == 2

    async def test_a_batch_answers_in_the_order_of_its_items(self, records: Truth) -> None:
        memories = [a_memory(float(n)) for n in range(50)]
        await records.save(memories[::2])

        saved = await records.save(memories)

        assert [each.id for each in saved] == [memory.id for memory in memories]
        assert [each.version for each in saved] == [2, 1] * 25

    async def test_get_leaves_out_what_never_was(self, records: Truth) -> None:
        memory = a_memory(6.0)
        await records.save([memory])

        assert set(await records.get([memory.id, uuid4()])) == {memory.id}
        assert await records.get([]) == {}

    async def test_every_write_leaves_one_event_in_order(self, records: Truth) -> None:
        memory = a_memory(7.0, payload={"fact": "first"})
        await records.save([memory])
        await records.save([a_memory(7.0, payload={"fact": "second"})])
        await records.delete([memory.id])
        await records.save([memory])

        events = await waiting(records)

        assert kinds(events, memory) == [("created", 1), ("updated", 2), ("deleted", 3), ("created", 4)]
        assert [event.payload_json.replace(" ", "") for event in events] == [
            '{"fact":"first"}',
            '{"fact":"second"}',
            "{}",
            '{"fact":"first"}',
        ]
        assert {event.namespace for event in events} == {"here"}
        assert len({event.event_id for event in events}) == 4

    async def test_published_events_leave_the_outbox(self, records: Truth) -> None:
        await records.save([a_memory(float(n)) for n in range(5)])
        assert await records.lead()
        pending = await records.pending(3)

        await records.done([number for number, _ in pending])

        left = await records.pending(10)
        assert len(pending) == 3
        assert len(left) == 2
        assert min(number for number, _ in left) > max(number for number, _ in pending)

    async def test_the_outbox_tells_its_depth(self, records: Truth) -> None:
        assert await records.depth() == OutboxDepth(0, 0.0)

        await records.save([a_memory(1.0), a_memory(2.0)])

        depth = await records.depth()
        assert depth.rows == 2
        assert depth.age_seconds >= 0.0

    async def test_concurrent_writers_of_one_place_get_distinct_versions(self, records: Truth) -> None:
        memory = a_memory(8.0)

        saved = await asyncio.gather(*(records.save([memory]) for _ in range(20)))

        assert sorted(each[0].version for each in saved) == list(range(1, 21))
        assert [version for _, version in kinds(await waiting(records), memory)] == list(range(1, 21))

    async def test_a_poisoned_item_spoils_nothing_but_itself(self, records: Truth) -> None:
        memories = [a_memory(float(n)) for n in range(9)]
        memories[4] = poisoned(4.0)

        async with Batcher(records.save, name="records", key=lambda memory: memory.id) as saves:
            answers = await asyncio.gather(*(saves.submit(memory) for memory in memories), return_exceptions=True)

        assert isinstance(answers[4], Rejected)
        assert not [answer for at, answer in enumerate(answers) if at != 4 and isinstance(answer, BaseException)]
        assert set(await records.get([memory.id for memory in memories])) == {
            memory.id for at, memory in enumerate(memories) if at != 4
        }

    async def test_a_refused_batch_leaves_nothing(self, records: Truth) -> None:
        good = a_memory(1.0)

        with pytest.raises(Rejected):
            await records.save([good, poisoned(2.0)])

        assert await records.get([good.id]) == {}
        assert (await records.depth()).rows == 0

    async def test_words_are_found_inside_the_namespace_only(self, records: Truth) -> None:
        mine = a_memory(1.0, payload={"fact": "kestrels hover"})
        other = a_memory(1.0, payload={"fact": "kestrels hover"}, namespace="here2")
        await records.save([mine, other])

        assert await found(records, "kestrels") == [mine.id]
        assert await found(records, "kestrels", namespace="here2") == [other.id]
        assert await found(records, "kestrels", namespace="her") == []
        assert await found(records, "kestrels", namespace="her_") == []
        assert await found(records, "kestrels", namespace="%") == []

    async def test_any_word_counts_and_more_words_count_more(self, records: Truth) -> None:
        both = a_memory(1.0, payload={"fact": "wrens sing loudly"})
        one = a_memory(2.0, payload={"fact": "wrens build domes"})
        none = a_memory(3.0, payload={"fact": "buses depart"})
        await records.save([one, both, none])

        assert await found(records, "do WRENS sing?") == [both.id, one.id]
        assert await found(records, "wrens sing", limit=1) == [both.id]

    @pytest.mark.parametrize("query", ["", "...", "a & b | !", "'quoted\\", "\x00", "%", "x" * 5000])
    async def test_any_text_is_a_query(self, records: Truth, query: str) -> None:
        await records.save([a_memory(1.0)])

        assert await found(records, query) == []

    async def test_filters_compare_by_equality_and_apply_before_the_cut(self, records: Truth) -> None:
        payloads: list[dict[str, Any]] = [
            {"fact": "tern", "n": 1, "tags": ["a", "b"], "flag": True, "none": None},
            {"fact": "tern", "n": 2, "tags": ["a"], "flag": False},
            {"fact": "tern", "n": "1"},
        ]
        first, second, third = memories = [a_memory(float(n), payload=each) for n, each in enumerate(payloads)]
        await records.save(memories)

        assert await found(records, "tern", filters={"n": 1}, limit=1) == [first.id]
        assert await found(records, "tern", filters={"n": 1.0}) == [first.id]
        assert await found(records, "tern", filters={"n": "1"}) == [third.id]
        assert await found(records, "tern", filters={"tags": ["a"]}) == [second.id]
        assert await found(records, "tern", filters={"flag": True, "n": 1}) == [first.id]
        assert await found(records, "tern", filters={"flag": True, "n": 2}) == []
        assert await found(records, "tern", filters={"n": True}) == []
        assert await found(records, "tern", filters={"none": None}) == [first.id]
        assert await found(records, "tern", filters={"absent": None}) == []

    async def test_a_type_is_searched_by_itself(self, records: Truth) -> None:
        fact = a_memory(1.0, memory_type=MemoryType.SEMANTIC)
        episode = a_memory(2.0)
        await records.save([fact, episode])

        assert await found(records, "herons", memory_type=MemoryType.SEMANTIC) == [fact.id]
        assert await found(records, "herons", memory_type=MemoryType.EPISODIC) == [episode.id]

    async def test_living_memories_are_counted_by_type(self, records: Truth) -> None:
        memories = [a_memory(float(n), memory_type=MemoryType.SEMANTIC) for n in range(3)]
        memories += [a_memory(float(n)) for n in range(3, 8)]
        await records.save([*memories, a_memory(1.0, namespace="elsewhere")])
        await records.delete([memories[0].id, memories[7].id])

        counts = await records.count("here")

        assert (counts.semantic, counts.episodic) == (2, 4)
        assert (await records.count("nowhere")).episodic == 0

    async def test_a_scan_passes_every_living_memory_once_in_order(self, records: Truth) -> None:
        memories = [a_memory(float(n), namespace=f"n{n % 3}") for n in range(25)]
        await records.save(memories)
        await records.delete([memories[3].id])

        seen: list[UUID] = []
        while page := await records.scan(seen[-1] if seen else None, 7):
            assert len(page) <= 7
            seen += [memory.id for memory in page]

        assert seen == sorted(memory.id for memory in memories if memory is not memories[3])

    async def test_an_event_is_logged_once_however_often_it_comes(self, records: Truth) -> None:
        event = MemoryEvent(uuid4(), uuid4(), "here", "created", 5.0, '{"fact": "x"}', 1)

        await records.append([event])
        await records.append([event, replace(event, event_id=uuid4(), version=None)])
        await asyncio.gather(*(records.append([event]) for _ in range(5)))

        assert await self.logged(records) == 2

    @pytest.mark.parametrize("spoiled", [{"payload_json": '"a\\u0000b"'}, {"namespace": "a\x00b"}, {"version": 2**63}])
    async def test_an_event_that_cannot_be_held_is_rejected(self, records: Truth, spoiled: dict[str, Any]) -> None:
        event = MemoryEvent(uuid4(), uuid4(), "here", "created", 5.0, "{}", 1)

        with pytest.raises(Rejected):
            await records.append([event, replace(event, event_id=uuid4(), **spoiled)])

        assert await self.logged(records) == 0

    async def test_nothing_to_do_is_done(self, records: Truth) -> None:
        assert await records.save([]) == []
        assert await records.delete([]) == []
        await records.append([])
        assert await records.lead()
        await records.done([])
        await records.ping()

    async def logged(self, _records: Truth) -> int:
        """How many events the log holds."""
        raise NotImplementedError
