"""Every component is killed again and again under load: no promise is broken, and calm brings everything together.

`CHAOS_SEED` and `CHAOS_SECONDS` choose another run; the figures are printed.
"""

import json
import os
import sys
import threading
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.integration.api.chaosload import Client, Outages, Place
from tests.integration.api.chaosworld import Deployment, Reaper, deployed
from tests.integration.api.programs import eventually, run_once
from tests.services.fixtures import skip_without

SEED = int(os.environ.get("CHAOS_SEED", "1"))
SECONDS = float(os.environ.get("CHAOS_SECONDS", "60"))
AT_LEAST = 20
AT_LEAST_WRITES = 100
CLIENTS = 6


@pytest.mark.timeout(900)
def test_no_promise_is_broken_while_everything_is_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    skip_without("postgres", "redis-server", "java", "mvn")
    with deployed(tmp_path) as deployment:
        clients, reaper = under_fire(deployment)
        settled = settle(deployment)
        counts = sum((client.counts for client in clients), Counter[str]())
        broken = [complaint for client in clients for complaint in client.broken]
        broken += lost_and_phantoms(deployment, clients) + unlogged(deployment)
        figures = {
            "seed": SEED,
            "kills": dict(sorted(reaper.kills.items())),
            "kills_in_all": reaper.kills.total(),
            "places": sum(len(client.places) for client in clients),
            "requests": dict(sorted(counts.items())),
            "broken_promises": len(broken),
            "reconcile": settled,
        }
        with capsys.disabled():
            sys.stdout.write(f"\nchaos: {json.dumps(figures)}\n")
        assert [client.crash for client in clients if client.crash] == []
        assert reaper.failures == []
        assert broken == [], deployment.api.text[-3000:]
        assert "unexpected_error" not in deployment.api.text
        assert "task_died" not in deployment.api.text + deployment.consumer.text
        assert settled["equal"], settled
        assert reaper.kills.total() >= AT_LEAST
        assert set(reaper.kills) == set(deployment.mortals)
        assert counts["store"] + counts["bulk"] + counts["patch"] + counts["delete"] >= AT_LEAST_WRITES


def under_fire(deployment: Deployment) -> tuple[list[Client], Reaper]:
    outages, stopping = Outages(), threading.Event()
    clients = [Client(number, deployment.api.url, SEED, outages, stopping) for number in range(CLIENTS)]
    reaper = Reaper(deployment.mortals, outages, SEED)
    for client in clients:
        client.thread.start()
    try:
        reaper.reap(SECONDS, AT_LEAST)
    finally:
        stopping.set()
        for client in clients:
            client.thread.join(60)
    assert not any(client.thread.is_alive() for client in clients)
    return clients, reaper


def settle(deployment: Deployment) -> dict[str, Any]:
    """Nothing is mended by hand: the outbox empties, and what came of it is compared."""
    eventually(lambda: ask(deployment, "select count(*) from outbox") == [(0,)], seconds=120)
    last: dict[str, Any] = {}

    def equal() -> bool:
        nonlocal last
        done = run_once(deployment.environment, "reconcile", "--check", "-o", "json")
        assert done.returncode in {0, 1}, done.stderr
        last = json.loads(done.stdout)
        return bool(last["equal"])

    try:
        eventually(equal, seconds=90)
    except AssertionError:
        return last
    return last


def lost_and_phantoms(deployment: Deployment, clients: list[Client]) -> list[str]:
    """What the truth holds against what the clients know."""
    rows = ask(deployment, "select coordinate, payload ->> 'mark', version from memories where not deleted")
    found = {f"{place[0]:g},{place[1]:g}": (mark, version) for place, mark, version in rows}
    places = {place.coord: place for client in clients for place in client.places}
    broken = [f"phantom: {coord} holds {found[coord]}, nobody wrote there" for coord in found.keys() - places.keys()]
    broken += [
        complaint for place in places.values() for complaint in _judged(place, *found.get(place.coord, (None, None)))
    ]
    linked = {
        (f"{one[0]:g},{one[1]:g}", f"{other[0]:g},{other[1]:g}")
        for one, other in ask(
            deployment,
            "select s.coordinate, t.coordinate from links"
            " join memories s on s.id = source join memories t on t.id = target",
        )
    }
    asked = {link: must for client in clients for link, must in client.links.items()}
    broken += [f"lost: link {link}" for link, must in asked.items() if must and link not in linked]
    return broken + [f"phantom: link {link}" for link in linked - asked.keys()]


def _judged(place: Place, mark: str | None, version: int | None) -> list[str]:
    if mark not in place.possible:
        return [f"{place.coord} holds {mark}, which is none of {place.possible}"]
    if version is not None and version < place.version:
        return [f"{place.coord} is at version {version}, but {place.version} was told"]
    return []


def unlogged(deployment: Deployment) -> list[str]:
    """Versions whose event never came back through Kafka."""

    def missing() -> list[str]:
        logged: dict[object, set[object]] = defaultdict(set)
        for place, version in ask(deployment, "select id, version from memory_events"):
            logged[place].add(version)
        rows = ask(deployment, "select id, version from memories")
        return [
            f"no event: {place} at version {n}"
            for place, last in rows
            for n in range(1, last + 1)
            if n not in logged[place]
        ]

    try:
        eventually(lambda: not missing(), seconds=60)
    except AssertionError:
        return missing()
    return []


def ask(deployment: Deployment, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(deployment.postgres.url, connect_timeout=5) as connection:
        return connection.execute(statement.encode()).fetchall()
