"""What every truth promises about use, age and size. A subclass brings the fixture `records`."""

import asyncio
import random
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from somafractalmemory.model import SEALED, Memory, MemoryType, NewMemory
from somafractalmemory.model.importance import Heard, Window
from somafractalmemory.ports import Order
from somafractalmemory.ports.care import Access, Ages, Changed
from tests.contracts.records import Truth, a_memory, kinds, living, waiting

ALWAYS = Ages(since=0.0, until=1e12, keys=("scratch",))


def sealed(memory: NewMemory, text: str) -> NewMemory:
    """The memory with a seal."""
    payload = {**memory.payload, SEALED: text}
    return replace(memory, payload=payload, payload_json=f'{{"fact": "herons wade", "{SEALED}": "{text}"}}')


async def passed(records: Truth, ages: Ages, *, former: bool = False) -> list[Memory]:
    """All that are of an age, two by two."""
    found: list[Memory] = []
    while page := await records.care.aged(ages, found[-1] if found else None, 2, former=former):
        assert len(page) <= 2
        found += page
    return found


class CareContract:
    """Behaviour, not implementation."""

    async def test_importances_are_learned_as_the_rule_says(self, records: Truth) -> None:
        """The window is the truth's, the same for every process and after every restart. (core defect 8)"""
        chance, expected = random.Random(7), Window()
        for _ in range(60):
            values = [round(chance.gauss(0, 10), 3) for _ in range(chance.randrange(1, 90))]
            expected = expected.add(Heard.of(*values))
            assert await records.care.learn("here", Heard.of(*values)) == expected

        heard = Heard(tuple(float(n) for n in range(512)), 5000)
        expected = expected.add(heard)
        assert await records.care.learn("here", heard) == expected
        assert await records.care.windows(["here", "nowhere"]) == {"here": expected}

    async def test_namespaces_learn_apart_and_many_at_once(self, records: Truth) -> None:
        await asyncio.gather(*(records.care.learn(f"n{n % 2}", Heard.of(float(n))) for n in range(20)))

        windows = await records.care.windows(["n0", "n1"])

        assert {name: window.inserted for name, window in windows.items()} == {"n0": 10, "n1": 10}
        assert sorted(windows["n1"].recent) == [float(n) for n in range(1, 20, 2)]

    async def test_retrievals_are_counted_without_a_new_version(self, records: Truth) -> None:
        """A retrieval writes nothing that anybody waits for, no event and no version. (core defect 23)"""
        memory, gone = a_memory(1.0), a_memory(2.0)
        await records.save([memory, gone])
        await records.delete([gone.id])

        await records.care.accessed([Access(memory.id, 2, 50.0), Access(gone.id, 1, 50.0), Access(uuid4(), 1, 5.0)])
        await records.care.accessed([Access(memory.id, 3, 40.0)])

        read = await living(records, memory)
        assert (read.access_count, read.accessed_at, read.version) == (5, 50.0, 1)
        assert (await living(records, gone)).access_count == 0
        assert kinds(await waiting(records), memory) == [("created", 1)]

    async def test_storing_again_keeps_the_count_and_deleting_forgets_it(self, records: Truth) -> None:
        """A count outlives a replaced content. (core defect 20)"""
        memory = a_memory(1.0)
        await records.save([memory])
        await records.care.accessed([Access(memory.id, 2, 50.0)])

        await records.save([a_memory(1.0, payload={"fact": "new"})])
        assert (await living(records, memory)).access_count == 2

        await records.delete([memory.id])
        await records.save([memory])
        read = await living(records, memory)
        assert (read.access_count, read.accessed_at) == (0, None)

    async def test_a_chore_is_held_by_one(self, records: Truth) -> None:
        """One process looks after the memories, the others stand by. (core defect 18)"""
        one, other = uuid4(), uuid4()

        assert await records.care.hold("decay", one, 60.0) == 0.0
        assert await records.care.hold("decay", other, 60.0) is None
        await records.care.done("decay", other, 5.0)
        await records.care.done("decay", one, 3.0)
        await records.care.done("decay", one, 2.0)

        assert await records.care.hold("decay", one, 0.0) == 3.0
        assert await records.care.hold("else", other, 60.0) == 0.0
        async with asyncio.timeout(5):
            while await records.care.hold("decay", other, 60.0) is None:  # noqa: ASYNC110  # until its time is over
                await asyncio.sleep(0.001)

    async def test_states_of_an_age_are_passed_once(self, records: Truth) -> None:
        memories = [a_memory(float(n), payload={"fact": "x", "scratch": n}) for n in range(5)]
        await records.save([*memories, a_memory(9.0)])
        await records.save([sealed(a_memory(8.0), "v1.a.b")])
        await records.save([a_memory(0.0, payload={"fact": "replaced"})])
        await records.delete([memories[4].id])

        assert {each.id for each in await passed(records, ALWAYS)} == {
            memories[1].id,
            memories[2].id,
            memories[3].id,
            a_memory(8.0).id,
        }
        assert [(each.id, each.version) for each in await passed(records, ALWAYS, former=True)] == [(memories[0].id, 1)]
        moment = (await living(records, memories[1])).updated_at
        assert await passed(records, replace(ALWAYS, until=moment)) == []
        assert len(await passed(records, replace(ALWAYS, since=moment))) == 4

    async def test_what_is_shed_goes_with_a_version_and_an_event(self, records: Truth) -> None:
        """Decay goes the way of every write, and only where nobody wrote since. (core defect 18)"""
        memory, raced, gone = (a_memory(float(n), payload={"fact": "x", "scratch": n}) for n in range(3))
        await records.save([memory, raced, gone])
        stored_at = (await living(records, memory)).updated_at
        await records.save([a_memory(1.0, payload={"fact": "newer"})])
        await records.delete([gone.id])
        changed = [Changed(each.id, 1, '{"fact": "x"}', "x") for each in (memory, raced, gone)]

        assert await records.care.shed(changed, former=False) == 1

        read = await living(records, memory)
        assert (read.payload, read.version, read.updated_at) == ({"fact": "x"}, 2, stored_at)
        assert (await living(records, raced)).payload == {"fact": "newer"}
        assert (await living(records, gone)).deleted
        assert kinds(await waiting(records), memory) == [("created", 1), ("updated", 2)]

    async def test_former_versions_are_shed_without_a_trace(self, records: Truth) -> None:
        await records.save([a_memory(1.0, payload={"scratch": 1})])
        await records.save([a_memory(1.0, payload={"scratch": 2})])
        (old,) = await passed(records, ALWAYS, former=True)

        assert await records.care.shed([Changed(old.id, old.version, "{}", "")], former=True) == 1

        assert [each.payload for each in await records.lookups.versions(old.id)] == [{"scratch": 2}, {}]
        assert kinds(await waiting(records), a_memory(1.0)) == [("created", 1), ("updated", 2)]

    async def test_the_least_important_and_oldest_are_pruned(self, records: Truth) -> None:
        """A full namespace loses its least memories everywhere, with events. (core defect 19)"""
        for n, importance in enumerate((5, 1, 1, 0, 7)):
            await records.save([a_memory(float(n), payload={"fact": "x", "importance": importance})])
        await records.save([a_memory(1.0, namespace="elsewhere")])

        assert await records.care.prune("here", 5, 10) == 0
        assert await records.care.prune("here", 1, 2) == 2
        assert await self.alive(records) == [0.0, 2.0, 4.0]
        assert await records.care.prune("here", 2, 10) == 1

        assert await self.alive(records) == [0.0, 4.0]
        assert kinds(await waiting(records), a_memory(3.0)) == [("created", 1), ("deleted", 2)]
        assert (await records.count("elsewhere")).episodic == 1

    async def alive(self, records: Truth) -> list[float]:
        """The places in `here` that are taken."""
        page = await records.lookups.page(namespace="here", memory_type=None, after=None, limit=100)
        return [memory.coordinate[0] for memory in page]

    async def test_namespaces_are_listed_while_something_lives_there(self, records: Truth) -> None:
        assert await records.care.namespaces() == []
        await records.save([a_memory(float(n), namespace=f"n{n % 3}") for n in range(9)])
        await records.delete([a_memory(float(n), namespace="n1").id for n in (1, 4, 7)])

        assert await records.care.namespaces() == ["n0", "n2"]

    async def test_seals_are_found_and_replaced_wherever_they_are(self, records: Truth) -> None:
        for text in ("v1.old.1", "v1.old.2", "v1.new.3"):
            await records.save([sealed(a_memory(1.0), text)])
        await records.save([sealed(a_memory(2.0), "v1.old.4"), a_memory(3.0)])
        found: list[Memory] = []
        after: tuple[UUID, int] | None = None
        while page := await records.care.sealed("v1.new.", after, 2):
            found += page
            after = (page[-1].id, page[-1].version)

        done = [
            await records.care.reseal(each.id, each.version, each.payload[SEALED], f"v1.new.{each.version}")
            for each in found
        ]

        assert sorted(each.version for each in found) == [1, 1, 2]
        assert done == [True] * 3
        assert await records.care.sealed("v1.new.", None, 10) == []
        assert not await records.care.reseal(found[0].id, found[0].version, "v1.old.1", "v1.new.x")
        versions = await records.lookups.versions(a_memory(1.0).id)
        assert [each.payload[SEALED] for each in versions] == ["v1.new.3", "v1.new.2", "v1.new.1"]
        assert kinds(await waiting(records), a_memory(2.0)) == [("created", 1)]

    async def test_the_foremost_come_in_their_order(self, records: Truth) -> None:
        for n, (moment, importance) in enumerate(((30, 1), (10, 9), (20, 5), (20.5, 5))):
            payload = {"fact": "x", "timestamp": moment, "importance": importance}
            await records.save([a_memory(float(n), payload=payload)])

        async def order(by: Order, limit: int) -> list[float]:
            rows = await records.lookups.foremost(by, namespace="here", memory_type=None, limit=limit)
            return [row.coordinate[0] for row in rows]

        assert await order(Order.LATEST, 10) == [0.0, 3.0, 2.0, 1.0]
        assert await order(Order.IMPORTANT, 3) == [1.0, 3.0, 2.0]
        assert await records.lookups.foremost(Order.LATEST, namespace="nowhere", memory_type=None, limit=1) == []

    @pytest.mark.parametrize("order", Order)
    async def test_equals_keep_their_order_whoever_is_retrieved(self, records: Truth, order: Order) -> None:
        """What is stored together is of one moment; a count that goes up must not change places."""
        chance = random.Random(3)
        facts = [chance.randbytes(400).hex() for _ in range(12)]  # so long that Postgres has to move what it changes
        memories = [
            a_memory(float(n), payload={"fact": fact}, memory_type=MemoryType.SEMANTIC) for n, fact in enumerate(facts)
        ]
        await records.save(memories)

        async def foremost() -> list[UUID]:
            rows = await records.lookups.foremost(order, namespace="here", memory_type=None, limit=12)
            return [row.id for row in rows]

        before = await foremost()
        for turn, memory in enumerate(memories):
            await records.care.accessed([Access(memory.id, 1, float(turn + 1))])
            assert await foremost() == before
