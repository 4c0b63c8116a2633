"""Versions, amending, and conditions over HTTP."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.unit.api_server.conftest import World


async def store(client: httpx.AsyncClient, **payload: Any) -> None:
    assert (await client.post("/store", json={"coord": "1", "payload": payload})).status_code == 200


async def patch(client: httpx.AsyncClient, expected: str | None = None, **body: Any) -> httpx.Response:
    headers = {} if expected is None else {"if-match": expected}
    return await client.patch("/memories/1", json=body, headers=headers)


async def payload(client: httpx.AsyncClient) -> dict[str, Any]:
    return dict((await client.get("/memories/1")).json()["payload"])


async def test_a_patch_changes_what_it_names_and_is_recalled_at_once(client: httpx.AsyncClient) -> None:
    await store(client, fact="cats purr", draft=True, deep={"a": 1, "b": 2})
    before = (await client.get("/memories/1")).json()

    answer = await patch(client, payload={"draft": None, "deep": {"b": 3}, "mood": "serene"})

    assert answer.json() == {"ok": True, "indexed": True, "version": 2}
    assert answer.headers["etag"] == '"2"'
    after = (await client.get("/memories/1")).json()
    assert after["payload"] == {"fact": "cats purr", "deep": {"a": 1, "b": 3}, "mood": "serene"}
    assert (after["memory_type"], after["timestamp"]) == ("episodic", before["timestamp"])
    (match,) = (await client.post("/recall", json={"query": "serene"})).json()["matches"]
    assert match["mood"] == "serene"


async def test_a_patch_can_change_the_type_alone(client: httpx.AsyncClient) -> None:
    await store(client, fact="cats purr")

    await patch(client, payload={}, type="semantic")

    after = (await client.get("/memories/1")).json()
    assert (after["memory_type"], after["payload"]) == ("semantic", {"fact": "cats purr"})


async def test_versions_are_shown_newest_first(client: httpx.AsyncClient) -> None:
    for n in range(3):
        await store(client, n=n)

    versions = (await client.get("/memories/1/versions")).json()["versions"]

    assert [(memory["version"], memory["payload"]) for memory in versions] == [
        (3, {"n": 2}),
        (2, {"n": 1}),
        (1, {"n": 0}),
    ]


async def test_a_deleted_memory_has_no_versions(client: httpx.AsyncClient) -> None:
    await store(client, secret="hunter2")
    await store(client, n=1)
    await client.delete("/memories/1")

    assert (await client.get("/memories/1/versions")).status_code == 404
    await store(client, n=2)
    assert "hunter2" not in (await client.get("/memories/1/versions")).text


async def test_a_condition_lets_only_the_expected_version_be_changed(client: httpx.AsyncClient) -> None:
    await store(client, n=0)
    etag = (await client.get("/memories/1")).headers["etag"]

    assert (await patch(client, etag, payload={"n": 1})).status_code == 200
    late = await patch(client, etag, payload={"n": 2})
    late_deletion = await client.delete("/memories/1", headers={"if-match": etag})

    assert (late.status_code, late_deletion.status_code) == (412, 412)
    assert "version 2" in late.json()["detail"]
    assert await payload(client) == {"n": 1}
    assert (await patch(client, "*", payload={"n": 3})).status_code == 200
    assert (await client.delete("/memories/1", headers={"if-match": "3"})).status_code == 200


async def test_patches_at_the_same_time_are_all_merged(client: httpx.AsyncClient) -> None:
    await store(client)

    answers = await asyncio.gather(*(patch(client, payload={f"n{n}": n}) for n in range(4)))

    assert [answer.status_code for answer in answers] == [200] * 4
    assert await payload(client) == {f"n{n}": n for n in range(4)}


async def test_what_does_not_live_cannot_be_amended(client: httpx.AsyncClient) -> None:
    assert (await patch(client, payload={})).status_code == 404
    assert (await patch(client, '"1"', payload={})).status_code == 404
    assert (await client.delete("/memories/1", headers={"if-match": '"1"'})).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"payload": []},
        {"payload": {"importance": True}},
        {"payload": {"x": "a\x00b"}},
        {"payload": {}, "type": "divine"},
        {"payload": {}, "coord": "2"},
        {"payload": {str(n): 1 for n in range(300)}},
    ],
)
async def test_a_bad_patch_changes_nothing(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    await store(client, n=0)

    assert (await client.patch("/memories/1", json=body)).status_code == 422
    assert (await client.get("/memories/1")).json()["version"] == 1


async def test_a_deep_patch_is_refused_before_it_is_walked(client: httpx.AsyncClient) -> None:
    await store(client, n=0)
    deep = '{"payload": ' + '{"a":' * 900 + "1" + "}" * 900 + "}"

    assert (await client.patch("/memories/1", content=deep)).status_code == 422


async def test_a_bad_patch_is_told_before_a_version_that_is_gone(client: httpx.AsyncClient) -> None:
    await store(client, n=0)

    assert (await patch(client, '"7"', payload={"timestamp": "soon"})).status_code == 422
    assert (await patch(client, '"7"', payload={"timestamp": 5})).status_code == 412


async def test_patches_that_together_break_a_limit_are_refused(client: httpx.AsyncClient) -> None:
    await store(client, **{str(n): n for n in range(200)})

    assert (await patch(client, payload={f"x{n}": n for n in range(100)})).status_code == 422


@pytest.mark.parametrize("condition", ["x", '"x"', "-1", '"1", "2"', 'W/"1"', '"' + "9" * 30 + '"'])
async def test_a_condition_that_is_no_version_is_refused(client: httpx.AsyncClient, condition: str) -> None:
    await store(client, n=0)

    assert (await patch(client, condition, payload={})).status_code == 422


async def test_an_amendment_without_the_index_is_committed_and_says_so(client: httpx.AsyncClient, world: World) -> None:
    await store(client, n=0)
    world.vectors.away = True

    assert (await patch(client, payload={"n": 1})).json() == {"ok": True, "indexed": False, "version": 2}
