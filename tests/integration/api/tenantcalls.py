# ruff: noqa: ARG005  # every entry of the tables of calls takes the same two
"""Calls by chance: every operation of the service, with arguments that all tenants share as far as they can."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SEED = 20_261_123
SHARED_WORDS = ("cat", "dog", "river", "moon", "bread", "stone")
Operation = tuple[str, str]


@dataclass
class Tenant:
    """Who calls. `word` is public and everybody asks for it; `secret` is in every payload and link, `mark` is a number
    of places where only this tenant stores, and nobody else ever sends either."""

    name: str
    namespace: str
    token: str
    word: str
    secret: str
    mark: str
    cursors: list[str] = field(default_factory=lambda: ["1.0"])
    tags: list[str] = field(default_factory=lambda: ['"1"'])

    def is_seen_in(self, text: str) -> bool:
        """Whether a text tells something that only this tenant knows."""
        return self.secret in text or self.mark in text


@dataclass
class Call:
    """One request of an operation, named as the OpenAPI document does."""

    method: str
    path: str
    params: dict[str, str] = field(default_factory=dict)
    body: Any = None
    lines: list[Any] | None = None
    coord: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def operation(self) -> Operation:
        return self.method, self.path

    @property
    def address(self) -> str:
        return self.path.replace("{coord}", self.coord)

    @property
    def content(self) -> bytes | None:
        if self.lines is not None:
            self.headers["Content-Type"] = "application/x-ndjson"
            return "".join(json.dumps(line) + "\n" for line in self.lines).encode()
        return None if self.body is None else json.dumps(self.body).encode()


class Dice:
    """Every operation, with likely and unlikely arguments; all tenants use the same places, words, keys and cursors."""

    def __init__(self, tenants: list[Tenant]) -> None:
        self.random = random.Random(SEED)
        self.tenants = tenants

    def place(self, tenant: Tenant) -> str:
        second = tenant.mark if self.random.random() < 0.2 else f"{self.random.randrange(3)}.5"
        return f"{self.random.randrange(12)},{second}"

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
        return {"coord": self.place(tenant), "payload": self.payload(tenant), "type": kind}

    def line(self, tenant: Tenant) -> dict[str, Any]:
        """As the original program exported them."""
        place = [float(number) for number in self.place(tenant).split(",")]
        return {**self.payload(tenant), "coordinate": place, "memory_type": "semantic"}

    def ends(self, tenant: Tenant, **more: Any) -> dict[str, Any]:
        """Of a link: every other time one of a few that lead from a shared place to an own one and on to another."""
        pair = (self.place(tenant), self.place(tenant))
        if self.random.random() < 0.5:
            step = self.random.randrange(4)
            way = (f"{step},0.5", f"{step},{tenant.mark}", f"{step + 1},0.5")
            pair = self.random.choice([way[:2], way[1:]])
        return {"from_coord": pair[0], "to_coord": pair[1], **more}

    def way(self, tenant: Tenant) -> dict[str, str]:
        step = self.random.randrange(4)
        few = {"frm": f"{step},0.5", "to": f"{step + 1},0.5"}
        return self.random.choice([few, {"frm": self.place(tenant), "to": self.place(tenant)}])

    def cursor(self) -> str:
        return self.random.choice(self.random.choice(self.tenants).cursors)

    def whole(self, tenant: Tenant) -> str:
        """A namespace to be erased: seldom the tenant's own, so that most of its life it has something to hide."""
        name = self.random.choice(self.tenants).namespace
        return name if name != tenant.namespace or self.random.random() < 0.1 else "nowhere"

    def other(self, tenant: Tenant) -> Tenant:
        return self.random.choice([each for each in self.tenants if each is not tenant])

    def call(self, tenant: Tenant) -> Call:
        made = self.random.choice(WRITES if self.random.random() < 0.4 else READS)(self, tenant)
        if self.random.random() < 0.2:
            made.headers["X-Soma-Namespace"] = tenant.namespace
        if self.random.random() < 0.3:
            made.headers["X-Request-Id"] = tenant.secret
        if made.method != "GET" and self.random.random() < 0.15:
            made.headers["Idempotency-Key"] = f"key-{self.random.randrange(8)}"
        if self.random.random() < 0.05:
            made.headers["If-Match"] = self.random.choice(self.random.choice(self.tenants).tags)
        if self.random.random() < 0.05:
            made.params["namespace"] = self.random.choice(self.tenants).namespace
        return made


Made = Callable[[Dice, Tenant], Call]
ONE = "/memories/{coord}"
WRITES: list[Made] = [
    lambda d, t: Call("POST", "/store", body=d.item(t)),
    lambda d, t: Call("POST", "/store", body=d.item(t)),
    lambda d, t: Call("POST", "/store_bulk", body={"items": [d.item(t) for _ in range(d.random.randrange(1, 6))]}),
    lambda d, t: Call("POST", "/store_bulk", lines=[d.item(t) for _ in range(3)]),
    lambda d, t: Call("PATCH", ONE, coord=d.place(t), body={"payload": {"more": d.words(), "owner": t.secret}}),
    lambda d, t: Call("PUT", f"{ONE}/importance", coord=d.place(t), body={"importance": 3}),
    lambda d, t: Call("DELETE", ONE, coord=d.place(t)),
    lambda d, t: Call("POST", "/delete_many", body={"coords": [d.place(t), d.place(t)]}),
    lambda d, t: Call("POST", "/link", body=d.ends(t, type=t.secret)),
    lambda d, t: Call("POST", "/links", body={"links": [d.ends(t), d.ends(t, type=t.secret)]}),
    lambda d, t: Call("DELETE", "/link", d.ends(t, type=t.secret)),
    lambda d, t: Call("POST", "/outcome", body={"coord": d.place(t), "outcome": {"result": t.secret}}),
    lambda d, t: Call("POST", "/consolidate", body={"limit": 5}),
    lambda d, t: Call("POST", "/import", lines=[d.line(t) for _ in range(2)]),
    lambda d, t: Call("POST", "/erase", body={"coord": d.place(t)}),
    lambda d, t: Call("POST", "/erase", body={"namespace": d.whole(t)}),
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
    lambda d, t: Call("GET", ONE, coord=d.place(t)),
    lambda d, t: Call("GET", f"{ONE}/versions", coord=d.place(t)),
    lambda d, t: Call("GET", "/memories", {"limit": "10"}),
    lambda d, t: Call("GET", "/memories", {"limit": "10", "after": d.cursor()}),
    lambda d, t: Call("GET", "/links", {"limit": "5", "after": d.cursor()}),
    lambda d, t: Call("GET", "/links"),
    lambda d, t: Call("GET", "/range", {"min": "0,0", "max": "20,20", "limit": "200"}),
    lambda d, t: Call("GET", "/neighbors", {"coord": d.place(t)}),
    lambda d, t: Call("GET", "/shortest_path", d.way(t)),
    lambda d, t: Call("GET", "/recent", {"n": "50"}),
    lambda d, t: Call("GET", "/important", {"n": "50"}),
    lambda d, t: Call("GET", "/reflect", {"n": "20"}),
    lambda d, t: Call("GET", "/replay", {"n": "20"}),
    lambda d, t: Call("GET", "/stats"),
    lambda d, t: Call("GET", "/export", {"vectors": d.random.choice(["true", "false"])}),
    lambda d, t: Call("GET", "/audit", {"limit": "100"}),
    lambda d, t: Call("GET", "/audit", {"limit": "20", "before": str(d.random.randrange(1, 20_000))}),
]


def called(table: list[Made]) -> set[Operation]:
    """The operations that a table calls."""
    tenants = [Tenant(name, name, name, name, name, "0.1") for name in ("one", "two")]
    dice = Dice(tenants)
    return {made(dice, tenants[0]).operation for made in table}
