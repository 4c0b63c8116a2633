"""The faces of the service as one interface, so that a test can ask each of them the same and compare: HTTP is here.

Memories are compared as `(place, type, own payload)`; refusals as one of the words `missing`, `wrong`, `version`.
A face that has no such operation has no such method.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import httpx

from somafractalmemory.model import SYSTEM_FIELDS

Seen = tuple[list[float], str, dict[str, Any]]
Payload = Mapping[str, Any]
Item = tuple[str, Payload, str]
Row = tuple[str, list[float] | None, dict[str, Any]]
Linked = tuple[list[float], list[float], str, float]
Erasure = tuple[bool, int, int]


class Refused(Exception):  # noqa: N818 - it is an answer
    """What a face says no with."""

    def __init__(self, word: str, detail: str = "") -> None:
        super().__init__(word, detail)
        self.word = word


def numbers(place: str) -> list[float]:
    """`"1,2.5"` as numbers; what is none stays a text."""
    return [float(part) for part in place.split(",")]


def flat(memory: Mapping[str, Any]) -> Seen:
    """A memory whose payload is flattened."""
    own = {name: value for name, value in memory.items() if name not in (*SYSTEM_FIELDS, "version")}
    return list(memory["coordinate"]), memory["memory_type"], own


def apart(memory: Mapping[str, Any]) -> Seen:
    """A memory whose payload is a field."""
    return flat({**memory["payload"], "coordinate": memory["coordinate"], "memory_type": memory["memory_type"]})


def row(entry: Mapping[str, Any]) -> Row:
    """An entry of the audit, without who and when."""
    return entry["action"], entry["coordinate"], entry["details"]


def linked(link: Mapping[str, Any]) -> Linked:
    """A link with both its ends, without its time."""
    return link["from"], link["to"], link["type"], link["weight"]


class Http:
    """POST and GET."""

    name = "http"
    _words: ClassVar[Mapping[int, str]] = {404: "missing", 412: "version", 422: "wrong"}

    def __init__(self, client: httpx.Client, namespace: str) -> None:
        self._client, self._headers = client, {"x-soma-namespace": namespace}

    def ask(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        given = {name: value for name, value in params.items() if value is not None}
        answer = self._client.request(method, path, json=body, params=given, headers=self._headers)
        if answer.status_code in self._words:
            raise Refused(self._words[answer.status_code], answer.text)
        answer.raise_for_status()
        return answer.json()

    def store(self, place: str, payload: Payload, kind: str = "episodic") -> None:
        self.ask("POST", "/store", {"coord": place, "payload": payload, "type": kind})

    def store_many(self, items: Sequence[Item]) -> int:
        listed = [{"coord": place, "payload": payload, "type": kind} for place, payload, kind in items]
        return int(self.ask("POST", "/store_bulk", {"items": listed})["stored"])

    def get(self, place: str) -> Seen:
        return apart(self.ask("GET", f"/memories/{place}"))

    def amend(self, place: str, patch: Payload, version: int | None = None) -> None:
        headers = self._headers | ({} if version is None else {"if-match": f'"{version}"'})
        answer = self._client.patch(f"/memories/{place}", json={"payload": patch}, headers=headers)
        if answer.status_code != 200:
            raise Refused(self._words[answer.status_code])

    def importance(self, place: str, value: float) -> None:
        self.ask("PUT", f"/memories/{place}/importance", {"importance": value})

    def versions(self, place: str) -> list[Seen]:
        return [apart(memory) for memory in self.ask("GET", f"/memories/{place}/versions")["versions"]]

    def delete(self, place: str) -> None:
        self.ask("DELETE", f"/memories/{place}")

    def delete_many(self, places: Sequence[str]) -> int:
        return int(self.ask("POST", "/delete_many", {"coords": places})["deleted"])

    def recall(self, query: str, top_k: int = 5, kind: str | None = None) -> list[Seen]:
        found = self.ask("POST", "/recall", {"query": query, "top_k": top_k, "type": kind})
        return [flat(memory) for memory in found["matches"]]

    def by_vectors(self, query: str) -> list[tuple[Seen, float]]:
        return self._scored("/recall_with_scores", {"query": query, "hybrid": False})

    def hybrid(self, query: str, terms: Sequence[str], boost: float) -> list[tuple[Seen, float]]:
        return self._scored("/hybrid_recall_with_scores", {"query": query, "terms": terms, "boost": boost})

    def explain(self, query: str, terms: Sequence[str]) -> list[tuple[Seen, dict[str, float]]]:
        found = self.ask("POST", "/explain", {"query": query, "terms": terms})
        return [(flat(each["payload"]), {**each["parts"], "score": each["score"]}) for each in found["results"]]

    def batch(self, queries: Sequence[str], top_k: int) -> list[list[Seen]]:
        found = self.ask("POST", "/recall_batch", {"queries": queries, "top_k": top_k})
        return [[flat(memory) for memory in batch] for batch in found["batches"]]

    def in_context(self, query: str, context: Payload) -> list[Seen]:
        found = self.ask("POST", "/recall_with_context", {"query": query, "context": context})
        return [flat(memory) for memory in found["results"]]

    def keyword(self, term: str, *, exact: bool = True) -> list[Seen]:
        found = self.ask("POST", "/keyword_search", {"term": term, "exact": exact})
        return [flat(memory) for memory in found["results"]]

    def within(self, low: str, high: str) -> list[list[float]]:
        return list(self.ask("GET", "/range", min=low, max=high)["coords"])

    def everything(self) -> list[Seen]:
        return [apart(memory) for memory in self.ask("GET", "/memories", limit=1000)["memories"]]

    def recent(self, n: int) -> list[Seen]:
        return [apart(memory) for memory in self.ask("GET", "/recent", n=n)["memories"]]

    def important(self, n: int) -> list[Seen]:
        return [apart(memory) for memory in self.ask("GET", "/important", n=n)["memories"]]

    def by_chance(self, how: str, n: int) -> list[Seen]:
        return sorted(apart(memory) for memory in self.ask("GET", f"/{how}", n=n)["memories"])

    def audit(self, action: str, n: int) -> list[Row]:
        return list(map(row, self.ask("GET", "/audit", action=action, limit=n)["entries"]))

    def erase(self, place: str) -> Erasure:
        done = self.ask("POST", "/erase", {"coord": place})
        return done["complete"], done["postgres"]["memories"], done["postgres"]["versions"]

    def link_many(self, links: Sequence[tuple[str, str, str, float]]) -> int:
        named = [dict(zip(("from_coord", "to_coord", "type", "weight"), link, strict=True)) for link in links]
        return int(self.ask("POST", "/links", {"links": named})["linked"])

    def links(self) -> list[Linked]:
        return [linked(link) for link in self.ask("GET", "/links", limit=1000)["links"]]

    def link(self, source: str, target: str, kind: str = "related", weight: float = 1.0) -> None:
        self.ask("POST", "/link", {"from_coord": source, "to_coord": target, "type": kind, "weight": weight})

    def unlink(self, source: str, target: str, kind: str = "related") -> None:
        self.ask("DELETE", "/link", from_coord=source, to_coord=target, type=kind)

    def neighbors(self, place: str, kind: str | None = None) -> list[list[float]]:
        return [at for at, _ in self.ask("GET", "/neighbors", coord=place, link_type=kind)["neighbors"]]

    def path(self, source: str, target: str) -> list[list[float]]:
        return list(self.ask("GET", "/shortest_path", frm=source, to=target)["path"])

    def stats(self) -> dict[str, int]:
        return dict(self.ask("GET", "/stats"))

    def healthy(self) -> bool:
        return bool(self.ask("GET", "/readyz")["status"] == "ok")

    def outcome(self, place: str, outcome: Any) -> None:
        self.ask("POST", "/outcome", {"coord": place, "outcome": outcome})

    def consolidate(self) -> int:
        return int(self.ask("POST", "/consolidate", {})["stored"])

    def export(self, file: Path) -> int:
        with self._client.stream("GET", "/export", headers=self._headers) as answer, file.open("wb") as written:
            written.writelines(answer.iter_bytes())
        return int(json.loads(file.read_text().splitlines()[-1])["memories"])

    def bring(self, file: Path) -> int:
        headers = self._headers | {"content-type": "application/x-ndjson"}
        return int(self._client.post("/import", content=file.read_bytes(), headers=headers).json()["imported"])

    def _scored(self, path: str, body: Payload) -> list[tuple[Seen, float]]:
        return [(flat(found["payload"]), found["score"]) for found in self.ask("POST", path, body)["results"]]
