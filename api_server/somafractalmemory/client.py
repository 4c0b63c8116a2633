"""A client of the HTTP API for programs without an event loop: one method for each operation.

Methods return the API's answers as docs/api.md shows them and raise our own errors: `NotFound`, `InvalidRequest`,
`Forbidden`, `Unavailable` and so on. What is refused for a while (429, 503) is tried again within the `Patience`.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import quote

import httpx

from somafractalmemory.calling.dialling import DEFAULT_URL, dial
from somafractalmemory.calling.requesting import Body, Patience, Requester, broken, object_of
from somafractalmemory.errors import SomaError

Answer = dict[str, Any]
Recollection = Literal["recent", "important", "replay", "reflect"]
_JSON = {"content-type": "application/json"}
_LINES = {"content-type": "application/x-ndjson"}


class Client:
    """Speaks to one API in one namespace; a context manager. Coordinates are texts such as `1,2.5,3`."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        token: str | None = None,
        namespace: str | None = None,
        timeout_seconds: float = 30.0,
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
        ca: Path | None = None,
    ) -> None:
        """Connect when something is asked.

        Args:
            url: address of the API. Raises ConfigurationError when it is none.
            token: the bearer token; without one only `health` is answered.
            namespace: where to work; None for the token's own, or the API's.
            timeout_seconds: how long one attempt may wait for the API's next word.
            patience: how often and how long refused requests are tried again.
            transport: instead of the network.
            ca: file with the authorities that may sign the API's certificate, in PEM; None for the system's.
        """
        self._http = dial(
            url, token=token, namespace=namespace, timeout_seconds=timeout_seconds, transport=transport, ca=ca
        )
        self._requester = Requester(self._http, patience=patience or Patience())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def store(self, coord: str, payload: Mapping[str, Any], *, memory_type: str | None = None) -> Answer:
        """Store a memory; what was there before is replaced."""
        return self._post("/store", {"coord": coord, "payload": payload, "type": memory_type})

    def store_bulk(self, items: Sequence[Mapping[str, Any]]) -> Answer:
        """Store up to 1,000 memories, each `{coord, payload, type}`: all or none."""
        return self._post("/store_bulk", {"items": items})

    def get(self, coord: str) -> Answer:
        """One memory."""
        return self._json("GET", _place(coord))

    def versions(self, coord: str) -> Answer:
        """A memory and what it was before."""
        return self._json("GET", f"{_place(coord)}/versions")

    def amend(
        self, coord: str, patch: Mapping[str, Any], *, memory_type: str | None = None, version: int | None = None
    ) -> Answer:
        """Merge a patch into a memory, if it is at this version; null removes a field."""
        body = _said({"payload": patch, "type": memory_type})
        return self._json("PATCH", _place(coord), body, headers=_if_match(version))

    def delete(self, coord: str, *, version: int | None = None) -> Answer:
        """Delete a memory, if it is at this version."""
        return self._json("DELETE", _place(coord), headers=_if_match(version))

    def delete_many(self, coords: Sequence[str]) -> Answer:
        """Delete up to 1,000 memories; places where none lives do not count."""
        return self._post("/delete_many", {"coords": coords})

    def set_importance(self, coord: str, importance: float) -> Answer:
        """Say how much a memory matters."""
        return self._json("PUT", f"{_place(coord)}/importance", {"importance": importance})

    def recall(self, query: str, **conditions: Any) -> Answer:
        """The memories that fit a query best with their scores: `POST /recall_with_scores`."""
        return self._ask("/recall_with_scores", {"query": query, **conditions})

    def hybrid(self, query: str, **conditions: Any) -> Answer:
        """Recall by meaning and by terms: `POST /hybrid_recall_with_scores`."""
        return self._ask("/hybrid_recall_with_scores", {"query": query, **conditions})

    def recall_with_context(self, query: str, context: Mapping[str, Any], **conditions: Any) -> Answer:
        """Recall what fits the query, what fits the context too first."""
        return self._ask("/recall_with_context", {"query": query, "context": context, **conditions})

    def explain(self, query: str, **conditions: Any) -> Answer:
        """Recall with the parts of each score: `POST /explain`."""
        return self._ask("/explain", {"query": query, **conditions})

    def recall_batch(self, queries: Sequence[str], **conditions: Any) -> Answer:
        """The memories that fit each of up to 64 queries: `POST /recall_batch`."""
        return self._ask("/recall_batch", {"queries": queries, **conditions})

    def keyword_search(self, term: str, **conditions: Any) -> Answer:
        """The memories whose values contain a term: `POST /keyword_search`."""
        return self._ask("/keyword_search", {"term": term, **conditions})

    def places_within(self, low: str, high: str, *, memory_type: str | None = None) -> Iterator[list[float]]:
        """Every coordinate in a box, page by page."""
        return self._pages("/range", "coords", {"min": low, "max": high, "type": memory_type, "limit": 1000})

    def memories(self, *, memory_type: str | None = None, after: str | None = None) -> Iterator[Answer]:
        """Every memory in the order of their places, from behind `after` on, page by page."""
        return self._pages("/memories", "memories", {"type": memory_type, "limit": 1000, "after": after})

    def recollect(self, how: Recollection, *, n: int | None = None, memory_type: str | None = None) -> Answer:
        """Memories without a question: the latest, the most important, or some by chance."""
        return self._json("GET", f"/{how}", params={"n": n, "type": memory_type})

    def outcome(self, coord: str, outcome: Any) -> Answer:
        """Note what really happened with what a memory predicted."""
        return self._post("/outcome", {"coord": coord, "outcome": outcome}, keep_none=True)

    def consolidate(self, *, window_seconds: float | None = None) -> Answer:
        """Draw up to 1,000 facts from recent episodes."""
        return self._post("/consolidate", {"window_seconds": window_seconds})

    def audit(self, *, action: str | None = None) -> Iterator[Answer]:
        """Who did what, newest first, page by page."""
        return self._pages("/audit", "entries", {"action": action, "limit": 1000}, mark="before")

    def link(self, source: str, target: str, *, link_type: str = "related", weight: float = 1.0) -> Answer:
        """Link a memory to another."""
        return self._post("/link", {"from_coord": source, "to_coord": target, "type": link_type, "weight": weight})

    def link_many(self, links: Sequence[Mapping[str, Any]]) -> Answer:
        """Put up to 1,000 links, each `{from_coord, to_coord, type, weight}`: all or none."""
        return self._post("/links", {"links": links})

    def unlink(self, source: str, target: str, *, link_type: str = "related") -> Answer:
        """Remove a link."""
        return self._json("DELETE", "/link", params={"from_coord": source, "to_coord": target, "type": link_type})

    def neighbors(self, coord: str, *, link_type: str | None = None, limit: int | None = None) -> Answer:
        """Where links lead from a memory."""
        return self._json("GET", "/neighbors", params={"coord": coord, "link_type": link_type, "limit": limit})

    def links(self, *, link_type: str | None = None) -> Iterator[Answer]:
        """Every link, page by page."""
        return self._pages("/links", "links", {"type": link_type, "limit": 1000})

    def shortest_path(self, source: str, target: str, *, link_type: str | None = None) -> Answer:
        """The lightest path along links."""
        return self._json("GET", "/shortest_path", params={"frm": source, "to": target, "link_type": link_type})

    def stats(self) -> Answer:
        """How many memories there are."""
        return self._json("GET", "/stats")

    def health(self) -> Answer:
        """How every store is. Also answered, not raised, while a store that is needed is away."""
        try:
            response = self._http.get("/readyz")
        except httpx.TransportError as error:
            raise broken(error) from error
        try:
            said = response.json()
        except ValueError:
            said = None
        if not isinstance(said, dict) or "components" not in said:
            raise SomaError(f"{response.request.url} answered {response.status_code}; is this the API?")
        return said

    @contextmanager
    def export(self, *, vectors: bool = False) -> Iterator[Iterator[bytes]]:
        """Everything of the namespace in lines of JSON, the manifest first."""
        with self._requester.stream(
            "GET", "/export", reads=True, params={"vectors": "true" if vectors else None}
        ) as response:
            yield response.iter_bytes()

    def import_lines(self, lines: Callable[[], Iterator[bytes]], *, replace: bool = False) -> Answer:
        """Put back what `export` wrote; with `replace` what the lines do not hold is removed."""
        return self._lines("/import", lines, {"replace": "true" if replace else None})

    def store_lines(self, lines: Callable[[], Iterator[bytes]]) -> Answer:
        """Store memories that come one a line, each `{coord, payload, type}`, in batches."""
        return self._lines("/store_bulk", lines, {})

    def _post(self, path: str, body: Mapping[str, Any], *, keep_none: bool = False) -> Answer:
        return self._json("POST", path, body if keep_none else _said(body))

    def _ask(self, path: str, body: Mapping[str, Any]) -> Answer:
        return self._json("POST", path, _said(body), reads=True)

    def _lines(self, path: str, lines: Callable[[], Iterator[bytes]], params: Mapping[str, Any]) -> Answer:
        return object_of(self._requester.send("POST", path, params=params, body=lines, headers=_LINES))

    def _json(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        reads: bool = False,
    ) -> Answer:
        content: Body = None if body is None else json.dumps(body).encode()
        more = {**(_JSON if content else {}), **(headers or {})}
        return object_of(
            self._requester.send(
                method, path, params=params, body=content, headers=more, reads=reads or method == "GET"
            )
        )

    def _pages(self, path: str, name: str, params: dict[str, Any], *, mark: str = "after") -> Iterator[Any]:
        while True:
            page = self._json("GET", path, params=params)
            yield from page[name]
            if page.get("next") is None:
                return
            params = {**params, mark: page["next"]}


def _said(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


def _place(coord: str) -> str:
    return f"/memories/{quote(coord, safe=',')}"


def _if_match(version: int | None) -> dict[str, str]:
    return {} if version is None else {"if-match": f'"{version}"'}
