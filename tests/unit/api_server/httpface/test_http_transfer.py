"""Export, import and bulks of lines over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.unit.api_server.conftest import World

OTHER = {"x-soma-namespace": "other"}
Lines = list[dict[str, Any]]


async def store(client: httpx.AsyncClient, coord: str, **payload: Any) -> None:
    answer = await client.post("/store", json={"coord": coord, "payload": payload})
    assert answer.status_code == 200


async def export(client: httpx.AsyncClient, headers: dict[str, str] | None = None, query: str = "") -> Lines:
    answer = await client.get(f"/export{query}", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


async def import_(client: httpx.AsyncClient, lines: Lines | str, query: str = "") -> dict[str, Any]:
    text = lines if isinstance(lines, str) else "\n".join(json.dumps(line) for line in lines)
    answer = await client.post(f"/import{query}", content=text, headers=OTHER)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def filled(client: httpx.AsyncClient) -> Lines:
    """The export of three memories, one with a past, and two links."""
    await store(client, "1", fact="cats purr", importance=3)
    await store(client, "1", fact="cats purr when stroked", importance=4, timestamp=50)
    await store(client, "2,0.5", fact="ä ß 漢", deep={"n": [1, 2.5, None, True]})
    await client.post("/store", json={"coord": "3", "payload": {"n": 1}, "type": "semantic"})
    for ends in (
        {"from_coord": "1", "to_coord": "3"},
        {"from_coord": "3", "to_coord": "2,0.5", "type": "x", "weight": 2},
    ):
        assert (await client.post("/link", json=ends)).status_code == 200
    return await export(client)


def without_head(lines: Lines) -> Lines:
    """All but the manifest; links come in the order of identifiers, which depend on the namespace."""
    return sorted(lines[1:], key=lambda line: (line["kind"], str(line.get("coordinate") or line.get("from"))))


async def test_an_export_tells_everything_between_a_manifest_and_an_end(client: httpx.AsyncClient) -> None:
    """(X-04)"""
    lines = await filled(client)

    assert [line["kind"] for line in lines] == ["manifest", "memory", "memory", "memory", "link", "link", "end"]
    assert lines[0]["counts"]["memories"] == 3
    assert (lines[0]["format"], lines[0]["version"], lines[0]["namespace"]) == ("somamemory-export", 1, "api_ns")
    assert lines[0]["embedder"].startswith("hash")
    assert (lines[1]["version"], [old["payload"]["fact"] for old in lines[1]["versions"]]) == (2, ["cats purr"])
    assert lines[-1] == {"kind": "end", "memories": 3, "links": 2, "versions": 1, "versions_left_out": 0}


async def test_an_import_is_lossless_and_the_same_file_again_changes_nothing(
    client: httpx.AsyncClient, world: World
) -> None:
    """Metadata, links and versions come back; recall finds all at once. (X-04)"""
    lines = await filled(client)

    first = await import_(client, lines)

    assert (first["imported"], first["created"], first["links"], first["versions"]) == (3, 3, 2, 1)
    assert (first["complete"], first["indexed"], first["failed"]) == (True, True, 0)
    assert without_head(await export(client, OTHER)) == without_head(lines)
    recalled = await client.post("/recall", json={"query": "stroked"}, headers=OTHER)
    assert recalled.json()["matches"][0]["fact"] == "cats purr when stroked"
    events = len(world.records._outbox)
    second = await import_(client, lines)
    assert (second["imported"], second["unchanged"]) == (3, 3)
    assert without_head(await export(client, OTHER)) == without_head(lines)
    assert len(world.records._outbox) == events


@pytest.mark.parametrize("replace", [False, True])
async def test_only_a_replacing_import_removes_what_the_file_does_not_know(
    client: httpx.AsyncClient, replace: bool
) -> None:
    lines = await filled(client)
    for coord in ("1", "9"):
        body = {"coord": coord, "payload": {"fact": "was here before"}}
        await client.post("/store", json=body, headers=OTHER)
    await client.post("/link", json={"from_coord": "1", "to_coord": "9"}, headers=OTHER)

    report = await import_(client, lines, "?replace=true" if replace else "")

    assert (report["replaced"], report["created"], report["removed"]) == (1, 2, int(replace))
    after = await export(client, OTHER)
    if replace:
        assert without_head(after) == without_head(lines)
    else:
        kept = {"was here before"}
        assert {line["payload"].get("fact") for line in after if line["kind"] == "memory"} >= kept
        assert [old["payload"]["fact"] for old in after[1]["versions"]] == ["was here before"]


@pytest.mark.parametrize("cut", [1, 2])
async def test_a_file_that_was_cut_off_never_removes_anything(client: httpx.AsyncClient, cut: int) -> None:
    lines = await filled(client)
    await client.post("/store", json={"coord": "9", "payload": {"fact": "mine"}}, headers=OTHER)

    report = await import_(client, lines[:-cut], "?replace=true")

    assert (report["complete"], report["removed"], report["imported"]) == (False, 0, 3)
    assert (await client.get("/memories/9", headers=OTHER)).status_code == 200


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        ("{", "JSON"),
        ("[1]", "object"),
        ('{"kind": "dream"}', "kind"),
        ('{"kind": "memory", "coordinate": [1]}', "version"),
        ('{"kind": "link", "from": [1], "to": [99], "type": "x", "weight": 1, "created_at": 1}', "no memory lives"),
        ('{"kind": "link", "from": [], "to": [1], "type": "x", "weight": 1, "created_at": 1}', "numbers"),
        ('{"kind": "link", "from": [1], "to": [1], "type": "x", "weight": -1, "created_at": 1}', "weight"),
        ('{"fact": "no place"}', "coordinate"),
        ('{"coordinate": [1], "memory_type": "divine"}', "memory_type"),
        ('{"kind": "manifest"}', "manifest"),
    ],
)
async def test_a_bad_line_is_told_and_all_others_are_taken(client: httpx.AsyncClient, bad: str, word: str) -> None:
    lines = [json.dumps(line) for line in await filled(client)]
    lines[4:4] = ["", bad]

    report = await import_(client, "\n".join(lines))

    assert (report["imported"], report["links"], report["failed"], report["complete"]) == (3, 2, 1, False)
    (error,) = report["errors"]
    assert error["line"] == 6
    assert word in error["detail"]


async def test_a_memory_line_keeps_the_limits_of_every_memory(client: httpx.AsyncClient) -> None:
    memory = (await filled(client))[1]
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    changes: Lines = [
        {"payload": {"x": deep}},
        {"coordinate": []},
        {"version": 0},
        {"version": 2**63},
        {"importance": 1e300},
        {"created_at": None},
        {"versions": [memory["versions"][0]] * 2},
        {"versions": [{**memory["versions"][0], "version": 9}]},
        {"memory_type": "divine"},
        {"extra": 1},
    ]

    report = await import_(client, [{**memory, **change} for change in changes])

    assert (report["failed"], report["imported"]) == (len(changes), 0)
    assert [error["line"] for error in report["errors"]] == list(range(1, len(changes) + 1))


@pytest.mark.parametrize("change", [{"version": 2}, {"format": "gibberish"}])
async def test_a_file_of_another_format_is_refused_before_anything_is_done(
    client: httpx.AsyncClient, change: dict[str, Any]
) -> None:
    lines = await filled(client)
    text = "\n".join(json.dumps(line) for line in [{**lines[0], **change}, *lines[1:]])

    answer = await client.post("/import", content=text, headers=OTHER)

    assert answer.status_code == 422
    assert (await client.get("/stats", headers=OTHER)).json()["total_memories"] == 0


async def test_files_of_the_original_program_are_taken_too(client: httpx.AsyncClient) -> None:
    """(X-04)"""
    flat: Lines = [
        {"coordinate": [1.0, 2.0], "memory_type": "episodic", "fact": "herons wade", "timestamp": 5, "importance": 2},
        {"coordinate": [3], "memory_type": "semantic", "fact": "storks", "access_count": 9, "links": []},
    ]

    report, again = await import_(client, flat), await import_(client, flat)

    assert (report["created"], report["complete"], again["unchanged"]) == (2, True, 2)
    memory = (await client.get("/memories/1,2", headers=OTHER)).json()
    assert memory["payload"] == {"fact": "herons wade", "timestamp": 5, "importance": 2}
    assert (memory["timestamp"], memory["importance"]) == (5, 2)


async def test_vectors_are_exported_on_demand_and_need_no_import(client: httpx.AsyncClient) -> None:
    await filled(client)

    lines = await export(client, query="?vectors=true")

    assert lines[0]["vectors"] is True
    assert [len(line["vector"]) for line in lines if line["kind"] == "memory"] == [256] * 3
    assert (await import_(client, lines))["complete"]


async def test_an_empty_namespace_is_a_manifest_and_an_end(client: httpx.AsyncClient) -> None:
    lines = await export(client, OTHER)

    assert [line["kind"] for line in lines] == ["manifest", "end"]
    assert (await import_(client, lines, "?replace=true"))["complete"]
    assert (await client.post("/import?replace=true", content="\n\n")).status_code == 422


async def test_many_portions_hold_each_memory_once(client: httpx.AsyncClient) -> None:
    items = [{"coord": str(n), "payload": {"n": n, "text": "x" * (n % 7) * 1000}} for n in range(700)]
    await client.post("/store_bulk", json={"items": items})

    lines = await export(client)

    assert [line["coordinate"][0] for line in lines if line["kind"] == "memory"] == list(range(700))
    assert (await import_(client, lines))["created"] == 700


@pytest.mark.parametrize("query", ["?vectors=maybe", "?x=1"])
async def test_a_bad_question_is_refused_before_the_first_line(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"/export{query}")).status_code == 422
    assert (await client.post(f"/import{query}")).status_code == 422


async def test_without_the_truth_nothing_is_exported_or_imported(client: httpx.AsyncClient, world: World) -> None:
    lines = await filled(client)
    world.records.away = True

    exported = await client.get("/export")
    imported = await client.post("/import", content="\n".join(json.dumps(line) for line in lines))

    assert (exported.status_code, imported.status_code) == (503, 503)
    assert "send the same file again" in imported.json()["detail"]
    assert "retry-after" in imported.headers


async def bulk(client: httpx.AsyncClient, content: Any) -> httpx.Response:
    return await client.post("/store_bulk", content=content, headers={"content-type": "application/x-ndjson"})


def item(n: int) -> bytes:
    return json.dumps({"coord": str(n), "payload": {"n": n, "fact": "herons wade"}}).encode() + b"\n"


async def test_a_bulk_of_lines_is_stored_however_it_is_cut_into_chunks(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        text = b"".join(map(item, range(1, 1202))).removesuffix(b"\n")
        for at in range(0, len(text), 777):
            yield text[at : at + 777]

    answer = await bulk(client, chunks())

    assert answer.json() == {"stored": 1201, "failed": 0, "indexed": True, "errors": []}
    assert (await client.get("/stats")).json()["total_memories"] == 1201
    assert (await client.post("/recall", json={"query": "herons"})).json()["matches"]


async def test_bad_lines_of_a_bulk_are_told_by_their_number_and_the_good_ones_stay(client: httpx.AsyncClient) -> None:
    good = b"\n".join([item(1).strip(), b"", b"{", b'{"coord": "x", "payload": {}}', item(2).strip()])
    bad = b'\n{"coord": "3"}\n{"coord": "4", "payload": {"importance": "inf"}}\n[]\n' + item(5)

    answer = (await bulk(client, good + bad)).json()

    assert (answer["stored"], answer["failed"]) == (3, 5)
    assert [error["line"] for error in answer["errors"]] == [3, 4, 6, 7, 8]
    assert all(error["detail"] for error in answer["errors"])


async def test_a_line_that_is_too_long_costs_only_itself(client: httpx.AsyncClient) -> None:
    long = json.dumps({"coord": "7", "payload": {"x": "y" * 6 * 1024 * 1024}}).encode()

    answer = (await bulk(client, item(1) + long + b"\n" + item(2))).json()

    assert (answer["stored"], answer["failed"]) == (2, 1)
    assert "bytes" in answer["errors"][0]["detail"]


async def test_a_bulk_of_lines_says_how_far_it_came_when_the_truth_goes_away(
    client: httpx.AsyncClient, world: World
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for n in range(1, 600):
            yield item(n)
        world.records.away = True
        yield item(600)

    answer = await bulk(client, chunks())

    assert answer.status_code == 503
    assert "500 memories are stored" in answer.json()["detail"]


async def test_a_body_that_stops_coming_is_given_up(world: World) -> None:
    never = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield item(1)
        await never.wait()

    async with world.client(SOMA_BODY_TIMEOUT_SECONDS="0.05") as client:
        lines = await bulk(client, stuck())
        body = await client.post("/store", content=stuck())

    assert (lines.status_code, body.status_code) == (408, 408)


async def test_an_export_does_not_say_how_long_it_will_be(client: httpx.AsyncClient) -> None:
    """A server sends no more than the length it was told, even when that is none."""
    answer = await client.get("/export")

    assert "content-length" not in answer.headers
