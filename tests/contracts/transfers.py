"""What every truth promises about taking memories out and putting them back. A subclass brings `records`: empty."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from somafractalmemory.model import Memory, MemoryType
from somafractalmemory.model.graph import PlacedLink
from somafractalmemory.model.restoring import Fate, Restored, as_it_is
from tests.contracts.links import between
from tests.contracts.links import living as living_at
from tests.contracts.records import Truth, a_memory, kinds, living, waiting


def restored(*coordinate: float, version: int = 3, past: tuple[int, ...] = (), **changes: Any) -> Restored:
    """A memory out of an export, with these versions behind it."""
    versions = [
        (Restored(a_memory(*coordinate, payload={"n": number}), number, 10.0, 10.0 + number)) for number in past
    ]
    return Restored(a_memory(*coordinate, **changes), version, 10.0, 20.0, 7, 19.0, tuple(versions))


async def past(records: Truth, place: UUID) -> list[int]:
    """The numbers of all versions."""
    return [memory.version for memory in await records.lookups.versions(place)]


def link(source: float, target: float, kind: str = "related", created_at: float = 15.0) -> PlacedLink:
    """A link out of an export."""
    return PlacedLink((source,), (target,), kind, 0.5, created_at)


async def all_links(records: Truth, *places: float) -> list[PlacedLink]:
    """Those that lead from here."""
    page = await records.links.page(namespace="here", link_type=None, after=None, limit=100)
    return [link for link in page if link.source[0] in places]


class TransfersContract:
    """Behaviour, not implementation."""

    async def test_a_memory_comes_back_with_its_times_its_version_and_its_past(self, records: Truth) -> None:
        item = restored(1.5, -2.0, version=7, past=(6, 4), memory_type=MemoryType.SEMANTIC)

        (placed,) = await records.transfers.restore([item], under=None)

        assert (placed.fate, placed.version) == (Fate.CREATED, 7)
        assert await living(records, item.memory) == as_it_is(item)
        _, *older = await records.lookups.versions(placed.id)
        assert [replace(memory, access_count=0, accessed_at=None) for memory in older] == list(
            map(as_it_is, item.versions)
        )
        assert kinds(await waiting(records), item.memory) == [("created", 7)]

    async def test_restoring_again_changes_nothing(self, records: Truth) -> None:
        item = restored(1.0, past=(2, 1))
        for under in (None, await records.transfers.begin()):
            await records.transfers.restore([item], under=under)

            (placed,) = await records.transfers.restore([item], under=under)

            assert (placed.fate, placed.version) == (Fate.UNCHANGED, 3)
        assert await past(records, item.memory.id) == [3, 2, 1]
        assert len(await waiting(records)) == 1

    async def test_versions_only_ever_go_up(self, records: Truth) -> None:
        memory = a_memory(1.0)
        for _ in range(3):
            await records.save([memory])
        await records.delete([memory.id])

        (over_tombstone,) = await records.transfers.restore([restored(1.0, version=2)], under=None)
        (again,) = await records.transfers.restore([restored(1.0, version=2)], under=None)
        (other,) = await records.transfers.restore([restored(1.0, version=2, payload={"n": 1})], under=None)

        assert (over_tombstone.fate, over_tombstone.version) == (Fate.CREATED, 5)
        assert again.fate is Fate.UNCHANGED
        assert (other.fate, other.version) == (Fate.REPLACED, 6)
        assert [version for _, version in kinds(await waiting(records), memory)] == [1, 2, 3, 4, 5, 6]

    async def test_what_was_there_becomes_a_version(self, records: Truth) -> None:
        await records.save([a_memory(1.0, payload={"mine": 1})])

        (placed,) = await records.transfers.restore([restored(1.0, version=9, past=(8,))], under=None)

        versions = await records.lookups.versions(placed.id)
        assert [memory.version for memory in versions] == [9, 8, 1]
        assert versions[-1].payload == {"mine": 1}

    async def test_a_replacing_import_leaves_exactly_the_past_of_the_file(self, records: Truth) -> None:
        for n in range(3):
            await records.save([a_memory(1.0, payload={"mine": n})])
        started = await records.transfers.begin()

        (placed,) = await records.transfers.restore([restored(1.0, version=9, past=(8, 7))], under=started)

        assert await past(records, placed.id) == [9, 8, 7]

    async def test_the_past_stays_within_its_bound(self, records: Truth) -> None:
        for n in range(5):
            await records.save([a_memory(1.0, payload={"mine": n})])

        item = restored(1.0, version=90, past=tuple(range(89, 69, -1)))
        (placed,) = await records.transfers.restore([item], under=None)

        assert await past(records, placed.id) == list(range(90, 69, -1))

    async def test_histories_tell_the_past_of_many(self, records: Truth) -> None:
        one, two, three = a_memory(1.0), a_memory(2.0), a_memory(3.0)
        await records.save([one, two, three])
        await records.save([one, two])
        await records.save([one])
        await records.delete([two.id])

        found = await records.transfers.histories([one.id, two.id, three.id])

        assert {place: [memory.version for memory in old] for place, old in found.items()} == {one.id: [2, 1]}

    async def test_links_come_back_with_their_times(self, records: Truth) -> None:
        await living_at(records, 1.0, 2.0, 3.0)
        links = [link(1.0, 2.0, "b"), link(1.0, 2.0, "a", 16.0), link(2.0, 3.0), link(3.0, 1.0)]

        assert await records.transfers.restore_links("here", links, under=None) == []

        assert {*await all_links(records, 1.0, 2.0, 3.0)} == {*links}

    async def test_links_without_both_ends_are_told(self, records: Truth) -> None:
        await living_at(records, 1.0, 2.0)
        lost = [link(1.0, 9.0), link(9.0, 1.0)]

        assert await records.transfers.restore_links("here", [lost[0], link(1.0, 2.0), lost[1]], under=None) == lost
        assert await records.transfers.restore_links("there", [link(1.0, 2.0)], under=None) == [link(1.0, 2.0)]

    async def test_restored_links_leave_events_once(self, records: Truth) -> None:
        one, _ = await living_at(records, 1.0, 2.0)
        for _ in range(2):
            await records.transfers.restore_links("here", [link(1.0, 2.0)], under=None)

        assert kinds(await waiting(records), one) == [("created", 1), ("linked", 1)]

    async def test_what_an_import_did_not_bring_is_known_and_what_came_since_is_not(self, records: Truth) -> None:
        await records.save([a_memory(1.0), a_memory(2.0), a_memory(3.0, namespace="there")])
        started = await records.transfers.begin()
        await records.transfers.restore([restored(2.0), restored(4.0)], under=started)
        await records.save([a_memory(5.0)])

        assert await records.transfers.foreign_to("here", started, 10) == [a_memory(1.0).id]
        assert await records.transfers.foreign_to("here", started, 0) == []

    async def test_links_that_an_import_did_not_bring_go_at_its_end(self, records: Truth) -> None:
        one, two = await living_at(records, 1.0, 2.0)
        await records.links.link(between(one, two, "old"), "{}")
        started = await records.transfers.begin()
        await records.transfers.restore_links("here", [link(1.0, 2.0)], under=started)
        await records.links.link(between(two, one, "new"), "{}")

        assert await records.transfers.finish("here", started) == 1

        assert [placed.type for placed in await all_links(records, 1.0, 2.0)] in (
            ["related", "new"],
            ["new", "related"],
        )

    async def test_a_restored_memory_is_found_by_its_words(self, records: Truth) -> None:
        item = restored(1.0, payload={"fact": "storks clatter"})
        await records.transfers.restore([item], under=None)

        memories: list[Memory] = list(
            await records.lookups.page(namespace="here", memory_type=None, after=None, limit=9)
        )

        assert [memory.payload for memory in memories] == [{"fact": "storks clatter"}]
