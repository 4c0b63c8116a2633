# ruff: noqa: ARG005  # every entry of the tables of calls takes the same two
"""Three tenants share everything but what they may see: 10,000 random calls, and not one word too many."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from somafractalmemory.callers import Scope
from somafractalmemory.tokenfile import line_of, new_token
from tests.integration.api.programs import Program, Stack, running

CALLS = 10_000
AT_ONCE = 12
SEED = 20_261_123
NAMES = ("alpha", "alpha2", "alp%")  # one begins like another, and one looks like a pattern
SHARED_WORDS = ("cat", "dog", "river", "moon", "bread", "stone")


@dataclass
class Tenant:
    """Who calls. `word` is public and everybody asks for it; `secret` is in every payload and nobody asks for it."""

    name: str
    namespace: str
    token: str
    word: str
    secret: str
    cursors: list[str] = field(default_factory=lambda: ["1.0"])
    tags: list[str] = field(default_factory=lambda: ['"1"'])


@dataclass
class Call:
    """One request."""

    method: str
    path: str
    params: dict[str, str] = field(default_factory=dict)
    body: Any = None
    lines: list[Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


class Dice:
    """Every route, with likely and unlikely arguments; all tenants use the same places, words, keys and cursors."""

    def __init__(self, tenants: list[Tenant]) -> None:
        self.random = random.Random(SEED)
        self.tenants = tenants

    def place(self) -> str:
        return f"{self.random.randrange(12)},{self.random.randrange(3)}.5"

    def words(self) -> str:
        pool = [*SHARED_WORDS, *(tenant.word for tenant in self.tenants)]
        return " ".join(self.random.sample(pool, self.random.randrange(1, 4)))

    def payload(self, tenant: Tenant) -> dict[str, Any]:
        made: dict[str, Any] = {"fact": f"{self.words()} {tenant.word}", "owner": tenant.secret}
        if self.random.random() < 0.3:
            made["nested"] = {"list": [tenant.secret, self.random.random()]}
        if self.random.random() < 0.2:
            made["importance"] = self.random.randrange(5)
        return made

    def item(self, tenant: Tenant) -> dict[str, Any]:
        kind = self.random.choice(["episodic", "semantic"])
        return {"coord": self.place(), "payload": self.payload(tenant), "type": kind}

    def line(self, tenant: Tenant) -> dict[str, Any]:
        """As the original program exported them."""
        place = [float(number) for number in self.place().split(",")]
        return {**self.payload(tenant), "coordinate": place, "memory_type": "semantic"}

    def cursor(self) -> str:
        return self.random.choice(self.random.choice(self.tenants).cursors)

    def call(self, tenant: Tenant) -> Call:
        made = self.random.choice(WRITES if self.random.random() < 0.4 else READS)(self, tenant)
        if self.random.random() < 0.2:
            made.headers["X-Soma-Namespace"] = tenant.namespace
        if made.method != "GET" and self.random.random() < 0.15:
            made.headers["Idempotency-Key"] = f"key-{self.random.randrange(8)}"
        if self.random.random() < 0.05:
            made.headers["If-Match"] = self.random.choice(self.random.choice(self.tenants).tags)
        if self.random.random() < 0.05:
            made.params["namespace"] = self.random.choice(self.tenants).namespace
        return made


Made = Callable[[Dice, Tenant], Call]
WRITES: list[Made] = [
    lambda d, t: Call("POST", "/store", body=d.item(t)),
    lambda d, t: Call("POST", "/store", body=d.item(t)),
    lambda d, t: Call("POST", "/store_bulk", body={"items": [d.item(t) for _ in range(d.random.randrange(1, 6))]}),
    lambda d, t: Call("POST", "/store_bulk", lines=[d.item(t) for _ in range(3)]),
    lambda d, t: Call("PATCH", f"/memories/{d.place()}", body={"payload": {"more": d.words(), "owner": t.secret}}),
    lambda d, t: Call("PUT", f"/memories/{d.place()}/importance", body={"importance": 3}),
    lambda d, t: Call("DELETE", f"/memories/{d.place()}"),
    lambda d, t: Call("POST", "/delete_many", body={"coords": [d.place(), d.place()]}),
    lambda d, t: Call("POST", "/link", body={"from_coord": d.place(), "to_coord": d.place(), "type": t.word}),
    lambda d, t: Call("POST", "/links", body={"links": [{"from_coord": d.place(), "to_coord": d.place()}]}),
    lambda d, t: Call("DELETE", "/link", {"from_coord": d.place(), "to_coord": d.place(), "type": t.word}),
    lambda d, t: Call("POST", "/outcome", body={"coord": d.place(), "outcome": {"result": t.secret}}),
    lambda d, t: Call("POST", "/consolidate", body={"limit": 5}),
    lambda d, t: Call("POST", "/import", lines=[d.line(t) for _ in range(2)]),
]
READS: list[Made] = [
    lambda d, t: Call("GET", "/recall", {"query": d.words(), "top_k": "20"}),
    lambda d, t: Call("POST", "/recall", body={"query": d.words(), "top_k": 50, "explain": True}),
    lambda d, t: Call("POST", "/recall", body={"query": d.words(), "filters": {"nested": None}}),
    lambda d, t: Call("POST", "/recall", body={"query": d.words(), "hybrid": False, "top_k": 50}),
    lambda d, t: Call("POST", "/recall_batch", body={"queries": [d.words(), d.words()], "top_k": 20}),
    lambda d, t: Call("POST", "/recall_with_scores", body={"query": d.words(), "explain": True, "top_k": 30}),
    lambda d, t: Call("POST", "/hybrid_recall_with_scores", body={"query": d.words(), "terms": [d.words()]}),
    lambda d, t: Call("POST", "/recall_with_context", body={"query": d.words(), "context": {"about": d.words()}}),
    lambda d, t: Call("POST", "/explain", body={"query": d.words(), "top_k": 20}),
    lambda d, t: Call("POST", "/keyword_search", body={"term": d.words().split()[0], "top_k": 100}),
    lambda d, t: Call("POST", "/keyword_search", body={"term": d.random.choice("aeo%_"), "mode": "substring"}),
    lambda d, t: Call("GET", f"/memories/{d.place()}"),
    lambda d, t: Call("GET", f"/memories/{d.place()}/versions"),
    lambda d, t: Call("GET", "/memories", {"limit": "10"}),
    lambda d, t: Call("GET", "/memories", {"limit": "10", "after": d.cursor()}),
    lambda d, t: Call("GET", "/links", {"limit": "5", "after": d.cursor()}),
    lambda d, t: Call("GET", "/links"),
    lambda d, t: Call("GET", "/range", {"min": "0,0", "max": "20,20", "limit": "50"}),
    lambda d, t: Call("GET", "/neighbors", {"coord": d.place()}),
    lambda d, t: Call("GET", "/shortest_path", {"frm": d.place(), "to": d.place()}),
    lambda d, t: Call("GET", "/recent", {"n": "50"}),
    lambda d, t: Call("GET", "/important", {"n": "50"}),
    lambda d, t: Call("GET", "/reflect", {"n": "20"}),
    lambda d, t: Call("GET", "/replay", {"n": "20"}),
    lambda d, t: Call("GET", "/stats"),
    lambda d, t: Call("GET", "/export", {"vectors": d.random.choice(["true", "false"])}),
]


@pytest.fixture(scope="module")
def tenants() -> list[tuple[Tenant, str]]:
    """Each with the line of the token file."""
    made: list[tuple[Tenant, str]] = []
    for name in NAMES:
        namespace = name.replace("%", "_")  # a sign of LIKE that namespaces may hold
        token, entry = new_token(name="app", scopes=[Scope.READ, Scope.WRITE], namespaces=[namespace])
        key = namespace.replace("_", "x")
        tenant = Tenant(name, namespace, token, word=f"public{key}", secret=f"Secret-{key}-{len(made)}Z")
        made.append((tenant, line_of(entry)))
    return made


@pytest.fixture(scope="module")
def api(stack: Stack, tenants: list[tuple[Tenant, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A server of their own, on the stores that everybody uses."""
    folder = tmp_path_factory.mktemp("tenants")
    file = folder / "tokens.yaml"
    file.write_text("tokens:\n" + "\n".join(line for _, line in tenants) + "\n")
    with running("serve", {**stack.environment, "SOMA_API_TOKENS_FILE": str(file)}, Path(folder)) as program:
        yield program


class Fuzz:
    """The calls, and what they gave away."""

    def __init__(self, url: str, tenants: list[Tenant], session: aiohttp.ClientSession) -> None:
        self.url = url
        self.tenants = tenants
        self.session = session
        self.dice = Dice(tenants)
        self.leaks: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.successes: Counter[str] = Counter()

    async def run(self) -> None:
        left = iter(range(CALLS))

        async def caller() -> None:
            for _ in left:
                tenant = self.dice.random.choice(self.tenants)
                if self.dice.random.random() < 0.1:
                    await self.trespass(tenant)
                else:
                    await self.send(tenant, self.dice.call(tenant))

        await asyncio.gather(*(caller() for _ in range(AT_ONCE)))

    async def trespass(self, tenant: Tenant) -> None:
        """Ask for another one's namespace by its name: refused, whatever is asked."""
        other = self.dice.random.choice([each for each in self.tenants if each is not tenant])
        call = self.dice.call(tenant)
        call.headers["X-Soma-Namespace"] = other.namespace
        status = await self.send(tenant, call)
        if status != 403:
            self.leaks.append(f"{tenant.name} entered {other.namespace}: {status} {call}")

    async def send(self, tenant: Tenant, call: Call) -> int:
        headers = {**call.headers, "Authorization": f"Bearer {tenant.token}"}
        data = json.dumps(call.body).encode() if call.body is not None else None
        if call.lines is not None:
            data = "".join(json.dumps(line) + "\n" for line in call.lines).encode()
            headers["Content-Type"] = "application/x-ndjson"
        async with self.session.request(
            call.method, self.url + call.path, params=call.params, data=data, headers=headers
        ) as answer:
            content = await answer.read()
        self.statuses[answer.status] += 1
        if answer.status == 200:
            self.successes[f"{call.method} {call.path.split(',')[0].rstrip('0123456789')}"] += 1
        self.look(tenant, call, content, str(answer.headers))
        if tag := answer.headers.get("ETag"):
            tenant.tags = [*tenant.tags[-20:], tag]
        if b'"next":"' in content:
            tenant.cursors = [*tenant.cursors[-20:], json.loads(content)["next"]]
        return answer.status

    def look(self, tenant: Tenant, call: Call, content: bytes, headers: str) -> None:
        for other in self.tenants:
            if other is not tenant and (other.secret.encode() in content or other.secret in headers):
                self.leaks.append(f"{tenant.name} saw {other.name}'s: {call}")


async def listed(session: aiohttp.ClientSession, url: str, tenant: Tenant) -> list[dict[str, Any]]:
    """Everything of a tenant, page by page."""
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        headers = {"Authorization": f"Bearer {tenant.token}"}
        async with session.get(f"{url}/memories", params={"limit": "50", **after}, headers=headers) as answer:
            page = await answer.json()
        found += page["memories"]
        if page.get("next") is None:
            return found
        after = {"after": page["next"]}


@pytest.mark.timeout(600)
async def test_ten_thousand_calls_give_away_nothing(api: Program, tenants: list[tuple[Tenant, str]]) -> None:
    """(S-53)"""
    everybody = [tenant for tenant, _ in tenants]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:
        fuzz = Fuzz(api.url, everybody, session)
        await fuzz.run()
        left = {tenant.name: await listed(session, api.url, tenant) for tenant in everybody}

    assert fuzz.leaks == []
    assert sum(fuzz.statuses.values()) == CALLS
    assert not [status for status in fuzz.statuses if status >= 500], fuzz.statuses
    assert fuzz.statuses[200] > CALLS // 2, "too little was really tried"
    assert len(fuzz.successes) >= 25, "not every kind of call ever succeeded"
    for tenant in everybody:
        assert left[tenant.name], "a tenant without memories proves nothing"
        for memory in left[tenant.name]:
            assert not [o for o in everybody if o is not tenant and o.secret in json.dumps(memory)]
