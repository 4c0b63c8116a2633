"""The `soma` command as a face, see `faces`."""

import io
import json
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, ClassVar

from somafractalmemory.cli import run
from tests.integration.api.faces import Item, Linked, Payload, Refused, Row, Seen, apart, flat, linked, row
from tests.integration.api.programs import TOKEN


class Cli:
    """One run of the command for each call; that real processes do the same is shown elsewhere."""

    name = "cli"
    _words: ClassVar[Mapping[int, str]] = {2: "wrong", 3: "missing", 1: "version"}

    def __init__(self, url: str, namespace: str, folder: Path) -> None:
        self._folder = folder
        token = folder / "token"
        token.write_text(TOKEN)
        self._shared = ("--url", url, "--token-file", str(token), "--namespace", namespace)

    def ask(self, *arguments: str) -> Any:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run([*self._shared, *arguments])
        if code:
            raise Refused(self._words[code], err.getvalue())
        return None if out.getvalue() == "OK\n" else json.loads(out.getvalue())

    def store(self, place: str, payload: Payload, kind: str = "episodic") -> None:
        self.ask("store", "--coord", place, "--payload", json.dumps(payload), "--type", kind)

    def store_many(self, items: Sequence[Item]) -> int:
        listed = [{"coord": place, "payload": payload, "type": kind} for place, payload, kind in items]
        file = self._folder / "bulk.json"
        file.write_text(json.dumps(listed))
        return int(self.ask("store-bulk", "--file", str(file))["stored"])

    def get(self, place: str) -> Seen:
        return apart(self.ask("get", "--coord", place))

    def amend(self, place: str, patch: Payload, version: int | None = None) -> None:
        expected = () if version is None else ("--if-version", str(version))
        self.ask("amend", "--coord", place, "--payload", json.dumps(patch), *expected)

    def importance(self, place: str, value: float) -> None:
        self.ask("importance", "--coord", place, "--value", str(value))

    def versions(self, place: str) -> list[Seen]:
        return [apart(memory) for memory in self.ask("versions", "--coord", place)]

    def delete(self, place: str) -> None:
        self.ask("delete", "--coord", place)

    def delete_many(self, places: Sequence[str]) -> int:
        return int(self.ask("delete-many", "--coords", ";".join(places))["deleted"])

    def recall(self, query: str, top_k: int = 5, kind: str | None = None) -> list[Seen]:
        typed = () if kind is None else ("--type", kind)
        return [flat(memory) for memory in self.ask("recall", "--query", query, "--top-k", str(top_k), *typed)]

    def by_vectors(self, query: str) -> list[tuple[Seen, float]]:
        return self._scored("recall", "--query", query, "--vectors-only")

    def hybrid(self, query: str, terms: Sequence[str], boost: float) -> list[tuple[Seen, float]]:
        named = [part for term in terms for part in ("--term", term)]
        return self._scored("hybrid", "--query", query, *named, "--boost", str(boost))

    def explain(self, query: str, terms: Sequence[str]) -> list[tuple[Seen, dict[str, float]]]:
        named = [part for term in terms for part in ("--term", term)]
        found = self.ask("explain", "--query", query, *named)
        return [(flat(each["payload"]), {**each["parts"], "score": each["score"]}) for each in found]

    def batch(self, queries: Sequence[str], top_k: int) -> list[list[Seen]]:
        asked = [part for query in queries for part in ("--query", query)]
        found = self.ask("recall-batch", *asked, "--top-k", str(top_k))
        return [[flat(memory) for memory in batch] for batch in found]

    def in_context(self, query: str, context: Payload) -> list[Seen]:
        return [flat(memory) for memory in self.ask("recall", "--query", query, "--context", json.dumps(context))]

    def keyword(self, term: str, *, exact: bool = True) -> list[Seen]:
        mode = "phrase" if exact else "substring"
        return [flat(memory) for memory in self.ask("keyword-search", "--term", term, "--mode", mode)]

    def within(self, low: str, high: str) -> list[list[float]]:
        return list(self.ask("range", "--min", low, "--max", high))

    def everything(self) -> list[Seen]:
        return [apart(memory) for memory in self.ask("list", "--limit", "0")]

    def recent(self, n: int) -> list[Seen]:
        return [apart(memory) for memory in self.ask("recent", "--n", str(n))]

    def important(self, n: int) -> list[Seen]:
        return [apart(memory) for memory in self.ask("important", "--n", str(n))]

    def by_chance(self, how: str, n: int) -> list[Seen]:
        return sorted(apart(memory) for memory in self.ask(how, "--n", str(n)))

    def audit(self, action: str, n: int) -> list[Row]:
        return list(map(row, self.ask("audit", "--action", action, "--limit", str(n))))

    def link_many(self, links: Sequence[tuple[str, str, str, float]]) -> int:
        named = [dict(zip(("from", "to", "type", "weight"), link, strict=True)) for link in links]
        file = self._folder / "many.json"
        file.write_text(json.dumps({"format": "somafractalmemory-graph", "version": 1, "links": named}))
        return int(self.ask("import-graph", "--path", str(file))["imported"])

    def links(self) -> list[Linked]:
        file = self._folder / "links.json"
        self.ask("export-graph", "--path", str(file))
        return [linked(link) for link in json.loads(file.read_text())["links"]]

    def link(self, source: str, target: str, kind: str = "related", weight: float = 1.0) -> None:
        self.ask("link", "--from", source, "--to", target, "--type", kind, "--weight", str(weight))

    def unlink(self, source: str, target: str, kind: str = "related") -> None:
        self.ask("unlink", "--from", source, "--to", target, "--type", kind)

    def neighbors(self, place: str, kind: str | None = None) -> list[list[float]]:
        return list(self.ask("neighbors", "--coord", place, *(() if kind is None else ("--type", kind))))

    def path(self, source: str, target: str) -> list[list[float]]:
        return list(self.ask("path", "--from", source, "--to", target))

    def stats(self) -> dict[str, int]:
        return dict(self.ask("stats"))

    def healthy(self) -> bool:
        return bool(self.ask("health")["status"] == "ok")

    def outcome(self, place: str, outcome: Any) -> None:
        self.ask("outcome", "--coord", place, "--outcome", json.dumps(outcome))

    def consolidate(self) -> int:
        return int(self.ask("consolidate")["stored"])

    def export(self, file: Path) -> int:
        return int(self.ask("export-memories", "--path", str(file))["exported"])

    def bring(self, file: Path) -> int:
        return int(self.ask("import-memories", "--path", str(file))["imported"])

    def _scored(self, *arguments: str) -> list[tuple[Seen, float]]:
        return [(flat(found["payload"]), found["score"]) for found in self.ask(*arguments, "-o", "json")["results"]]
