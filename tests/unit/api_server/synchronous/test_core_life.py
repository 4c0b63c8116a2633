"""How a memory system opens, closes, calls back, locks, and is found under the original's names."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import structlog

from somafractalmemory.core import MemoryType, SomaFractalMemoryEnterprise, SomaFractalMemoryError
from somafractalmemory.errors import ConfigurationError, Overloaded
from somafractalmemory.factory import MemoryMode, create_memory_system

ROOT = Path(__file__).parents[4]
CONFIG = {"redis": {"testing": True}, "memory_enterprise": {"vector_dim": 64}}

# Written against the original program, from its documentation; nothing in it may be changed.
PROGRAM = """
from somafractalmemory.core import MemoryType
from somafractalmemory.factory import MemoryMode, create_memory_system

mem = create_memory_system(
    MemoryMode.EVENTED_ENTERPRISE,
    "demo_ns",
    config={
        "redis": {"testing": True},
        "qdrant": {"path": "./qdrant.db"},
        "memory_enterprise": {
            "pruning_interval_seconds": 60,
            "decay_thresholds_seconds": [30, 300],
            "decayable_keys_by_level": [["scratch", "temp_notes"], ["low_importance"]],
        },
    },
)
seen = []
mem.set_hook("after_recall", lambda query, context, top_k, memory_type, results: seen.append(len(results)))
mem.store_memory((1, 2, 3), {"task": "write docs", "importance": 2}, memory_type=MemoryType.EPISODIC)
mem.store_memory((4, 5, 6), {"fact": "docs matter"}, memory_type=MemoryType.SEMANTIC)
mem.remember({"fact": "anywhere"}, memory_type=MemoryType.SEMANTIC)
mem.link_memories((1, 2, 3), (4, 5, 6), link_type="related", weight=1.0)
assert mem.retrieve((1, 2, 3))["task"] == "write docs"
assert any(m.get("task") == "write docs" for m in mem.recall("write docs", top_k=3))
assert mem.hybrid_recall("docs", top_k=2) and mem.keyword_search("docs", exact=False)
assert [r["payload"]["task"] for r in mem.recall_with_scores("write docs", top_k=1)] == ["write docs"]
assert mem.find_hybrid_by_type("docs", memory_type=MemoryType.SEMANTIC)[0]["fact"] == "docs matter"
assert [tuple(c) for c in mem.find_shortest_path((1, 2, 3), (4, 5, 6))] == [(1, 2, 3), (4, 5, 6)]
assert mem.get_linked_memories((1, 2, 3))[0]["fact"] == "docs matter"
assert mem.memory_stats()["total_memories"] == 3
assert all(mem.health_check().values())
assert mem.with_lock("once", lambda a, b=0: a + b, 1, b=2) == 3
mem.report_outcome((1, 2, 3), "done")
mem.consolidate_memories(window_seconds=3600)
assert mem.retrieve((1, 2, 3))["task"] == "write docs"
mem.run_decay_once()
mem.audit_log("checked", (1, 2, 3))
mem.save_version((1, 2, 3))
assert mem.get_versions((1, 2, 3))
assert mem.delete((4, 5, 6)) is True and mem.retrieve((4, 5, 6)) is None
assert not any(m.get("fact") == "docs matter" for m in mem.recall("docs matter"))
assert seen
print("ran to the end")
"""


@pytest.fixture
def system() -> Iterator[SomaFractalMemoryEnterprise]:
    """An empty system in this process."""
    with create_memory_system(MemoryMode.EVENTED_ENTERPRISE, "tests", CONFIG) as made:
        yield made


def run(program: str, *, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A program in a process of its own, without any configuration but this."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", program],
        cwd=cwd,
        env=kept | {"PYTHONPATH": str(ROOT / "api_server")} | environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def eventually(look: Callable[[], object], *, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


def test_a_program_written_against_the_original_runs_unchanged(tmp_path: Path) -> None:
    """Without a store, a model or a close; the process ends by itself and leaves no file. (X-04)"""
    done = run(PROGRAM, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, "ran to the end\n"), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_core_needs_no_model_library() -> None:
    """(core defect 24)"""
    program = "import sys, somafractalmemory.core, somafractalmemory.factory\nassert 'transformers' not in sys.modules"

    assert run(program, cwd=ROOT).returncode == 0


@pytest.mark.parametrize("mode", ["development", "cloud_managed", "EVENTED_ENTERPRISE", None])
def test_another_mode_is_replaced_and_not_fatal(mode: Any, caplog: pytest.LogCaptureFixture) -> None:
    """(S-52)"""
    structlog.reset_defaults()  # as in a program that never set it up, whatever earlier tests did
    with create_memory_system(mode, "tests", CONFIG) as made:
        made.store_memory((1,), {"fact": "x"})

    assert "mode_replaced" in caplog.text


def test_modes_have_names() -> None:
    assert MemoryMode.from_string("Evented_Enterprise") is MemoryMode.EVENTED_ENTERPRISE
    with pytest.raises(ValueError, match="development"):
        MemoryMode.from_string("development")


def test_a_wrong_configuration_is_told_before_anything_opens() -> None:
    before = threading.active_count()

    with pytest.raises(ConfigurationError, match=r"redis\.hots"):
        create_memory_system(MemoryMode.EVENTED_ENTERPRISE, "tests", {"redis": {"hots": "x"}})
    with pytest.raises(ConfigurationError, match="namespace"):
        create_memory_system(MemoryMode.EVENTED_ENTERPRISE, "a b", CONFIG)

    assert threading.active_count() == before


def test_systems_of_one_process_do_not_see_each_other(system: SomaFractalMemoryEnterprise) -> None:
    """The namespace is the one that was given, whatever the environment says. (core defect 15)"""
    with create_memory_system(MemoryMode.EVENTED_ENTERPRISE, "te_ts", CONFIG) as other:
        system.store_memory((1,), {"fact": "mine"})

        assert (system.namespace, other.namespace) == ("tests", "te_ts")
        assert other.recall("mine") == []
        assert other.get_all_memories() == []


def test_a_closed_system_says_so_and_leaves_no_thread() -> None:
    before = threading.active_count()
    made = create_memory_system(MemoryMode.EVENTED_ENTERPRISE, "tests", CONFIG)
    made.store_memory((1,), {"fact": "x"})

    made.close()
    made.close()

    assert threading.active_count() == before
    with pytest.raises(SomaFractalMemoryError, match="closed"):
        made.retrieve((1,))


def test_a_forgotten_system_closes_itself() -> None:
    before = threading.active_count()
    made = create_memory_system(MemoryMode.EVENTED_ENTERPRISE, "tests", CONFIG)

    del made

    eventually(lambda: threading.active_count() == before)


def test_many_threads_share_one_system(system: SomaFractalMemoryEnterprise) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: system.store_memory((n % 50,), {"fact": f"number {n}"}), range(400)))

    assert system.memory_stats()["total_memories"] == 50
    assert sum(len(system.get_versions((n,))) for n in range(50)) == 400


def test_a_read_changes_nothing_that_is_read(system: SomaFractalMemoryEnterprise) -> None:
    """A retrieve used to write the whole record, under a lock. (core defect 23)"""
    system.store_memory((1,), {"fact": "x"})

    for _ in range(5):
        system.retrieve((1,))

    assert [record["version"] for record in system.get_versions((1,))] == [1]


def test_hooks_are_called_around_everything_that_stores(system: SomaFractalMemoryEnterprise) -> None:
    """`store_memory` used to call none. (X-04)"""
    calls: list[tuple[Any, ...]] = []
    for event in ("before_store", "after_store", "before_forget", "after_forget", "before_reflect", "after_reflect"):
        system.set_hook(event, lambda *arguments, event=event: calls.append((event, *arguments)))
    for event in ("before_recall", "after_recall"):
        system.set_hook(event, lambda *arguments, event=event: calls.append((event, *arguments)))

    system.store_memory((1,), {"fact": "x"})
    system.store_memories_bulk([((2,), {"fact": "y"}, "semantic")])
    results = system.recall("x", {"a": 1}, 3, "episodic")
    system.forget((2,))
    reflected = system.reflect(1)

    assert calls == [
        ("before_store", {"fact": "x"}, (1,), MemoryType.EPISODIC),
        ("after_store", {"fact": "x"}, (1,), MemoryType.EPISODIC),
        ("before_store", {"fact": "y"}, (2.0,), MemoryType.SEMANTIC),
        ("after_store", {"fact": "y"}, (2.0,), MemoryType.SEMANTIC),
        ("before_recall", "x", {"a": 1}, 3, MemoryType.EPISODIC),
        ("after_recall", "x", {"a": 1}, 3, MemoryType.EPISODIC, results),
        ("before_forget", (2,)),
        ("after_forget", (2,)),
        ("before_reflect", 1, None),
        ("after_reflect", 1, None, reflected),
    ]


def test_a_hook_that_fails_stops_nothing_and_one_may_use_the_system(system: SomaFractalMemoryEnterprise) -> None:
    system.set_hook("before_store", lambda *_: 1 / 0)
    system.set_hook("after_store", lambda _, coordinate, __: system.retrieve(coordinate))
    system.store_memory((1,), {"fact": "x"})
    system.set_hook("before_store", None)

    assert system.retrieve((1,)) is not None


def test_a_failed_store_is_not_told_as_stored(system: SomaFractalMemoryEnterprise) -> None:
    calls: list[str] = []
    system.set_hook("after_store", lambda *_: calls.append("stored"))

    with pytest.raises(SomaFractalMemoryError):
        system.store_memory((1,), {"n": float("inf")})

    assert calls == []


def test_a_lock_keeps_others_out_until_it_is_released(system: SomaFractalMemoryEnterprise) -> None:
    """(core defect 25)"""
    with system.acquire_lock("door", timeout=0.3) as lock:
        assert lock.locked()
        assert lock.fence is not None
        assert not system.acquire_lock("door").acquire(blocking=False)
        with pytest.raises(Overloaded), system.acquire_lock("door", wait_seconds=0.6):
            pass  # longer than the lock lasts without being prolonged

    assert not lock.locked()
    later = system.acquire_lock("door")
    assert later.acquire(blocking=False)
    assert later.fence is not None
    assert lock.fence is not None
    assert later.fence > lock.fence
    with pytest.raises(SomaFractalMemoryError, match="twice"):
        later.acquire()
    later.release()
    later.release()


def test_work_under_a_lock_never_overlaps(system: SomaFractalMemoryEnterprise) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(n: int) -> int:
        inside.append(n)
        most.append(len(inside))
        system.retrieve((1,))
        inside.remove(n)
        return n

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: system.with_lock("door", work, n), range(18)))

    assert answers == list(range(18))
    assert max(most) == 1


def test_work_that_fails_under_a_lock_lets_go_of_it(system: SomaFractalMemoryEnterprise) -> None:
    with pytest.raises(ZeroDivisionError):
        system.with_lock("door", lambda: 1 / 0)

    assert system.with_lock("door", lambda: "free") == "free"


def test_a_forgotten_lock_lets_go_by_itself(system: SomaFractalMemoryEnterprise) -> None:
    lock = system.acquire_lock("door")
    assert lock.acquire()

    del lock

    assert system.with_lock("door", lambda: "free") == "free"


def test_the_http_application_is_made_of_the_environment(tmp_path: Path) -> None:
    program = (
        "from fastapi import FastAPI\nfrom somafractalmemory.http_api import app\n"
        "print(isinstance(app, FastAPI), '/recall' in app.openapi()['paths'])"
    )
    environment = {
        "SOMA_API_TOKEN": "t",
        "POSTGRES_URL": "postgresql://nobody@127.0.0.1:9/x",
        "QDRANT_URL": "http://127.0.0.1:9",
        "EVENTING_ENABLED": "false",
        "MEMORY_MODE": "development",
    }

    made = run(program, cwd=tmp_path, **environment)
    bare = run(f"import somafractalmemory.http_api\nprint('imported')\n{program}", cwd=tmp_path)

    assert made.stdout.splitlines()[-1] == "True True", made.stderr
    assert bare.returncode != 0
    assert bare.stdout == "imported\n"
    assert "SOMA_API_TOKEN: " in bare.stderr
    assert "POSTGRES_URL: " in bare.stderr


SERVED = """
import asyncio, httpx
from somafractalmemory.http_api import app

async def ask():
    transport = httpx.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        return (await client.get("/healthz")).status_code, int((await client.get("/stats")).status_code)

print(asyncio.run(ask()))
"""


def test_the_http_application_opens_when_it_is_started(tmp_path: Path) -> None:
    """Although none of its stores answers yet."""
    environment = {
        "SOMA_API_TOKEN": "t",
        "POSTGRES_URL": "postgresql://nobody@127.0.0.1:9/x",
        "QDRANT_URL": "http://127.0.0.1:9",
        "EVENTING_ENABLED": "false",
    }

    served = run(SERVED, cwd=tmp_path, **environment)

    assert served.stdout.splitlines()[-1] == "(200, 401)", served.stderr


def test_a_system_writes_nothing_to_the_programs_own_output(tmp_path: Path) -> None:
    program = (
        "from somafractalmemory.factory import create_memory_system\n"
        "with create_memory_system('development', 'x', {'redis': {'testing': True}, 'model_name': 'y'}) as memory:\n"
        "    memory.store_memory((1,), {'fact': 'x'})\n"
    )

    done = run(program, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "mode_replaced" in done.stderr
    assert "config_keys_without_effect" in done.stderr
