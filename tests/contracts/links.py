"""What every truth promises about links. A subclass brings the fixture `records`: empty."""

import asyncio
from uuid import UUID

from somafractalmemory.model import Coordinate, NewMemory
from somafractalmemory.model.graph import Edge, Link
from tests.contracts.records import Truth, a_memory, kinds, waiting


def between(source: NewMemory, target: NewMemory, kind: str = "related", weight: float = 1.0) -> Link:
    """A link."""
    return Link(source.id, target.id, kind, weight)


async def living(records: Truth, *places: float) -> list[NewMemory]:
    """Memories at these places."""
    memories = [a_memory(place) for place in places]
    await records.save(memories)
    return memories


async def edges(records: Truth, source: NewMemory, kind: str | None = None, limit: int = 100) -> list[Edge]:
    """Where links lead from a memory."""
    return list(await records.links.edges([source.id], kind, limit))


async def targets(records: Truth, source: NewMemory, kind: str | None = None) -> list[UUID]:
    """The memories that links lead to."""
    return [edge.target for edge in await edges(records, source, kind)]


class LinksContract:
    """Behaviour, not implementation."""

    async def test_a_link_leads_one_way_and_tells_where(self, records: Truth) -> None:
        one, two = await living(records, 1.0, 2.0)

        assert await records.links.link(between(one, two, "causes", 0.5), "{}") == []

        (edge,) = await edges(records, one)
        assert (edge.source, edge.target, edge.coordinate) == (one.id, two.id, (2.0,))
        assert (edge.type, edge.weight) == ("causes", 0.5)
        assert edge.timestamp > 0
        assert await targets(records, two) == []

    async def test_linking_again_changes_the_weight_only(self, records: Truth) -> None:
        one, two = await living(records, 1.0, 2.0)
        await records.links.link(between(one, two, weight=1.0), "{}")
        (first,) = await edges(records, one)

        await records.links.link(between(one, two, weight=7.0), "{}")

        (second,) = await edges(records, one)
        assert (second.weight, second.timestamp) == (7.0, first.timestamp)

    async def test_each_type_is_a_link_of_its_own(self, records: Truth) -> None:
        one, two, three = await living(records, 1.0, 2.0, 3.0)
        await records.links.link(between(one, two, "a"), "{}")
        await records.links.link(between(one, two, "b"), "{}")
        await records.links.link(between(one, three, "b"), "{}")

        assert len(await edges(records, one)) == 3
        assert await targets(records, one, "b") == [two.id, three.id]
        assert await targets(records, one, "c") == []
        assert len(await edges(records, one, limit=2)) == 2

    async def test_what_does_not_live_cannot_be_linked(self, records: Truth) -> None:
        one, gone = await living(records, 1.0, 2.0)
        await records.delete([gone.id])
        never = a_memory(3.0)

        assert await records.links.link(between(one, gone), "{}") == [gone.id]
        assert await records.links.link(between(never, one), "{}") == [never.id]
        assert set(await records.links.link(between(never, gone), "{}")) == {never.id, gone.id}
        assert await targets(records, one) == []
        assert [event.type for event in await waiting(records)] == ["created", "created", "deleted"]

    async def test_links_go_with_either_end_and_do_not_come_back(self, records: Truth) -> None:
        one, two, three = await living(records, 1.0, 2.0, 3.0)
        for link in (between(one, two), between(two, three), between(three, one), between(one, three)):
            await records.links.link(link, "{}")

        await records.delete([two.id])
        await records.save([two])

        assert await targets(records, two) == []
        assert await targets(records, one) == [three.id]
        assert await targets(records, three) == [one.id]

    async def test_links_outlive_a_new_version(self, records: Truth) -> None:
        one, two = await living(records, 1.0, 2.0)
        await records.links.link(between(one, two), "{}")

        await records.save([one, two])

        assert await targets(records, one) == [two.id]

    async def test_an_unlinked_link_is_gone_once(self, records: Truth) -> None:
        one, two = await living(records, 1.0, 2.0)
        await records.links.link(between(one, two, "a"), "{}")
        await records.links.link(between(one, two, "b"), "{}")

        assert await records.links.unlink(between(one, two, "a"), "{}")
        assert not await records.links.unlink(between(one, two, "a"), "{}")
        assert not await records.links.unlink(between(two, one, "b"), "{}")
        assert [edge.type for edge in await edges(records, one)] == ["b"]

    async def test_linking_and_unlinking_leave_events_of_the_source(self, records: Truth) -> None:
        one, two = await living(records, 1.0, 2.0)
        await records.save([one])
        await records.links.link(between(one, two), '{"to":[2.0]}')
        await records.links.unlink(between(one, two), '{"removed":true}')

        events = await waiting(records)

        assert kinds(events, one) == [("created", 1), ("updated", 2), ("linked", 2), ("linked", 2)]
        assert [event.payload_json for event in events[-2:]] == ['{"to":[2.0]}', '{"removed":true}']

    async def test_the_links_of_many_are_read_together(self, records: Truth) -> None:
        one, two, three = await living(records, 1.0, 2.0, 3.0)
        for link in (between(one, two), between(two, three), between(three, one)):
            await records.links.link(link, "{}")

        found = await records.links.edges([one.id, two.id], None, 10)

        assert [(edge.source, edge.target) for edge in found] == [(one.id, two.id), (two.id, three.id)]
        assert await records.links.edges([], None, 10) == []

    async def test_a_link_never_outlives_a_deletion_at_the_same_time(self, records: Truth) -> None:
        for turn in range(10):
            one, two = await living(records, turn + 1.0, -turn - 1.0)

            await asyncio.gather(
                records.links.link(between(one, two), "{}"),
                records.delete([two.id]),
                records.links.link(between(two, one), "{}"),
            )
            await records.save([two])

            assert await targets(records, one) == []
            assert await targets(records, two) == []

    async def test_many_links_are_put_together_or_not_at_all(self, records: Truth) -> None:
        one, two, gone = await living(records, 1.0, 2.0, 3.0)
        await records.links.link(between(one, two, "a", 1.0), "{}")
        await records.delete([gone.id])
        many = [between(two, one, "b"), between(one, two, "a", 7.0), between(one, two, "c")]

        refused = await records.links.link_many([(link, "{}") for link in [*many, between(one, gone)]])
        assert refused == [gone.id]
        assert [edge.weight for edge in await edges(records, one)] == [1.0]

        assert await records.links.link_many([(link, f'{{"n":{at}}}') for at, link in enumerate(many)]) == []
        assert {(edge.type, edge.weight) for edge in await edges(records, one)} == {("a", 7.0), ("c", 1.0)}
        noted = [event for event in await waiting(records) if event.type == "linked"]
        assert {event.payload_json for event in noted[1:]} == {'{"n":0}', '{"n":1}', '{"n":2}'}

    async def test_links_are_listed_page_by_page_by_their_sources(self, records: Truth) -> None:
        near, far, third = await living(records, 2.0, 10.0, -3.0)
        wanted = [
            ((-3.0,), (2.0,), "z"),
            ((2.0,), (10.0,), "B"),
            ((2.0,), (10.0,), "a|b"),
            ((10.0,), (2.0,), "a"),
        ]
        by_place = {memory.coordinate: memory for memory in (near, far, third)}
        for source, target, kind in reversed(wanted):
            await records.links.link(between(by_place[source], by_place[target], kind), "{}")
        other = a_memory(1.0, namespace="other")
        await records.save([other, elsewhere := a_memory(2.0, namespace="other")])
        await records.links.link(between(other, elsewhere), "{}")

        found: list[tuple[Coordinate, Coordinate, str]] = []
        after = None
        while page := await records.links.page(namespace=near.namespace, link_type=None, after=after, limit=3):
            found += [(link.source, link.target, link.type) for link in page]
            after = (page[-1].source, page[-1].type, page[-1].target)

        assert found == wanted
        (only,) = await records.links.page(namespace=near.namespace, link_type="a", after=None, limit=3)
        assert (only.source, only.weight) == ((10.0,), 1.0)
        assert only.timestamp > 0

    async def test_several_links_of_one_memory_are_told_apart_on_their_pages(self, records: Truth) -> None:
        hub, *others = await living(records, 0.0, *map(float, range(1, 8)))
        await records.links.link_many([(between(hub, other), "{}") for other in others])

        found = []
        after = None
        while page := await records.links.page(namespace=hub.namespace, link_type=None, after=after, limit=2):
            found += [link.target for link in page]
            after = (page[-1].source, page[-1].type, page[-1].target)

        assert sorted(found) == [(float(at),) for at in range(1, 8)]
