"""The truth and the index side by side."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somafractalmemory.errors import Unavailable
from somafractalmemory.indexing.points import tombstone_of
from somafractalmemory.indexing.reconciling import Difference, Reconciler, Report, differences
from somafractalmemory.model import MemoryType, NewMemory, Point, new_memory
from somafractalmemory.ports.states import State
from tests.unit.api_server.conftest import World


def memory(number: int, namespace: str = "ns") -> NewMemory:
    return new_memory(
        namespace=namespace,
        coordinate=(float(number),),
        payload={"fact": f"a fact {number}"},
        memory_type=MemoryType.SEMANTIC,
        now=1.0,
    )


def reconciler(world: World) -> Reconciler:
    return Reconciler(records=world.records, vectors=world.vectors, indexer=world.indexer, page=7, settle_seconds=0.0)


async def spoiled(world: World) -> dict[str, UUID]:
    """Forty memories; one is missing from the index, one stale, one alive there only, one unknown to the truth."""
    memories = [memory(number, "ns" if number % 2 else "other") for number in range(40)]
    await world.records.save(memories)
    await world.indexer.refresh([each.id for each in memories])
    missing, stale, undead, orphan, ahead = (each.id for each in memories[:5])
    points = world.vectors._points
    del points[missing]
    await world.records.save([memories[1]])
    await world.records.delete([undead])
    points[ahead] = replace(points[ahead], version=9)
    world.records._rows.pop(orphan)
    return {"missing": missing, "stale": stale, "undead": undead, "orphan": orphan, "ahead": ahead}


async def test_a_check_counts_every_kind_of_difference_and_changes_nothing(world: World) -> None:
    await spoiled(world)
    before = dict(world.vectors._points)

    report = await reconciler(world).check(None)

    assert not report.equal
    assert (report.memories, report.missing, report.stale, report.orphaned) == (38, 1, 3, 1)
    assert len(report.examples) == 5
    assert world.vectors._points == before


async def test_after_mending_nothing_differs_and_every_memory_is_found(world: World) -> None:
    places = await spoiled(world)

    report = await reconciler(world).mend(None)

    assert report.mended == 5
    assert (await reconciler(world).check(None)).as_json() | {"examples": []} == Report(
        memories=38, entries=38
    ).as_json()
    assert world.vectors._points[places["ahead"]].version == 1
    assert places["orphan"] not in world.vectors._points
    assert world.vectors._points[places["undead"]].deleted_at is not None


async def test_only_the_named_namespace_is_touched(world: World) -> None:
    await spoiled(world)

    report = await reconciler(world).mend("ns")

    assert (report.memories, report.missing, report.stale, report.orphaned) == (19, 0, 1, 1)
    left = await reconciler(world).check(None)
    assert (left.missing, left.stale, left.orphaned) == (1, 2, 0)


async def test_a_lost_index_is_whole_again_and_says_so(world: World) -> None:
    await world.records.save([memory(number) for number in range(30)])
    world.vectors.lose()

    report = await reconciler(world).mend(None)

    assert (report.missing, report.mended) == (30, 30)
    assert await world.vectors.is_complete()


async def test_rewriting_puts_every_memory_again(world: World) -> None:
    await world.records.save([memory(number) for number in range(20)])
    await world.indexer.refresh([memory(number).id for number in range(20)])
    for place, point in world.vectors._points.items():
        world.vectors._points[place] = replace(point, facets=[0])

    report = await reconciler(world).mend(None, rewrite=True)

    assert (report.equal, report.mended) == (True, 20)
    assert all(point.facets != [0] for point in world.vectors._points.values())


async def test_an_interrupted_run_goes_on_where_it_stopped(world: World) -> None:
    await world.records.save([memory(number) for number in range(30)])
    world.vectors.lose()
    await world.vectors.is_complete()
    seen: list[int] = []

    def interrupted(report: Report) -> None:
        seen.append(report.memories)
        if len(seen) == 2:
            raise Unavailable("qdrant", "killed")

    with pytest.raises(Unavailable):
        await reconciler(world).mend(None, interrupted)
    report = await reconciler(world).mend(None, lambda report: seen.append(report.memories))

    assert seen == [7, 14, 21, 28, 30]
    assert (report.resumed, report.mended) == (True, 30)
    assert not (await reconciler(world).mend(None)).resumed


async def test_a_run_over_an_index_that_was_lost_meanwhile_starts_again(world: World) -> None:
    await world.records.save([memory(number) for number in range(30)])

    def interrupted(_: Report) -> None:
        raise Unavailable("qdrant", "killed")

    with pytest.raises(Unavailable):
        await reconciler(world).mend(None, interrupted)
    world.vectors.lose()
    report = await reconciler(world).mend(None)

    assert (report.resumed, report.mended) == (False, 30)
    assert (await reconciler(world).check(None)).equal


async def test_a_write_under_way_is_no_difference(world: World) -> None:
    """The index is a moment behind while it is read; by the second look it has caught up."""
    await world.records.save([memory(1)])
    states = world.vectors.states
    look = states.look

    class LateStates(type(states)):  # type: ignore[misc]
        async def look(self, ids: Sequence[UUID]) -> Sequence[State]:
            await world.indexer.refresh(list(ids))
            return await look(ids)

    states.__class__ = LateStates

    assert (await reconciler(world).check(None)).equal


IDS = [UUID(int=n) for n in range(1, 6)]
ENTRIES = st.dictionaries(
    st.sampled_from(IDS),
    st.builds(lambda version, deleted: (version, deleted), st.integers(1, 4), st.booleans()),
)


@given(truth=ENTRIES, index=ENTRIES)
def test_nothing_differs_exactly_when_what_is_found_is_what_lives(
    truth: dict[UUID, tuple[int, bool]], index: dict[UUID, tuple[int, bool]]
) -> None:
    def states(entries: dict[UUID, tuple[int, bool]]) -> dict[UUID, State]:
        return {place: State(place, "ns", version, deleted) for place, (version, deleted) in entries.items()}

    def alive(entries: dict[UUID, tuple[int, bool]]) -> set[tuple[UUID, int]]:
        return {(place, version) for place, (version, deleted) in entries.items() if not deleted}

    wrong = differences(states(truth), states(index))

    assert (not wrong) == (alive(truth) == alive(index))
    assert set(wrong) == {place for place, _ in alive(truth) ^ alive(index)}
    assert all((place not in truth) == (kind is Difference.ORPHANED) for place, kind in wrong.items())


def test_a_tombstone_the_truth_does_not_know_is_harmless() -> None:
    buried: Point = tombstone_of(uuid4(), "ns", 3, 1.0)

    assert not differences({}, {buried.id: State(buried.id, "ns", 3, deleted=True)})
