"""Four tenants share everything but what they may see: 10,000 random calls, and not one word too many."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from somafractalmemory.security.callers import Scope
from somafractalmemory.security.tokenfile import line_of, new_token
from tests.integration.api.programs import Program, Stack, running
from tests.integration.api.tenantcalls import READS, WRITES, Call, Dice, Operation, Tenant, called

CALLS = 10_000
AT_ONCE = 12
NAMES = ("alpha", "alpha2", "alp_")  # one begins like another, and one looks like a pattern
QUIET = "quiet"  # lives at the places that the others write, and never does anything
MARKS = ("3.1415926535", "2.7182818284", "1.4142135623", "1.6180339887")
COUNTS_ONLY = {("GET", "/stats")}
PLACES = [f"{first},{second}.5" for first in range(12) for second in range(3)]


def tenants_of(*namespaces: str) -> list[tuple[Tenant, str]]:
    """Tenants of these namespaces, each with the line of the token file; their tokens have one name."""
    made: list[tuple[Tenant, str]] = []
    for number, namespace in enumerate(namespaces):
        token, entry = new_token(name="app", scopes=list(Scope), namespaces=[namespace])
        name = f"{namespace}/{number}"
        tenant = Tenant(name, namespace, token, f"public{number}x", f"Secret-{number}Z", MARKS[number])
        made.append((tenant, line_of(entry)))
    return made


TENANTS = tenants_of(*NAMES, QUIET)
TOGETHER = tenants_of("shared", "shared", "shared")


@pytest.fixture(scope="module")
def api(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A server of their own, on the stores that everybody uses."""
    folder = tmp_path_factory.mktemp("tenants")
    file = folder / "tokens.yaml"
    file.write_text("tokens:\n" + "\n".join(line for _, line in [*TENANTS, *TOGETHER]) + "\n")
    more = {"SOMA_API_TOKENS_FILE": str(file), "SOMA_AUDIT": "all"}
    with running("serve", {**stack.environment, **more}, Path(folder)) as program:
        yield program


class Fuzz:
    """The calls, and what they gave away."""

    def __init__(self, url: str, tenants: list[Tenant], session: aiohttp.ClientSession) -> None:
        self.url = url
        self.tenants = tenants
        self.session = session
        self.dice = Dice(tenants)
        self.leaks: list[tuple[Operation, str]] = []
        self.statuses: Counter[int] = Counter()
        self.successes: Counter[Operation] = Counter()

    async def run(self, calls: int, *, trespassing: float = 0.1) -> None:
        callers = [tenant for tenant in self.tenants if tenant.namespace != QUIET]
        left = iter(range(calls))

        async def caller() -> None:
            for _ in left:
                tenant = self.dice.random.choice(callers)
                if self.dice.random.random() < trespassing:
                    await self.trespass(tenant)
                else:
                    await self.send(tenant, self.dice.call(tenant))

        await asyncio.gather(*(caller() for _ in range(AT_ONCE)))

    async def trespass(self, tenant: Tenant) -> None:
        """Ask for another one's namespace by its name: refused, whatever is asked."""
        other = self.dice.other(tenant)
        call = self.dice.call(tenant)
        call.headers["X-Soma-Namespace"] = other.namespace
        status = await self.send(tenant, call)
        if status != 403:
            self.leaks.append((call.operation, f"{tenant.name} entered {other.namespace}: {status} {call}"))

    async def send(self, tenant: Tenant, call: Call) -> int:
        data = call.content
        headers = {**call.headers, "Authorization": f"Bearer {tenant.token}"}
        async with self.session.request(
            call.method, self.url + call.address, params=call.params, data=data, headers=headers
        ) as answer:
            text = (await answer.read()).decode()
        self.statuses[answer.status] += 1
        if answer.status == 200:
            self.successes[call.operation] += 1
        self.look(tenant, call, text + str(answer.headers))
        if tag := answer.headers.get("ETag"):
            tenant.tags = [*tenant.tags[-20:], tag]
        if '"next":"' in text:
            self.keep(tenant, json.loads(text)["next"])
        return answer.status

    def keep(self, tenant: Tenant, cursor: str) -> None:
        """Others use it, too, so it must not tell what only its owner knows."""
        if not tenant.is_seen_in(cursor):
            tenant.cursors = [*tenant.cursors[-20:], cursor]

    def look(self, tenant: Tenant, call: Call, text: str) -> None:
        for other in self.tenants:
            if other is not tenant and other.is_seen_in(text):
                self.leaks.append((call.operation, f"{tenant.name} saw {other.name}'s: {call}"))


class Reader:
    """What one tenant sees of its own."""

    def __init__(self, session: aiohttp.ClientSession, url: str, tenant: Tenant) -> None:
        self.session, self.url, self.tenant = session, url, tenant

    async def ask(self, method: str, path: str, body: Any = None, **params: str) -> Any:
        headers = {"Authorization": f"Bearer {self.tenant.token}", "X-Request-Id": self.tenant.secret}
        async with self.session.request(method, self.url + path, json=body, params=params, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def settle(self, places: list[str]) -> None:
        """A memory at each place, and a chain of links through all of them."""
        payload = {"fact": f"cat {self.tenant.word}", "owner": self.tenant.secret}
        await self.ask("POST", "/store_bulk", {"items": [{"coord": place, "payload": payload} for place in places]})
        links = [{"from_coord": a, "to_coord": b, "type": self.tenant.secret} for a, b in pairwise(places)]
        await self.ask("POST", "/links", {"links": links})

    async def everything(self) -> dict[str, Any]:
        """All of it that does not change by itself."""
        memories = (await self.ask("GET", "/memories", limit="1000"))["memories"]
        kept = ("coordinate", "memory_type", "payload", "version", "updated_at", "access_count")
        recalled = await self.ask("POST", "/recall", {"query": self.tenant.word, "top_k": 1000})
        return {
            "memories": [[memory[name] for name in kept] for memory in memories],
            "links": (await self.ask("GET", "/links", limit="1000"))["links"],
            "stats": await self.ask("GET", "/stats"),
            "range": await self.ask("GET", "/range", min="-99,-99", max="99,99"),
            "path": await self.ask("GET", "/shortest_path", frm=PLACES[0], to=PLACES[-1]),
            "recalled": sorted(memory["coordinate"] for memory in recalled["matches"]),
        }


@pytest.mark.timeout(600)
async def test_ten_thousand_calls_give_away_nothing(api: Program) -> None:
    """(S-53)"""
    everybody = [tenant for tenant, _ in TENANTS]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:
        *others, quiet = (Reader(session, api.url, tenant) for tenant in everybody)
        await quiet.settle(PLACES)
        before = await quiet.everything()
        fuzz = Fuzz(api.url, everybody, session)
        await fuzz.run(CALLS)
        after, audit = await quiet.everything(), await quiet.ask("GET", "/audit", limit="1000")
        left = {reader.tenant.name: await reader.ask("GET", "/memories", limit="1000") for reader in others}

    assert fuzz.leaks == []
    assert sum(fuzz.statuses.values()) == CALLS
    assert not [status for status in fuzz.statuses if status >= 500], fuzz.statuses
    assert fuzz.statuses[200] > CALLS // 2, "too little was really tried"
    assert set(fuzz.successes) == called([*WRITES, *READS]), "not every kind of call ever succeeded"
    assert after == before, "nobody may touch what is not theirs"
    assert len(before["memories"]) == len(before["recalled"]) == len(before["path"]["path"]) == len(PLACES)
    assert {row["request_id"] for row in audit["entries"]} == {quiet.tenant.secret}
    for name, found in left.items():
        assert found["memories"], "a tenant without memories proves nothing"
        assert not [other for other in everybody if other.name != name and other.is_seen_in(json.dumps(found))]


@pytest.mark.timeout(300)
async def test_every_call_that_could_give_something_away_would_be_found_out(api: Program) -> None:
    """The same calls of three who share a namespace: each kind of reading shows what another one stored."""
    together = [tenant for tenant, _ in TOGETHER]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:
        await Reader(session, api.url, together[0]).settle(
            [place for at in PLACES for place in (at, f"{at.split(',')[0]},{together[0].mark}")]
        )
        fuzz = Fuzz(api.url, together, session)
        await fuzz.run(2_000, trespassing=0.0)

    assert {operation for operation, _ in fuzz.leaks} >= called(READS) - COUNTS_ONLY
