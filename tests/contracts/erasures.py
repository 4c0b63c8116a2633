"""What every truth promises about erasing. A subclass brings the fixture `records`: empty."""

from dataclasses import replace
from uuid import UUID, uuid4

from somafractalmemory.model.events import MemoryEvent
from somafractalmemory.model.graph import Link
from somafractalmemory.ports.care import Deed
from tests.contracts.records import Truth, a_memory, living, waiting


async def a_life(records: Truth) -> UUID:
    """A memory with a former version, a link each way, an event in the log and two in the outbox."""
    one, other = a_memory(1.0), a_memory(2.0)
    await records.save([one, other])
    await records.save([one])
    for link in (Link(one.id, other.id, "a", 1.0), Link(other.id, one.id, "b", 1.0)):
        await records.links.link(link, "{}")
    await records.append([event for event in await waiting(records) if event.id == one.id])
    return one.id


class ErasuresContract:
    """Behaviour, not implementation."""

    async def test_everything_that_hangs_on_a_memory_goes_with_it(self, records: Truth) -> None:
        place = await a_life(records)

        counts = await records.erasures.erase([place])

        assert dict(counts) == {
            "memories": 1,
            "tombstones": 0,
            "versions": 1,
            "links": 2,
            "logged_events": 3,
            "unpublished_events": 3,
        }
        assert await records.get([place]) == {}
        assert list(await records.states.look([place])) == []
        assert await records.lookups.versions(place) == []
        assert list(await records.links.edges([a_memory(2.0).id], None, 10)) == []
        assert (await living(records, a_memory(2.0))).payload == a_memory(2.0).payload
        ((kind, version, payload),) = [
            (event.type, event.version, event.payload_json) for event in await waiting(records) if event.id == place
        ]
        assert (kind, version, payload) == ("deleted", 3, "{}")

    async def test_erasing_again_finds_nothing(self, records: Truth) -> None:
        place = await a_life(records)
        await records.erasures.erase([place])

        again = await records.erasures.erase([place, uuid4()])

        assert set(again.values()) == {0}
        assert [event.type for event in await waiting(records) if event.id == place] == ["deleted"]

    async def test_events_from_before_do_not_come_back(self, records: Truth) -> None:
        place = await a_life(records)
        before = [event for event in await waiting(records) if event.id == place]
        await records.erasures.erase([place])
        told = [event for event in await waiting(records) if event.id == place]

        await records.append([*before, *told])

        assert set((await records.erasures.erase([place])).values()) == {0}

    async def test_a_memory_stored_there_later_goes_on_counting(self, records: Truth) -> None:
        place = await a_life(records)
        await records.erasures.erase([place])

        (saved,) = await records.save([a_memory(1.0)])
        await records.append([event for event in await waiting(records) if event.id == place])

        assert (saved.version, saved.created) == (4, True)
        assert (await records.erasures.erase([place]))["logged_events"] == 1

    async def test_a_tombstone_goes_without_another_event(self, records: Truth) -> None:
        memory = a_memory(3.0)
        await records.save([memory])
        await records.delete([memory.id])
        await records.done([number for number, _ in await records.pending(100)] if await records.lead() else [])

        counts = await records.erasures.erase([memory.id])

        assert (counts["memories"], counts["tombstones"]) == (0, 1)
        assert await waiting(records) == []

    async def test_a_foreign_memory_is_erased_and_its_old_events_stay_away(self, records: Truth) -> None:
        event = MemoryEvent(uuid4(), uuid4(), "here", "created", 1000.0, '{"fact":"theirs"}')
        await records.append([event])

        assert (await records.erasures.erase([event.id]))["logged_events"] == 1
        await records.append([event])
        assert await records.get([event.id]) == {}

        await records.append([replace(event, event_id=uuid4(), timestamp=9e9)])
        assert event.id in await records.get([event.id])

    async def test_what_only_bears_the_name_of_the_namespace_goes_in_steps(self, records: Truth) -> None:
        known = MemoryEvent(uuid4(), uuid4(), "here", "created", 1.0, "{}", 4)
        other = MemoryEvent(uuid4(), uuid4(), "elsewhere", "created", 1.0, "{}", 4)
        await records.append([known, other, replace(known, event_id=uuid4(), version=5)])

        steps = [(await records.erasures.erase_rest("here", 1))["logged_events"] for _ in range(3)]
        await records.append([known])

        assert steps == [1, 1, 0]
        assert (await records.erasures.erase_rest("here", 10))["logged_events"] == 0
        assert (await records.erasures.erase_rest("elsewhere", 10))["logged_events"] == 1

    async def test_the_trail_of_a_memory_or_a_namespace_goes(self, records: Truth) -> None:
        place = uuid4()
        deeds = [Deed("store", "here", memory_id=place), Deed("store", "here", memory_id=uuid4()), Deed("x", "there")]
        await records.audits.append([(deed, "me", None) for deed in deeds])

        assert await records.erasures.erase_trail("here", place, 10) == 1
        assert await records.erasures.erase_trail("here", place, 10) == 0
        assert (await records.erasures.erase_rest("here", 10))["audit_rows"] == 1
        assert len(await records.audits.page("there", action=None, before=None, limit=10)) == 1
