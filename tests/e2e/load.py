"""Callers that use the API while something is replaced beneath it."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.e2e.cluster import Memory

REQUESTS_PER_SECOND = 50
CALLERS = 4


@dataclass
class Load:
    """What callers met with. A request that is not answered by 200 has failed."""

    memory: Memory
    sent: int = 0
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0
    _token: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def stop(self) -> None:
        """Let every caller end after its request."""
        self._stop.set()

    def follow(self, trust: ssl.SSLContext | None) -> None:
        """Use the token that the Secret holds now, and trust whom the ConfigMap says now, as callers have to."""
        while not self._stop.wait(1.0):
            self._token = self.memory.token()
            if trust is not None:
                trust.load_verify_locations(cadata=self.memory.authorities())

    def call(self, number: int, api: httpx.Client) -> None:
        """Store and recall by turns; odd callers make a connection for each request."""
        at = 0
        while not self._stop.is_set():
            at += 1
            said = self._ask(number, at, api)
            with self._lock:
                self.sent += 1
                self.failed += [said] if said else []
            time.sleep(CALLERS / REQUESTS_PER_SECOND / 2)

    def _ask(self, number: int, at: int, api: httpx.Client) -> str:
        headers = {"Authorization": f"Bearer {self._token}"} | ({"Connection": "close"} if number % 2 else {})
        memory = {"coord": f"{number},{at}", "payload": {"fact": f"fact {at} of {number}"}}
        path, body = ("/store", memory) if at % 2 else ("/recall", {"query": f"fact {at - 1} of {number}"})
        try:
            answer = api.post(path, json=body, headers=headers)
        except httpx.HTTPError as error:
            return repr(error)
        return "" if answer.status_code == httpx.codes.OK else f"{path} {answer.status_code} {answer.text[:200]}"


@contextmanager
def load(memory: Memory) -> Iterator[Load]:
    """Four callers, as long as the block runs."""
    trust = memory.trust()
    found = Load(memory, _token=memory.token())
    with memory.api(trust) as api:
        threads = [threading.Thread(target=found.follow, args=(trust,))]
        threads += [threading.Thread(target=found.call, args=(number, api)) for number in range(CALLERS)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        try:
            yield found
        finally:
            found.stop()
            for thread in threads:
                thread.join(30)
            found.seconds = time.monotonic() - began
