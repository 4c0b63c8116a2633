"""Load for the chaos test: clients that know what the service promised them.

Each client owns its places, so it knows for each of them every state that is possible: one while all answers came, more
after a write whose answer was lost, because such a write may or may not have taken place.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.integration.api.programs import TOKEN

WORDS = ("heron", "owl", "kite", "river", "stone", "cloud", "ember", "moss", "tide", "lantern", "harbour", "signal")
MAYBE = {503, 429}


@dataclass(slots=True, eq=False)
class Place:
    """What may be at a place: the marks that are possible, None for nothing; at least this version was told."""

    coord: str
    possible: set[str | None] = field(default_factory=lambda: {None})
    version: int = 0


class Outages:
    """When each component was surely away; a request that lies within such a time must say so."""

    def __init__(self) -> None:
        self._away: dict[str, float] = {}

    def begin(self, name: str) -> None:
        self._away[name] = time.monotonic()

    def end(self, name: str) -> None:
        self._away.pop(name, None)

    def since(self, name: str) -> float:
        """Since when it is away; for ever in the future when it is not."""
        return self._away.get(name, float("inf"))


class Client:
    """Sends one request after the other until told to stop, and notes every broken promise."""

    def __init__(self, number: int, url: str, seed: int, outages: Outages, stopping: threading.Event) -> None:
        self.number = number
        self.thread = threading.Thread(target=self._run, name=f"client-{number}", daemon=True)
        self.places: list[Place] = []
        self.links: dict[tuple[str, str], bool] = {}
        """Every link that was asked for; true while it must be there."""
        self.counts: Counter[str] = Counter()
        self.broken: list[str] = []
        self.crash: BaseException | None = None
        self._chance = random.Random(seed * 1000 + number)
        self._outages = outages
        self._stopping = stopping
        self._marks = iter(range(1_000_000))
        self._http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20.0, trust_env=False
        )

    def _run(self) -> None:
        actions: list[tuple[Callable[[], None], int]] = [
            (self._store_new, 25),
            (self._store_again, 15),
            (self._bulk, 8),
            (self._patch, 15),
            (self._delete, 8),
            (self._link, 8),
            (self._recall, 12),
            (self._look_up, 15),
        ]
        choices, weights = zip(*actions, strict=True)
        try:
            while not self._stopping.is_set():
                self._chance.choices(choices, weights)[0]()
        except BaseException as error:
            self.crash = error
        finally:
            self._http.close()

    # Writes

    def _store_new(self) -> None:
        self._store(self._new_place())

    def _store_again(self) -> None:
        if self.places:
            self._store(self._chance.choice(self.places))

    def _store(self, place: Place) -> None:
        mark, body = self._item(place)
        self._may_become(place, mark)
        answer = self._send("POST", "/store", json=body)
        if answer is not None and self._succeeded("store", answer):
            self._promised(place, mark, answer)

    def _bulk(self) -> None:
        places = [self._new_place() for _ in range(self._chance.randint(2, 8))]
        items = [self._item(place) for place in places]
        for place, (mark, _) in zip(places, items, strict=True):
            self._may_become(place, mark)
        answer = self._send("POST", "/store_bulk", json={"items": [body for _, body in items]})
        if answer is not None and self._succeeded("bulk", answer):
            for place, (mark, _) in zip(places, items, strict=True):
                place.possible = {mark}

    def _patch(self) -> None:
        if not self.places:
            return
        place, mark = self._chance.choice(self.places), self._mark()
        before = place.possible
        if before != {None}:
            self._may_become(place, mark)
        answer = self._send("PATCH", f"/memories/{place.coord}", json={"payload": {"mark": mark}})
        if answer is None:
            return
        if answer.status_code == 404:
            place.possible = before
            self._was_absent(place, "patch")
        elif self._succeeded("patch", answer):
            self._promised(place, mark, answer)

    def _delete(self) -> None:
        if not self.places:
            return
        place = self._chance.choice(self.places)
        for link in self.links:
            if place.coord in link:
                self.links[link] = False
        before = place.possible
        self._may_become(place, None)
        answer = self._send("DELETE", f"/memories/{place.coord}")
        if answer is None:
            return
        if answer.status_code == 404:
            place.possible = before
            self._was_absent(place, "delete")
        elif self._succeeded("delete", answer):
            self._promised(place, None, answer)

    def _link(self) -> None:
        if len(self.places) < 2:
            return
        source, target = self._chance.sample(self.places, 2)
        link = (source.coord, target.coord)
        self.links.setdefault(link, False)
        answer = self._send("POST", "/link", json={"from_coord": link[0], "to_coord": link[1], "type": "chaos"})
        if answer is None:
            return
        if answer.status_code == 404:
            if None not in source.possible | target.possible:
                self._complain(f"link {link}: 404 although both ends live")
        elif self._succeeded("link", answer):
            self.links[link] = True

    # Reads

    def _recall(self) -> None:
        words = " ".join(self._chance.sample(WORDS, 3))
        began = time.monotonic()
        away = self._outages.since("qdrant") < began
        answer = self._send("POST", "/recall", json={"query": words, "top_k": 20})
        if answer is None or not self._succeeded("recall", answer):
            return
        body = answer.json()
        if away and self._outages.since("qdrant") < began and body.get("degraded") != ["qdrant"]:
            self._complain("a recall without the index was not marked")
        self.counts["recall degraded"] += "degraded" in body
        mine = {place.coord: place for place in self.places}
        for match in body["matches"]:
            coord = f"{match['coordinate'][0]:g},{match['coordinate'][1]:g}"
            if coord in mine and match.get("mark") not in mine[coord].possible:
                self._complain(f"recall of {coord}: {match.get('mark')} is none of {mine[coord].possible}")

    def _look_up(self) -> None:
        if not self.places:
            return
        place = self._chance.choice(self.places)
        answer = self._send("GET", f"/memories/{place.coord}")
        if answer is None:
            return
        if answer.status_code == 404:
            self._was_absent(place, "look up")
        elif self._succeeded("look up", answer):
            self._seen(place, answer.json()["payload"]["mark"], answer.json()["version"])

    # What was promised

    @staticmethod
    def _may_become(place: Place, mark: str | None) -> None:
        """Until an answer says otherwise, what is written may be there or not."""
        place.possible = place.possible | {mark}

    def _promised(self, place: Place, mark: str | None, answer: httpx.Response) -> None:
        place.possible = {mark}
        version = answer.json()["version"]
        if version <= place.version:
            self._complain(f"{place.coord}: version {version} was told after {place.version}")
        place.version = version

    def _was_absent(self, place: Place, what: str) -> None:
        self.counts[f"{what} 404"] += 1
        if None not in place.possible:
            self._complain(f"{what} {place.coord}: 404, but it is one of {place.possible}")

    def _seen(self, place: Place, mark: str, version: int) -> None:
        if mark not in place.possible:
            self._complain(f"{place.coord}: {mark} is none of {place.possible}")
        if version < place.version:
            self._complain(f"{place.coord}: version {version}, but {place.version} was told")

    # Requests

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        """None when the answer was lost with the API, which is only allowed while that is away."""
        try:
            answer = self._http.request(method, path, **more)
        except httpx.TimeoutException:
            self._complain(f"{method} {path}: no answer at all")
            return None
        except httpx.TransportError:
            self.counts["connection lost"] += 1
            self._stopping.wait(0.2)
            return None
        if answer.status_code in MAYBE:
            self.counts[f"answer {answer.status_code}"] += 1
            if not answer.headers.get("retry-after"):
                self._complain(f"{method} {path}: {answer.status_code} without Retry-After")
            self._stopping.wait(0.05)  # impatient: Retry-After would leave little load
            return None
        if answer.status_code != 404 and not answer.is_success:
            self._complain(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
            return None
        return answer

    def _succeeded(self, what: str, answer: httpx.Response) -> bool:
        if answer.status_code == 404:
            self._complain(f"{what}: 404")
            return False
        self.counts[what] += 1
        if answer.json().get("indexed") is False:
            self.counts["not indexed at once"] += 1
        return True

    def _complain(self, what: str) -> None:
        self.broken.append(f"client {self.number}: {what}")

    def _new_place(self) -> Place:
        place = Place(f"{self.number},{len(self.places)}")
        self.places.append(place)
        return place

    def _item(self, place: Place) -> tuple[str, dict[str, Any]]:
        mark = self._mark()
        fact = " ".join(self._chance.choices(WORDS, k=6))
        return mark, {"coord": place.coord, "payload": {"mark": mark, "fact": fact}}

    def _mark(self) -> str:
        return f"c{self.number}m{next(self._marks)}"
