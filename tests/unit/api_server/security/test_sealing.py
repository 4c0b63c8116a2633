"""Chosen fields are encrypted before any store sees them, with keys that can be replaced."""

from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somafractalmemory.adapters.embedding import HashEmbedder
from somafractalmemory.adapters.local import LocalRecords, LocalVectors
from somafractalmemory.errors import ConfigurationError, InvalidPayload, Unavailable
from somafractalmemory.model import SEALED, Memory, MemoryType, NewMemory, memory_id, new_memory
from somafractalmemory.model.ranking import Weights
from somafractalmemory.model.wording import Mode, term_of
from somafractalmemory.security.resealing import Resealer
from somafractalmemory.security.sealing import Seal, read_keys
from somafractalmemory.service import MemoryService
from somafractalmemory.usecases.recalling import Question
from somafractalmemory.usecases.rules import Rules

OLD, NEW = b"o" * 32, b"n" * 32
SECRET = {"task": "meet the informant", "fact": "herons wade"}
values = st.recursive(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), st.lists, max_leaves=5)
PLACE = memory_id("here", (1.0,))


def made(payload: dict[str, Any]) -> NewMemory:
    return new_memory(namespace="here", coordinate=(1.0,), payload=payload, memory_type=MemoryType.SEMANTIC, now=1000.0)


def stored(memory: NewMemory) -> Memory:
    return Memory(
        memory.id, "here", (1.0,), MemoryType.SEMANTIC, memory.payload, 1.0, None, version=1, created_at=0, updated_at=0
    )


def service(records: LocalRecords, vectors: LocalVectors, seal: Seal | None) -> MemoryService:
    return MemoryService(
        records=records, vectors=vectors, embedder=HashEmbedder(64), weights=Weights(), rules=Rules(seal=seal)
    )


async def remember(opened: MemoryService, payload: dict[str, Any], place: float = 1.0) -> None:
    await opened.remember(namespace="here", coordinate=(place,), payload=payload, memory_type=MemoryType.SEMANTIC)


async def find(opened: MemoryService, query: str) -> list[Memory]:
    recalled = await opened.recall(Question("here", query, 5))
    return [match.memory for match in recalled.matches]


@given(
    st.dictionaries(st.text(max_size=20).filter(lambda key: "\x00" not in key), values, max_size=6),
    st.sets(st.text(max_size=20)) | st.just({"*"}),
)
def test_what_is_sealed_opens_to_the_same(payload: dict[str, Any], fields: set[str]) -> None:
    """Encryption encrypts. (core defect 22)"""
    payload = {key: value for key, value in payload.items() if key not in {SEALED, "importance", "timestamp"}}
    try:
        memory = made(payload)
    except InvalidPayload:  # a NUL among the texts
        return
    seal = Seal([NEW], sorted(fields))

    sealed = seal.seal(memory)

    assert seal.open(stored(sealed)).payload == payload
    hidden = payload.keys() if "*" in fields else fields & payload.keys()
    assert not hidden & sealed.payload.keys()
    assert seal.seal(sealed) is sealed


def test_a_seal_tells_nothing_and_fits_one_memory_only() -> None:
    """The texts are neither in what is stored nor in what is searched. (X-08)"""
    seal = Seal([NEW], ["task"])
    memory = made(SECRET)
    sealed = seal.seal(memory)
    moved = Memory(
        uuid4(), "here", (2.0,), MemoryType.SEMANTIC, sealed.payload, 1.0, None, version=1, created_at=0, updated_at=0
    )

    assert "informant" not in sealed.payload_json
    assert "task" not in sealed.payload_json
    assert sealed.text == "herons wade"
    assert seal.seal(memory).payload_json != sealed.payload_json
    assert seal.open(moved).locked
    assert Seal([OLD], ["task"]).open(stored(sealed)).locked


@pytest.mark.parametrize("text", ["", "v1", "v1..", "v2.x.y", "v1.zz.!!!", "\N{SNOWMAN}"])
def test_what_is_no_seal_stays_locked(text: str) -> None:
    seal = Seal([NEW], ["task"])
    broken = made({"fact": "x"})
    name = seal.mark
    for each in (text, f"{name}{text}"):
        memory = Memory(
            broken.id, "here", (1.0,), MemoryType.SEMANTIC, {SEALED: each}, 1.0, None, 1, created_at=0, updated_at=0
        )
        assert seal.open(memory).locked


async def test_no_store_ever_holds_a_secret_and_readers_see_it_all_the_same() -> None:
    """Truth, events, index and searches know the open fields only. (X-08)"""
    records, vectors = LocalRecords(), LocalVectors()
    async with service(records, vectors, Seal([NEW], ["task"])) as opened:
        await remember(opened, {"task": "older informant"})
        await remember(opened, SECRET)
        await opened.amend(namespace="here", coordinate=(1.0,), patch={"mood": "calm"}, memory_type=None)

        held = repr((records._rows, await records.pending(100), records.lookups.older, vectors._points))
        assert "informant" not in held
        assert (await opened.look_up(namespace="here", coordinate=(1.0,))).payload == {**SECRET, "mood": "calm"}
        assert [each.payload["fact"] for each in await find(opened, "herons")] == ["herons wade"]
        assert (await find(opened, "herons"))[0].payload["task"] == "meet the informant"
        assert await find(opened, "informant") == []
        term = term_of("informant", Mode.WORD)
        assert await opened.find_term(term, namespace="here", memory_type=None, limit=5) == []


async def test_a_missing_key_locks_its_memories_and_no_others() -> None:
    """Without the key the answer says what is missing; the rest goes on. (X-08)"""
    records, vectors = LocalRecords(), LocalVectors()
    async with service(records, vectors, Seal([OLD], ["task"])) as opened:
        await remember(opened, SECRET)
    for seal in (None, Seal([NEW], ["task"])):
        async with service(records, vectors, seal) as opened:
            await remember(opened, {"task": "open", "fact": "herons nest"}, place=2.0)

            with pytest.raises(Unavailable, match="no key opens this memory"):
                await opened.look_up(namespace="here", coordinate=(1.0,))
            with pytest.raises(Unavailable, match="no key opens this memory"):
                await opened.amend(namespace="here", coordinate=(1.0,), patch={"x": 1}, memory_type=None)
            found = await find(opened, "herons")
            assert {each.coordinate: each.locked for each in found} == {(1.0,): True, (2.0,): False}
            await opened.forget(namespace="here", coordinate=(1.0,))
            await opened.remember(
                namespace="here", coordinate=(1.0,), payload={"fact": "herons wade"}, memory_type=MemoryType.SEMANTIC
            )
        async with service(records, vectors, Seal([OLD], ["task"])) as opened:
            await remember(opened, SECRET)


async def test_keys_are_replaced_without_losing_anything() -> None:
    """New in front, reseal, drop the old one: all versions stay readable. (X-08)"""
    records, vectors = LocalRecords(), LocalVectors()
    async with service(records, vectors, Seal([OLD], ["task"])) as opened:
        for n in range(3):
            await remember(opened, {"task": f"informant {n}"})
        await remember(opened, SECRET, place=2.0)

    both = Seal([NEW, OLD], ["task"])
    first = await Resealer(records=records, seal=both).run()
    second = await Resealer(records=records, seal=both).run()

    assert (first.resealed, first.locked, second.resealed) == (4, 0, 0)
    async with service(records, vectors, Seal([NEW], ["task"])) as opened:
        versions = await opened.versions(namespace="here", coordinate=(1.0,))
        assert [each.payload["task"] for each in versions] == ["informant 2", "informant 1", "informant 0"]
        assert (await opened.look_up(namespace="here", coordinate=(2.0,))).payload == SECRET


async def test_resealing_counts_what_no_key_opens() -> None:
    records, vectors = LocalRecords(), LocalVectors()
    async with service(records, vectors, Seal([OLD], ["task"])) as opened:
        await remember(opened, SECRET)

    report = await Resealer(records=records, seal=Seal([NEW], ["task"])).run()

    assert (report.resealed, report.locked) == (0, 1)


def test_callers_cannot_write_a_seal() -> None:
    with pytest.raises(InvalidPayload, match="leave it out"):
        made({SEALED: "v1.a.b"})


def test_a_key_file_holds_one_key_a_line(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(
        f"# the new one\n{urlsafe_b64encode(NEW).decode()}\n\n{b64encode(bytes(range(224, 256))).decode()}\n"
    )

    assert read_keys(file) == [NEW, bytes(range(224, 256))]


@pytest.mark.parametrize("text", ["", "# nothing\n", "short\n", "!" * 44, b64encode(b"x" * 31).decode()])
def test_a_file_without_keys_is_refused_without_repeating_it(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys"
    file.write_text(text)

    with pytest.raises(ConfigurationError, match="openssl rand") as raised:
        read_keys(file)
    assert not text.strip() or text.strip() not in str(raised.value)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_keys(tmp_path / "missing")
