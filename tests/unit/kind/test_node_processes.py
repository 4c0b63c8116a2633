"""Supervision, and what finds and sweeps the node's traces."""

import socket
from pathlib import Path

import pytest

from localcluster import host, processes
from localcluster.commands import run, succeeds, wait_until
from localcluster.errors import CannotRunError, StartFailedError
from localcluster.lock import only_one
from localcluster.probes import passes
from localcluster.supervisor import Running, Supervisor, Unit, pause

PLAN = Path("/var/lib/node/run/plan.json")


def process(proc: Path, pid: int, *argv: str) -> None:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "cmdline").write_bytes("\0".join(argv).encode() + b"\0")


def test_the_node_is_found_by_what_it_runs(tmp_path: Path) -> None:
    argv = processes.supervisor_argv("/venv/bin/python", PLAN)
    process(tmp_path, 10, "unshare", "--net", "--fork", *argv)
    process(tmp_path, 11, *argv)
    process(tmp_path, 12, "grep", *argv)
    process(tmp_path, 13, *processes.supervisor_argv("/venv/bin/python", Path("/elsewhere/plan.json")))

    assert processes.find(PLAN, tmp_path) == ([11], [10])


def test_without_a_node_nothing_is_found(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "14").mkdir()  # it ended while we looked

    assert processes.find(PLAN, tmp_path) == ([], [])


def test_a_unit_starts_when_all_that_it_needs_is_ready(tmp_path: Path) -> None:
    mark = tmp_path / "applied"
    running = Running(Unit("dns", ["/bin/dns"], needs=["api", f"file:{mark}"]))

    assert not running.may_start(1.0, {"api"})
    mark.touch()
    assert running.may_start(1.0, {"api"})
    assert not running.may_start(1.0, set())


def test_a_unit_that_ends_again_and_again_waits_longer_each_time() -> None:
    running = Running(Unit("api", ["/bin/api"]))
    waits = []
    for _ in range(9):
        running.pid = 7
        running.ended(100.0, jitter=0)
        waits.append(running.not_before - 100.0)
        running.started = 100.0

    assert waits == sorted(waits)
    assert (waits[-1], running.restarts, running.pid) == (30.0, 9, 0)


def test_a_long_healthy_run_forgives_earlier_failures() -> None:
    running = Running(Unit("api", ["/bin/api"]), pid=7, started=0.0, failures=8)

    running.ended(61.0, jitter=0)

    assert running.not_before == 61.0 + pause(1)


def test_the_supervisor_refuses_to_run_outside_of_a_node(tmp_path: Path) -> None:
    with pytest.raises(CannotRunError, match="only as first process"):
        Supervisor([], tmp_path, tmp_path / "report").run()


def test_probes_ask_ports_sockets_and_files(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert passes(f"tcp:127.0.0.1:{port}")
    assert not passes(f"tcp:127.0.0.1:{port}")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        assert passes(f"unix:{tmp_path}/socket")
    assert passes(f"file:{tmp_path}")
    assert not passes("kube-apiserver")


def test_only_empty_groups_of_containers_are_swept(tmp_path: Path) -> None:
    container = tmp_path / "memory/k8s.io" / ("a" * 64)
    other = tmp_path / "memory/k8s.io/somebody"
    lonely = tmp_path / "cpu/k8s.io" / ("b" * 64)
    for folder in (container, other, lonely):
        folder.mkdir(parents=True)

    host.sweep_groups(tmp_path)

    assert not container.exists()
    assert other.exists()
    assert not lonely.parent.exists()
    assert lonely.parent.parent.exists()


def test_only_one_process_works_on_the_cluster(tmp_path: Path) -> None:
    lock = tmp_path / "lock"

    with only_one(lock), pytest.raises(CannotRunError, match="is working on"), only_one(lock):
        pass
    with only_one(lock):
        pass


def test_a_failed_command_shows_its_last_words_and_the_next_step() -> None:
    assert succeeds(["true"])
    with pytest.raises(Exception, match=r"(?s)ended with 3.*no disk.*Next: buy one"):
        run(["sh", "-c", "echo no disk >&2; exit 3"], remedy="buy one")
    with pytest.raises(Exception, match="not installed"):
        run(["no-such-program"])
    with pytest.raises(Exception, match="took longer"):
        run(["sleep", "5"], timeout=0.05)


def test_a_command_is_fed_by_text_or_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("from a file")

    assert run(["cat"], stdin="text") == "text"
    with (tmp_path / "data").open("rb") as data:
        assert run(["cat"], source=data) == "from a file"


def test_waiting_ends_at_its_deadline() -> None:
    with pytest.raises(StartFailedError, match=r"etcd was not ready within 0 s"):
        wait_until(lambda: False, what="etcd", seconds=0.02, remedy="look", interval=0.01)
