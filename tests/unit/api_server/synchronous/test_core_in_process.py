"""The memory system as one object in this process: every method, its answers and its errors."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from somafractalmemory.core import MemoryType, SomaFractalMemoryEnterprise, SomaFractalMemoryError
from somafractalmemory.errors import InvalidCoordinate, InvalidPayload, InvalidRequest, NotFound, VersionMismatch
from somafractalmemory.factory import MemoryMode, create_memory_system

CONFIG = {"redis": {"testing": True}, "memory_enterprise": {"vector_dim": 128}}


@pytest.fixture
def system() -> Iterator[SomaFractalMemoryEnterprise]:
    """An empty system in this process."""
    with create_memory_system(MemoryMode.EVENTED_ENTERPRISE, "tests", CONFIG) as made:
        yield made


def eventually(look: Callable[[], object], *, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


def places(records: list[dict[str, Any]]) -> list[list[float]]:
    return [record["coordinate"] for record in records]


def test_a_memory_comes_back_as_it_was_stored(system: SomaFractalMemoryEnterprise) -> None:
    """(X-04)"""
    system.store_memory((1, 2.5), {"fact": "cats purr", "n": [1, None]}, memory_type=MemoryType.SEMANTIC)

    record = system.retrieve((1.0, 2.5))

    assert record is not None
    assert (record["fact"], record["n"]) == ("cats purr", [1, None])
    assert (record["coordinate"], record["memory_type"]) == ([1.0, 2.5], "semantic")
    assert system.retrieve((9, 9)) is None


def test_places_are_numbers_however_they_are_written(system: SomaFractalMemoryEnterprise) -> None:
    """`(1, 2)` and `(1.0, 2.0)` used to be two memories. (core defect 16)"""
    system.store_memory((1, -0.0), {"fact": "a"})
    system.store_memory([1.0, 0], {"fact": "b"})
    system.store_memory("1, 0", {"fact": "c"})
    system.store_memory(np.array([1.0, 0.0]), {"fact": "d"})

    assert system.memory_stats() == {"total_memories": 1, "episodic": 1, "semantic": 0}
    assert len(system.get_versions((1, 0))) == 4


@pytest.mark.parametrize("coordinate", [(), (float("nan"),), (float("inf"),), ("x",), (True,), None, 5, "a,b", [[1]]])
def test_what_is_no_place_is_refused(system: SomaFractalMemoryEnterprise, coordinate: object) -> None:
    """(core defect 16)"""
    with pytest.raises(InvalidCoordinate):
        system.store_memory(coordinate, {"fact": "x"})


class Colour(Enum):
    RED = "red"


def test_values_become_json(system: SomaFractalMemoryEnterprise) -> None:
    value = {
        "at": datetime(2020, 1, 2, tzinfo=UTC),
        "bytes": b"abc",
        "odd": b"\xff\x00",
        "set": {1},
        "tuple": (1, (2,)),
        "array": np.array([1.5, 2.5]),
        "number": np.float32(0.5),
        "colour": Colour.RED,
        "id": UUID(int=1),
        7: "seven",
    }
    system.store_memory((1,), value)

    record = system.retrieve((1,)) or {}

    assert {key: record[key] for key in map(str, value)} == {
        "at": "2020-01-02T00:00:00+00:00",
        "bytes": "abc",
        "odd": [255, 0],
        "set": [1],
        "tuple": [1, [2]],
        "array": [1.5, 2.5],
        "number": 0.5,
        "colour": "red",
        "id": "00000000-0000-0000-0000-000000000001",
        "7": "seven",
    }


def endless() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["itself"] = value
    return value


@pytest.mark.parametrize(
    "value", [None, "text", [1], {"f": print}, {"n": float("nan")}, {"n": 2**70}, {"s": "\ud800"}, endless()]
)
def test_what_no_store_holds_is_refused_and_nothing_is_stored(
    system: SomaFractalMemoryEnterprise, value: object
) -> None:
    """Failures used to be logged only. (core defect 1)"""
    with pytest.raises(InvalidPayload):
        system.store_memory((1,), value)

    assert system.retrieve((1,)) is None


def test_a_record_that_is_stored_again_does_not_grow(system: SomaFractalMemoryEnterprise) -> None:
    system.store_memory((1,), {"fact": "x"})
    record = system.retrieve((1,)) or {}

    system.store_memory(record["coordinate"], record, memory_type=record["memory_type"])

    again = system.retrieve((1,)) or {}
    assert {key for key in again if key != "access_count"} == {key for key in record if key != "access_count"}


def test_remembering_without_a_place_finds_one(system: SomaFractalMemoryEnterprise) -> None:
    system.remember({"fact": "somewhere"})
    system.remember({"fact": "here"}, coordinate=(1, 2), memory_type="semantic")
    system.store((3,), {"fact": "there", "memory_type": "semantic"})

    assert system.memory_stats() == {"total_memories": 3, "episodic": 1, "semantic": 2}
    (somewhere,) = system.retrieve_memories(MemoryType.EPISODIC)
    assert all(0 <= number <= 100 for number in somewhere["coordinate"])


def test_many_are_stored_together(system: SomaFractalMemoryEnterprise) -> None:
    items = [((n, 0), {"fact": f"number {n}"}, MemoryType.EPISODIC) for n in range(1200)]

    assert system.store_memories_bulk(items) is True
    assert system.store_memories_bulk([((5000,), {"fact": "x"})]) is True

    assert system.memory_stats()["total_memories"] == 1201
    with pytest.raises(InvalidRequest):
        system.store_memories_bulk([((1,),)])


def test_recalling_in_every_form(system: SomaFractalMemoryEnterprise) -> None:
    system.store_memory((1,), {"fact": "cats purr when they are stroked", "who": "tom"})
    system.store_memory((2,), {"fact": "dogs bark at cats", "who": "rex"}, memory_type="semantic")
    system.store_memory((3,), {"fact": "ships sail at high tide", "who": "rex"})

    assert places(system.recall("purr stroked"))[0] == [1.0]
    assert places(system.recall("cats", top_k=1, memory_type="semantic")) == [[2.0]]
    assert places(system.recall("cats", context={"place": "bark"}))[0] == [2.0]
    assert places(system.recall("cats", context="bark"))[0] == [2.0]
    assert places(system.find_hybrid_with_context("cats", {"sound": "purr"}))[0] == [1.0]
    assert places(system.hybrid_recall("sail tide", top_k=1)) == [[3.0]]
    scored = system.hybrid_recall_with_scores("cats", terms=["bark"], boost=2.0)
    assert scored[0]["payload"]["coordinate"] == [2.0]
    assert all(each["score"] == pytest.approx(sum(each["parts"].values())) for each in scored)
    by_meaning = system.recall_with_scores("cats purr when they are stroked", top_k=2)
    assert by_meaning[0]["payload"]["coordinate"] == [1.0]
    assert "sparse" not in by_meaning[0]["parts"]


def test_types_and_filters_count_before_the_best_are_cut_off(system: SomaFractalMemoryEnterprise) -> None:
    """(core defect 13)"""
    system.store_memories_bulk([((n,), {"fact": "cats purr", "n": n}) for n in range(60)])
    system.store_memory((100,), {"fact": "a purr", "n": 100}, memory_type="semantic")

    assert places(system.find_hybrid_by_type("cats purr", 1, MemoryType.SEMANTIC)) == [[100.0]]
    assert places(system.find_hybrid_by_type("cats purr", 1, filters={"n": 57})) == [[57.0]]


def test_keywords_are_whole_words_or_any_characters(system: SomaFractalMemoryEnterprise) -> None:
    """Only a whole field used to be equal to a word. (core defect 12)"""
    system.store_memory((1,), {"fact": "the tide turns"})
    system.store_memory((2,), {"fact": "Tides turn"}, memory_type="semantic")

    assert places(system.keyword_search("tide")) == [[1.0]]
    assert sorted(places(system.keyword_search("tide", exact=False))) == [[1.0], [2.0]]
    assert places(system.keyword_search("Tide", exact=False, case_sensitive=True)) == [[2.0]]
    assert places(system.keyword_search("tide", exact=False, memory_type="semantic")) == [[2.0]]
    assert system.keyword_search("episodic", exact=False) == []


def test_a_box_holds_whole_memories(system: SomaFractalMemoryEnterprise) -> None:
    system.store_memories_bulk([((x, y), {"fact": f"{x} {y}"}) for x in range(4) for y in range(4)])

    inside = system.find_by_coordinate_range((1, 1), (2, 2))

    assert [record["fact"] for record in inside] == ["1 1", "1 2", "2 1", "2 2"]
    with pytest.raises(InvalidRequest):
        system.find_by_coordinate_range((1,), (2, 2))


def test_deleting_says_what_it_did(system: SomaFractalMemoryEnterprise) -> None:
    system.store_memories_bulk([((n,), {"fact": "cats purr"}) for n in range(4)])

    assert system.delete((0,)) is True
    assert system.delete((0,)) is False
    assert system.delete_many([(1,), (1.0,), (9,)]) == 1
    system.forget((2,))

    assert places(system.recall("cats purr")) == [[3.0]]


def test_links_are_followed_as_deep_as_told(system: SomaFractalMemoryEnterprise) -> None:
    """(core defect 20)"""
    system.store_memories_bulk([((n,), {"fact": f"number {n}"}) for n in range(5)])
    for n in range(4):
        system.link_memories((n,), (n + 1,), link_type="next", weight=2.0)
    system.link_memories((3,), (0,))

    assert places(system.get_linked_memories((0,))) == [[1.0]]
    assert places(system.get_linked_memories((0,), "next", depth=3)) == [[1.0], [2.0], [3.0]]
    assert places(system.get_linked_memories((2,), depth=16)) == [[3.0], [4.0], [0.0], [1.0]]
    assert system.find_shortest_path((0,), (3,)) == [(0.0,), (1.0,), (2.0,), (3.0,)]
    assert system.find_shortest_path((4,), (0,)) == []
    with pytest.raises(InvalidRequest):
        system.get_linked_memories((0,), depth=0)


def test_a_link_needs_both_ends(system: SomaFractalMemoryEnterprise) -> None:
    """The target used not to be looked at. (core defect 20)"""
    system.store_memory((1,), {"fact": "x"})

    with pytest.raises(NotFound):
        system.link_memories((1,), (2,))
    with pytest.raises(NotFound):
        system.get_linked_memories((2,))
    with pytest.raises(SomaFractalMemoryError):
        system.find_shortest_path((1,), (2,))


def test_links_and_counts_outlive_a_new_content(system: SomaFractalMemoryEnterprise) -> None:
    """(core defect 20)"""
    system.store_memory((1,), {"fact": "old"})
    system.store_memory((2,), {"fact": "other"})
    system.link_memories((1,), (2,), "causes", 0.5)

    system.store_memory((1,), {"fact": "new"})

    (link,) = (system.retrieve((1,)) or {})["links"]
    assert (link["to"], link["type"], link["weight"]) == ([2.0], "causes", 0.5)
    assert system.unlink((1,), (2,), "causes") is True
    assert system.unlink((1,), (2,), "causes") is False
    assert "links" not in (system.retrieve((1,)) or {})


def test_importance_and_time_order_memories(system: SomaFractalMemoryEnterprise) -> None:
    system.store_memory((1,), {"task": "first", "timestamp": 100})
    system.store_memory((2,), {"fact": "second", "timestamp": 200})
    system.store_memory((3,), {"note": "third", "timestamp": 300}, memory_type="semantic")
    system.set_importance((1,), 50)

    assert places(system.get_recent(2)) == [[3.0], [2.0]]
    assert places(system.get_recent(memory_type="episodic")) == [[2.0], [1.0]]
    assert places(system.get_important(1)) == [[1.0]]
    assert system.summarize_memories(3) == ["third", "second", "first"]
    with pytest.raises(NotFound):
        system.set_importance((9,), 1)


def test_some_fields_of_a_memory_are_changed(system: SomaFractalMemoryEnterprise) -> None:
    system.store_memory((1,), {"fact": "cats purr", "draft": True})

    system.amend((1,), {"draft": None, "seen": {"where": "attic"}}, "semantic", version=1)

    record = system.retrieve((1,)) or {}
    assert (record["fact"], record["seen"], record["memory_type"]) == ("cats purr", {"where": "attic"}, "semantic")
    assert "draft" not in record
    with pytest.raises(VersionMismatch):
        system.amend((1,), {"fact": "late"}, version=1)
    with pytest.raises(NotFound):
        system.amend((9,), {"fact": "nowhere"})


def test_all_memories_are_walked_in_order(system: SomaFractalMemoryEnterprise) -> None:
    system.store_memories_bulk([((n,), {"fact": f"number {n}"}) for n in range(700)])

    assert [place[0] for place in places(system.get_all_memories())] == list(range(700))
    assert len(system.retrieve_memories("semantic")) == 0
    assert next(system.iter_memories())["coordinate"] == [0.0]
    assert places(list(system.iter_memories("tests:(12*"))) == [[12.0], *([float(n)] for n in range(120, 130))]


def test_samples_are_drawn_by_chance(system: SomaFractalMemoryEnterprise) -> None:
    system.store_memories_bulk([((n,), {"fact": f"number {n}"}) for n in range(20)])

    assert len(system.replay_memories()) == 5
    assert len({str(places(system.reflect(3))) for _ in range(20)}) > 1


def test_outcomes_and_facts_leave_their_sources_alone(system: SomaFractalMemoryEnterprise) -> None:
    """(core defect 17)"""
    system.store_memory((1, 2), {"task": "forecast", "predicted_outcome": "rain"})

    right = system.report_outcome((1, 2), "rain")
    wrong = system.report_outcome((1, 2), "sun")
    stored = system.consolidate_memories()

    assert (right["reported_outcome"], right["error"]) == ("rain", False)
    assert (wrong["reported_outcome"], wrong["error"], wrong["task"]) == ("sun", True, "forecast")
    assert stored == 1
    assert system.consolidate_memories() == 0
    original = system.retrieve((1, 2)) or {}
    assert (original["memory_type"], original["task"]) == ("episodic", "forecast")
    learned = system.retrieve_memories("semantic")
    assert {record.get("correction") or record["fact"] for record in learned} == {"sun", "forecast"}
    assert system.report_outcome((9, 9), "x")["error"] is True


def test_versions_are_kept_without_being_asked_for(system: SomaFractalMemoryEnterprise) -> None:
    system.store_memory((1,), {"fact": "old"})
    system.save_version((1,))
    system.store_memory((1,), {"fact": "new"})

    assert [(each["fact"], each["version"]) for each in system.get_versions((1,))] == [("new", 2), ("old", 1)]
    system.delete((1,))
    assert system.get_versions((1,)) == []
    with pytest.raises(NotFound):
        system.save_version((1,))


def test_an_export_brings_everything_back(system: SomaFractalMemoryEnterprise, tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    system.store_memories_bulk([((n,), {"fact": f"number {n}"}) for n in range(700)])
    system.store_memory((0,), {"fact": "changed"})
    system.link_memories((0,), (1,), "next", 3.0)

    assert system.export_memories(file) == 700
    with create_memory_system(MemoryMode.EVENTED_ENTERPRISE, "other", CONFIG) as other:
        other.store_memory((9999,), {"fact": "goes"})
        assert other.import_memories(str(file), replace=True) == 700
        assert other.memory_stats()["total_memories"] == 700
        assert [each["fact"] for each in other.get_versions((0,))] == ["changed", "number 0"]
        assert places(other.get_linked_memories((0,), "next")) == [[1.0]]
        assert places(other.recall("number 55", top_k=1)) == [[55.0]]
    assert [path.name for path in tmp_path.iterdir()] == ["all.jsonl"]


def test_a_file_of_the_original_program_is_taken_without_its_bad_lines(
    system: SomaFractalMemoryEnterprise, tmp_path: Path
) -> None:
    file = tmp_path / "old.jsonl"
    record = {"coordinate": [1, 2], "memory_type": "semantic", "fact": "cats purr", "importance_norm": 0.0}
    file.write_text(json.dumps(record) + "\n\n{broken\n" + json.dumps({"fact": "nowhere"}) + "\n")

    assert system.import_memories(file) == 1

    assert places(system.recall("cats purr")) == [[1.0, 2.0]]


def test_a_failed_export_leaves_the_old_file(system: SomaFractalMemoryEnterprise, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        system.export_memories(tmp_path / "nowhere" / "file")
    with pytest.raises(FileNotFoundError):
        system.import_memories(tmp_path / "missing")


def test_memories_are_shared_by_copying(system: SomaFractalMemoryEnterprise) -> None:
    system.store_memory((1,), {"fact": "public"}, memory_type="semantic")
    system.store_memory((2,), {"fact": "secret"})
    with create_memory_system(MemoryMode.EVENTED_ENTERPRISE, "other", CONFIG) as other:
        assert system.share_memory_with(other, lambda record: record["fact"] == "public") == 1
        assert other.memory_stats() == {"total_memories": 1, "episodic": 0, "semantic": 1}


def test_a_text_has_a_unit_vector_of_its_own(system: SomaFractalMemoryEnterprise) -> None:
    """(core defect 10)"""
    one, other = system.embed_text("cats purr loudly"), system.embed_text("ships sail at night")

    assert one.shape == (1, 128)
    assert float(np.linalg.norm(one)) == pytest.approx(1.0)
    assert abs(float((one @ other.T)[0, 0])) < 0.5
    assert not system.embed_text("").any()


def test_vectors_without_text_are_refused_and_not_pretended(system: SomaFractalMemoryEnterprise) -> None:
    with pytest.raises(SomaFractalMemoryError, match="store_memory"):
        system.store_vector_only((1,), [0.1, 0.2])


def test_health_tells_of_every_store(system: SomaFractalMemoryEnterprise) -> None:
    assert system.health_check() == {
        "kv_store": True,
        "vector_store": True,
        "graph_store": True,
        "prediction_provider": True,
    }


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("recall", {"query": "x", "top_k": 0}),
        ("recall", {"query": "x", "memory_type": "dream"}),
        ("hybrid_recall_with_scores", {"query": "x", "boost": 11}),
        ("hybrid_recall", {"query": "x", "terms": [""]}),
        ("keyword_search", {"term": "x" * 300}),
        ("keyword_search", {"term": "--"}),
        ("get_recent", {"n": 0}),
        ("get_important", {"n": 1.5}),
        ("replay_memories", {"n": True}),
        ("link_memories", {"from_coord": (1,), "to_coord": (2,), "link_type": ""}),
        ("link_memories", {"from_coord": (1,), "to_coord": (2,), "weight": -1}),
        ("consolidate_memories", {"window_seconds": 0}),
        ("set_hook", {"event": "before_breakfast", "function": None}),
        ("set_hook", {"event": "before_store", "function": 5}),
    ],
)
def test_what_makes_no_sense_is_refused(
    system: SomaFractalMemoryEnterprise, method: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(SomaFractalMemoryError):
        getattr(system, method)(**arguments)


def test_what_was_done_is_written_down_beside_the_memories(
    system: SomaFractalMemoryEnterprise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The original program wrote a file into the working directory. (core defect 26)"""
    monkeypatch.chdir(tmp_path)
    system.store_memory((1,), {"fact": "x"})

    system.audit_log("reviewed", (1,), user="ada")
    system.audit_log("cleaned up")
    system.delete((1,))

    rows = system.get_audit_log()
    assert [(row["action"], row["coordinate"]) for row in rows] == [
        ("delete", [1.0]),
        ("cleaned up", None),
        ("reviewed", [1.0]),
    ]
    assert [row["user"] for row in rows[1:]] == ["system", "ada"]
    assert [row["user"] for row in system.get_audit_log(1, "reviewed")] == ["ada"]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InvalidRequest):
        system.audit_log("")


def test_decay_and_the_size_limit_are_carried_out_when_told() -> None:
    """Fields that are due go, and nothing else; what is beyond the limit is gone from recall, too. (core defect 19)"""
    enterprise = {
        "vector_dim": 64,
        "max_memory_size": 3,
        "decay_thresholds_seconds": [0],
        "decayable_keys_by_level": [["scratch"]],
    }
    config = {"redis": {"testing": True}, "memory_enterprise": enterprise}
    with create_memory_system(MemoryMode.EVENTED_ENTERPRISE, "tests", config) as system:
        for n in range(6):
            system.store_memory((n,), {"fact": "cats purr", "scratch": "x", "importance": n})

        system.run_decay_once()

        eventually(lambda: sorted(places(system.recall("cats purr", top_k=50))) == [[3.0], [4.0], [5.0]])
        assert system.memory_stats()["total_memories"] == 3
        assert all("scratch" not in record and record["fact"] == "cats purr" for record in system.get_all_memories())


def test_access_is_counted_and_the_time_of_making_stays(system: SomaFractalMemoryEnterprise) -> None:
    """Every read used to replace what was known of the making. (core defect 4)"""
    system.store_memory((1,), {"fact": "x"})

    for _ in range(3):
        system.retrieve((1,))

    service = system._service
    place: dict[str, Any] = {"namespace": "tests", "coordinate": (1.0,)}
    system._ask(service._usage.flush())
    before = system._ask(service.look_up(**place))
    system.store_memory((1,), {"fact": "y"})
    after = system._ask(service.look_up(**place))
    assert before.access_count >= 3
    assert after.created_at == before.created_at


def test_a_memory_is_in_the_index_once_and_after_its_deletion_never(system: SomaFractalMemoryEnterprise) -> None:
    """Each store used to add a vector, and no deletion took one away. (core defect 2)"""
    for word in ("purring", "sleeping", "hunting"):
        system.store_memory((1,), {"fact": f"cats are {word}"})

    assert [record["fact"] for record in system.recall("cats", top_k=50)] == ["cats are hunting"]
    assert len(system.recall_with_scores("cats are purring", top_k=50)) == 1
    system.delete((1,))
    assert system.recall("cats hunting", top_k=50) == []
    assert system.keyword_search("hunting") == []


def test_equal_importances_do_not_make_scores_vanish(system: SomaFractalMemoryEnterprise) -> None:
    """(core defect 5)"""
    system.store_memories_bulk([((n,), {"fact": f"cats purr {n}"}) for n in range(5)])

    assert all(each["score"] > 0 for each in system.recall_with_scores("cats purr"))
    assert {record["importance_norm"] for record in system.get_all_memories()} != {0.0}
