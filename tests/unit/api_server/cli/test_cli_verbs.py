"""Every verb of `soma`: what it prints for scripts, for machines and for people."""

import json
from pathlib import Path

import pytest

from tests.unit.api_server.commands import Soma, soma_over
from tests.unit.api_server.conftest import World


@pytest.fixture
def soma(world: World, capsys: pytest.CaptureFixture[str]) -> Soma:
    return soma_over(world, capsys)


def store(soma: Soma, coord: str, kind: str = "episodic", **payload: object) -> None:
    assert soma("store", "--coord", coord, "--payload", json.dumps(payload), "--type", kind).out == "OK\n"


def test_store_says_ok_and_the_memory_is_there_for_the_next_command(soma: Soma) -> None:
    """(X-05)"""
    store(soma, "1,2.5", "semantic", fact="cats purr")

    memory = soma("get", "--coord", "1.0,2.5").json
    assert (memory["coordinate"], memory["memory_type"], memory["payload"]) == (
        [1.0, 2.5],
        "semantic",
        {"fact": "cats purr"},
    )
    assert soma("store", "--coord", "-1,2", "--payload", "{}", "-o", "json").json == {
        "ok": True,
        "indexed": True,
        "version": 1,
    }


def test_recall_prints_the_seeds_array_and_for_machines_the_scores(soma: Soma) -> None:
    """(cli defect 9)"""
    store(soma, "1", "semantic", fact="cats purr")
    store(soma, "2", "semantic", fact="dogs bark")

    (memory,) = soma("recall", "--query", "cats purr", "--top-k", "1").json
    (scored,) = soma("recall", "--query", "cats purr", "--top-k", "1", "-o", "json").json["results"]
    table = soma("recall", "--query", "cats purr", "--top-k", "1", "-o", "table").out

    assert (memory["fact"], memory["coordinate"], memory["memory_type"]) == ("cats purr", [1.0], "semantic")
    assert scored["payload"] == memory
    assert scored["score"] > 0
    assert f"{scored['score']:.4f}" in table
    assert "SCORE" in table


def test_recall_takes_types_filters_context_and_vectors_only(soma: Soma) -> None:
    store(soma, "1", "semantic", fact="cats purr", room="kitchen")
    store(soma, "2", "episodic", fact="cats purr", room="attic")

    def places(*more: str) -> list[list[float]]:
        return [memory["coordinate"] for memory in soma("recall", "--query", "cats purr", *more).json]

    assert places("--type", "episodic") == [[2.0]]
    assert places("--filters", '{"room": "kitchen"}') == [[1.0]]
    assert places("--context", '{"where": "attic"}')[0] == [2.0]
    assert sorted(places("--vectors-only")) == [[1.0], [2.0]]


def test_hybrid_explain_and_keyword_search_find_terms(soma: Soma) -> None:
    """(cli defect 8)"""
    store(soma, "1", fact="the cat purrs at night")
    store(soma, "2", fact="the dog sleeps at night")

    assert soma("hybrid", "--query", "night", "--term", "purrs", "--top-k", "1").json[0]["coordinate"] == [1.0]
    (explained,) = soma("explain", "--query", "cat", "--term", "purrs", "--top-k", "1").json
    assert explained["score"] == pytest.approx(sum(explained["parts"].values()))
    assert soma("keyword-search", "--term", "purr", "--mode", "substring").json[0]["coordinate"] == [1.0]
    assert soma("keyword-search", "--term", "purr").json == []
    for command in ("hybrid --query cat", "explain --query cat", "keyword-search --term cat"):
        assert "COORDINATE" in soma(*command.split(), "-o", "table").out


def test_range_and_list_show_what_is_there(soma: Soma) -> None:
    for place in ("0,0", "1,1", "2,2"):
        store(soma, place, "semantic" if place == "1,1" else "episodic", at=place)

    assert soma("range", "--min", "0,0", "--max", "1,1").json == [[0.0, 0.0], [1.0, 1.0]]
    assert soma("range", "--min", "0,0", "--max", "9,9", "--type", "semantic").json == [[1.0, 1.0]]
    assert [memory["coordinate"] for memory in soma("list", "--limit", "2").json] == [[0.0, 0.0], [1.0, 1.0]]
    assert [memory["coordinate"] for memory in soma("list", "--after", "1,1").json] == [[2.0, 2.0]]
    assert len(soma("list", "--limit", "0").json) == 3


def test_a_link_of_one_run_is_a_path_of_the_next(soma: Soma) -> None:
    """(cli defect 1)"""
    for place in ("1", "2", "3"):
        store(soma, place, at=place)

    assert soma("link", "--from", "1", "--to", "2").out == "OK\n"
    assert soma("link", "--from", "2", "--to", "3", "--type", "causes", "--weight", "0.5").out == "OK\n"

    assert soma("path", "--from", "1", "--to", "3").json == [[1.0], [2.0], [3.0]]
    assert soma("path", "--from", "3", "--to", "1").json == []
    assert soma("path", "--from", "1", "--to", "3", "--type", "causes").json == []
    assert soma("neighbors", "--coord", "2").json == [[3.0]]
    assert soma("neighbors", "--coord", "2", "-o", "json").json["neighbors"][0][1]["type"] == "causes"
    assert "1 -> 2 -> 3" in soma("path", "--from", "1", "--to", "3", "-o", "table").out
    assert soma("unlink", "--from", "1", "--to", "2").out == "OK\n"
    assert soma("neighbors", "--coord", "1").json == []


def test_memories_are_amended_weighed_and_forgotten(soma: Soma) -> None:
    """(cli defect 8)"""
    store(soma, "1", mood="calm", draft=True)

    assert soma("amend", "--coord", "1", "--payload", '{"draft": null, "mood": "glad"}').out == "OK\n"
    assert soma("importance", "--coord", "1", "--value", "5").out == "OK\n"
    memory = soma("get", "--coord", "1").json
    assert (memory["payload"]["mood"], memory["importance"], "draft" in memory["payload"]) == ("glad", 5.0, False)
    assert [old["version"] for old in soma("versions", "--coord", "1").json] == [3, 2, 1]
    assert "VERSION" in soma("versions", "--coord", "1", "-o", "table").out

    assert soma("delete", "--coord", "1", "--if-version", "1").code == 1
    assert soma("delete", "--coord", "1", "--if-version", "3").out == "OK\n"
    assert soma("get", "--coord", "1").code == 3


def test_delete_many_counts_those_that_lived(soma: Soma) -> None:
    store(soma, "1,2,3", n=1)
    store(soma, "4,5,6", n=2)

    assert soma("delete-many", "--coords", "1,2,3; 4,5,6;7,8,9").out == '{"deleted": 2}\n'
    assert soma("stats").json["total_memories"] == 0


def test_stats_are_the_seeds_object(soma: Soma) -> None:
    store(soma, "1", "semantic", n=1)

    done = soma("stats")

    assert done.out == '{\n  "total_memories": 1,\n  "episodic": 0,\n  "semantic": 1\n}\n'


def test_store_bulk_takes_an_array_or_lines(soma: Soma, tmp_path: Path) -> None:
    array, lines = tmp_path / "a.json", tmp_path / "b.ndjson"
    array.write_text(
        '[{"coord": "1,2", "payload": {"n": 1}}, {"coord": [3, 4.5], "payload": {"n": 2}, "type": "semantic"}]'
    )
    lines.write_text('{"coord": "5,6", "payload": {"n": 3}}\n\n{"coord": "7,8", "payload": {"n": 4}}\n')

    assert soma("store-bulk", "--file", str(array)).out == '{"stored": 2}\n'
    assert soma("store-bulk", "--file", str(lines)).out == '{"stored": 2}\n'
    assert soma("stats").json == {"total_memories": 4, "episodic": 3, "semantic": 1}


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ('{"payload": {}}', '"coord" is needed'),
        ('{"coord": "", "payload": {}}', '"coord" is needed'),
        ('{"coord": "1", "payload": {}, "type": "vague"}', "neither episodic nor semantic"),
        ('{"coord": "1", "payload": []}', '"payload" is needed'),
        ('{"coord": "1", "payload": {}, "kind": 1}', "unknown field 'kind'"),
        ('{"coord": "1", "payload": {"x": NaN}}', "NaN"),
        ("7", "an object is needed"),
    ],
)
def test_store_bulk_refuses_a_wrong_item_before_it_stores_any(soma: Soma, tmp_path: Path, item: str, said: str) -> None:
    """(cli defect 7)"""
    file = tmp_path / "wrong.json"
    file.write_text(f'[{{"coord": "1", "payload": {{}}}}, {item}]')

    done = soma("store-bulk", "--file", str(file))

    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert soma("stats").json["total_memories"] == 0


def test_a_wrong_line_is_told_and_the_others_are_stored(soma: Soma, tmp_path: Path) -> None:
    """(cli defect 7)"""
    file = tmp_path / "memories.ndjson"
    file.write_text('{"coord": "1", "payload": {}}\n{"payload": {}}\n{"coord": "2", "payload": {}, "type": "vague"}\n')

    done = soma("store-bulk", "--file", str(file))

    assert (done.code, done.json) == (1, {"stored": 1})
    assert "line 2: " in done.err
    assert "line 3: " in done.err


def test_memories_are_remembered_without_a_question(soma: Soma) -> None:
    """(X-04)"""
    for number in range(3):
        store(soma, str(number), timestamp=1000 + number, importance=3 - number)

    assert [memory["coordinate"] for memory in soma("recent", "--n", "2").json] == [[2.0], [1.0]]
    assert [memory["coordinate"] for memory in soma("important", "--n", "2").json] == [[0.0], [1.0]]
    assert len(soma("replay", "--n", "2").json) == len(soma("reflect", "--n", "2").json) == 2
    assert soma("recent", "--type", "semantic").json == []
    assert "COORDINATE" in soma("recent", "-o", "table").out


def test_outcomes_are_noted_and_episodes_become_facts(soma: Soma) -> None:
    """(X-04)"""
    store(soma, "1", task="guess the weather", predicted_outcome="sun")

    assert soma("outcome", "--coord", "1", "--outcome", '"rain"').out == "OK\n"
    assert soma("get", "--coord", "1").json["payload"]["reported_outcome"] == "rain"
    assert soma("outcome", "--coord", "1", "--outcome", "null").code == 0
    assert soma("outcome", "--coord", "1", "--outcome", "rain").code == 2
    assert soma("consolidate").json["stored"] == 1
    assert soma("consolidate").json == {"stored": 0, "unchanged": 1}


def test_many_queries_are_asked_at_once(soma: Soma) -> None:
    store(soma, "1", fact="cats purr")
    store(soma, "2", fact="dogs bark")

    cats, dogs = soma("recall-batch", "--query", "cats", "--query", "dogs", "--top-k", "1").json

    assert (cats[0]["coordinate"], dogs[0]["coordinate"]) == ([1.0], [2.0])


def test_the_audit_tells_who_did_what(soma: Soma) -> None:
    store(soma, "1", n=1)
    soma("delete", "--coord", "1")

    entries = soma("audit").json

    assert {entry["action"] for entry in entries} >= {"delete"}
    assert soma("audit", "--action", "delete", "--limit", "1").json[0]["coordinate"] == [1.0]
    assert "CALLER" in soma("audit", "-o", "table").out


@pytest.mark.parametrize("name", ["links.json", "links.graphml"])
def test_a_graph_is_exported_and_imported(soma: Soma, tmp_path: Path, name: str) -> None:
    """(cli defect 4)"""
    file = tmp_path / name
    for place in ("1", "-2.5,3"):
        store(soma, place, at=place)
    soma("link", "--from", "1", "--to", "-2.5,3", "--type", 'a<b> & "c"\r\nd|e', "--weight", "0.25")
    soma("link", "--from", "-2.5,3", "--to", "1")

    assert soma("export-graph", "--path", str(file)).out == '{"exported": 2}\n'
    for source, target, kind in (("1", "-2.5,3", 'a<b> & "c"\r\nd|e'), ("-2.5,3", "1", "related")):
        soma("unlink", "--from", source, "--to", target, "--type", kind)
    assert soma("neighbors", "--coord", "1").json == []

    assert soma("import-graph", "--path", str(file)).out == '{"imported": 2}\n'
    ((at, edge),) = soma("neighbors", "--coord", "1", "-o", "json").json["neighbors"]
    assert (at, edge["type"], edge["weight"]) == ([-2.5, 3.0], 'a<b> & "c"\r\nd|e', 0.25)
    assert soma("neighbors", "--coord", "-2.5,3").json == [[1.0]]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", "{}"),
        ("a.json", "not json"),
        ("a.json", '{"format": "somafractalmemory-graph", "version": 1, "links": [{"from": [1]}]}'),
        ("a.graphml", "<graphml"),
        ("a.graphml", '<!DOCTYPE x [<!ENTITY a "b">]><graphml xmlns="http://graphml.graphdrawing.org/xmlns"/>'),
    ],
)
def test_a_file_that_is_no_graph_is_refused(soma: Soma, tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)

    done = soma("import-graph", "--path", str(file))

    assert done.code == 2
    assert "nothing was linked" in done.err


def test_importing_links_of_memories_that_are_not_there_names_one(soma: Soma, tmp_path: Path) -> None:
    file = tmp_path / "links.json"
    file.write_text('{"format": "somafractalmemory-graph", "version": 1, "links": [{"from": [1], "to": [9]}]}')
    store(soma, "1", n=1)

    done = soma("import-graph", "--path", str(file))

    assert done.code == 3
    assert "9.0" in done.err


def test_health_names_every_store_and_ends_with_5_when_one_that_is_needed_is_away(world: World, soma: Soma) -> None:
    well = soma("health")
    table = soma("health", "-o", "table").out
    world.records.away = True
    ill = soma("health", "-o", "json")

    assert (well.code, well.json["status"]) == (0, "ok")
    assert "postgres" in table
    assert (ill.code, ill.json["status"], ill.json["components"]["postgres"]["ok"]) == (5, "unavailable", False)


def test_memories_are_exported_whole_and_imported(soma: Soma, tmp_path: Path) -> None:
    """(X-05)"""
    file = tmp_path / "memories.ndjson"
    for number in range(3):
        store(soma, str(number), n=number)
    store(soma, "0", n="changed")
    soma("link", "--from", "0", "--to", "1", "--type", "causes")

    assert soma("export-memories", "--path", str(file)).out == '{"exported": 3}\n'
    whole = file.read_bytes()
    assert soma("export-memories", "--path", "-").out.count('"kind":"memory"') == 3
    assert file.stat().st_mode & 0o077 == 0

    soma("delete-many", "--coords", "0;1;2")
    store(soma, "7", n=7)
    assert soma("import-memories", "--path", str(file), "--replace").out == '{"imported": 3}\n'
    assert soma("range", "--min", "0", "--max", "9").json == [[0.0], [1.0], [2.0]]
    assert [old["payload"]["n"] for old in soma("versions", "--coord", "0").json] == ["changed", 0]
    assert soma("neighbors", "--coord", "0", "--type", "causes").json == [[1.0]]
    assert file.read_bytes() == whole


def test_an_import_of_half_a_file_takes_what_it_can_and_says_so(soma: Soma, tmp_path: Path) -> None:
    file = tmp_path / "memories.ndjson"
    store(soma, "1", n=1)
    soma("export-memories", "--path", str(file))
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:-1], "{broken", ""]))

    done = soma("import-memories", "--path", str(file))

    assert (done.code, done.json) == (1, {"imported": 1})
    assert "line 3: " in done.err
    assert "not everything was imported" in done.err


def test_a_file_that_cannot_be_written_or_read_is_a_wrong_option(soma: Soma, tmp_path: Path) -> None:
    for command in ("export-memories", "export-graph", "import-memories", "import-graph"):
        done = soma(command, "--path", str(tmp_path / "no" / "such" / "place.json"))
        assert (done.code, done.out) == (2, "")
        assert "--path" in done.err
