"""Fields fade when they are due, for readers at once and for good later; a full namespace loses its least memories."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somafractalmemory.adapters.embedding import HashEmbedder
from somafractalmemory.adapters.local import LocalRecords, LocalVectors
from somafractalmemory.model import MemoryType, memory_id
from somafractalmemory.model.decay import Decay, Level
from somafractalmemory.model.ranking import Weights
from somafractalmemory.security.sealing import Seal
from somafractalmemory.service import MemoryService
from somafractalmemory.usecases.recalling import Question
from somafractalmemory.usecases.rules import Rules

LEVELS = Decay((Level(30.0, frozenset({"scratch"})), Level(300.0, frozenset({"draft", "scratch"}))))
keys = st.sampled_from(["scratch", "draft", "fact", "other"])
NOTES = {"fact": "herons wade", "scratch": "s", "draft": "d"}


@dataclass
class Deployment:
    """A service on a clock of its own."""

    rules: Rules
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.records = LocalRecords(clock=lambda: self.now)
        self.vectors = LocalVectors()
        self.service = self.another()

    def another(self) -> MemoryService:
        """One more process on the same stores."""
        return MemoryService(
            records=self.records,
            vectors=self.vectors,
            embedder=HashEmbedder(64),
            weights=Weights(),
            clock=lambda: self.now,
            rules=self.rules,
        )

    async def store(self, place: float, **payload: Any) -> None:
        await self.service.remember(
            namespace="here", coordinate=(place,), payload=payload, memory_type=MemoryType.EPISODIC
        )

    async def shown(self, place: float = 1.0) -> dict[str, Any]:
        return (await self.service.look_up(namespace="here", coordinate=(place,))).payload

    def version(self, place: float = 1.0) -> int:
        return self.records._rows[memory_id("here", (place,))].version


@pytest.fixture
def deployed() -> Callable[[Rules], AbstractAsyncContextManager[Deployment]]:
    """Opens a deployment."""

    @asynccontextmanager
    async def opened(rules: Rules) -> AsyncIterator[Deployment]:
        deployment = Deployment(rules)
        async with deployment.service:
            yield deployment

    return opened


Deployed = Callable[[Rules], AbstractAsyncContextManager[Deployment]]


@given(st.dictionaries(keys, st.integers()), st.floats(0, 1e6))
def test_only_what_is_due_fades(payload: dict[str, int], age: float) -> None:
    remaining = LEVELS.remaining(payload, age)

    gone = {"scratch"} if 30 < age <= 300 else {"scratch", "draft"} if age > 300 else set()
    assert remaining == {key: value for key, value in payload.items() if key not in gone}
    assert remaining is payload or gone & payload.keys()


async def test_a_field_that_is_due_is_shown_no_more_before_anybody_removed_it(deployed: Deployed) -> None:
    """Decay is computed; no memory is rewritten in each round. (core defect 18)"""
    async with deployed(Rules(decay=LEVELS)) as world:
        await world.store(1.0, **NOTES)
        world.now += 31
        assert await world.shown() == {"fact": "herons wade", "draft": "d"}
        world.now += 300
        assert await world.shown() == {"fact": "herons wade"}
        assert world.version() == 1

        recalled = await world.service.recall(Question("here", "herons", 5))
        assert recalled.matches[0].memory.payload == {"fact": "herons wade"}


async def test_a_round_removes_what_is_due_once_and_former_versions_too(deployed: Deployed) -> None:
    """A round changes only what is due, and another round nothing. (core defect 18)"""
    async with deployed(Rules(decay=LEVELS)) as world:
        await world.store(1.0, **NOTES)
        await world.store(1.0, **NOTES, again=True)
        await world.store(2.0, fact="no such field")
        assert await world.service.upkeep.decay() == 0

        world.now += 31
        assert await world.service.upkeep.decay() == 1
        assert await world.service.upkeep.decay() == 0
        world.now += 300
        assert await world.service.upkeep.decay() == 1

        assert (world.version(1.0), world.version(2.0)) == (4, 1)
        rows = await world.records.lookups.versions(memory_id("here", (1.0,)))
        assert [sorted(row.payload) for row in rows] == [["again", "fact"]] * 3 + [["fact"]]


async def test_what_is_stored_anew_is_young_again(deployed: Deployed) -> None:
    async with deployed(Rules(decay=LEVELS)) as world:
        await world.store(1.0, **NOTES)
        world.now += 29
        await world.store(1.0, **NOTES)
        world.now += 29

        assert await world.service.upkeep.decay() == 0
        assert await world.shown() == NOTES


async def test_a_deleted_memory_never_comes_back(deployed: Deployed) -> None:
    """What was deleted while a round went on stays deleted. (core defect 18)"""
    async with deployed(Rules(decay=LEVELS)) as world:
        await world.store(1.0, **NOTES)
        world.now += 31
        await world.service.forget(namespace="here", coordinate=(1.0,))

        assert await world.service.upkeep.decay() == 0
        assert (await world.records.count("here")).episodic == 0


async def test_amending_brings_no_faded_field_back(deployed: Deployed) -> None:
    async with deployed(Rules(decay=LEVELS)) as world:
        await world.store(1.0, **NOTES)
        world.now += 31
        await world.service.amend(namespace="here", coordinate=(1.0,), patch={"mood": "calm"}, memory_type=None)

        assert await world.shown() == {"fact": "herons wade", "draft": "d", "mood": "calm"}


async def test_sealed_fields_fade_as_well(deployed: Deployed) -> None:
    rules = Rules(decay=LEVELS, seal=Seal([b"k" * 32], ["scratch", "draft"]))
    async with deployed(rules) as world:
        await world.store(1.0, **NOTES)
        world.now += 31

        assert await world.shown() == {"fact": "herons wade", "draft": "d"}
        assert await world.service.upkeep.decay() == 1
        assert await world.shown() == {"fact": "herons wade", "draft": "d"}
        assert "draft" not in world.records._rows[memory_id("here", (1.0,))].payload


async def test_one_of_two_processes_does_a_round(deployed: Deployed) -> None:
    """Not every worker decays the same memories. (core defect 18)"""
    async with deployed(Rules(decay=LEVELS, max_memories=1)) as world:
        await world.store(1.0, **NOTES)
        await world.store(2.0, **NOTES)
        other = world.another()
        assert await world.service.upkeep.decay() == 0
        assert await world.service.upkeep.limit() == 1
        await world.store(3.0, **NOTES)
        world.now += 40

        assert await other.upkeep.decay() == 0
        assert await other.upkeep.limit() == 0
        assert await world.service.upkeep.decay() == 2


async def test_a_full_namespace_loses_its_least_memories_everywhere(deployed: Deployed) -> None:
    """The index forgets them, too, and each leaves an event. (core defect 19)"""
    async with deployed(Rules(max_memories=2)) as world:
        for place, importance in ((1.0, 5), (2.0, 1), (3.0, 9), (4.0, 1)):
            await world.store(place, fact="herons wade", importance=importance)
            world.now += 1

        assert await world.service.upkeep.limit() == 2
        assert await world.service.upkeep.limit() == 0

        recalled = await world.service.recall(Question("here", "herons", 5))
        assert sorted(match.memory.coordinate for match in recalled.matches) == [(1.0,), (3.0,)]
        events = [event.type for _, event in await world.records.pending(100)]
        assert events.count("deleted") == 2
        (row,) = await world.service.audit.page("here", action="prune", before=None, limit=5)
        assert (row.caller, row.deed.details) == ("upkeep", {"memories": 2, "limit": 2})


async def test_without_a_limit_nothing_is_ever_deleted(deployed: Deployed) -> None:
    async with deployed(Rules()) as world:
        await world.store(1.0, **NOTES)
        await world.service.upkeep.step()

        assert (await world.records.count("here")).episodic == 1


async def test_old_audit_rows_go_and_young_ones_stay(deployed: Deployed) -> None:
    async with deployed(Rules(audit_days=1)) as world:
        await world.store(1.0, **NOTES)
        await world.service.forget(namespace="here", coordinate=(1.0,))
        assert await world.service.upkeep.trim() == 0
        world.now += 24 * 3600 + 1

        assert await world.service.upkeep.trim() == 1
