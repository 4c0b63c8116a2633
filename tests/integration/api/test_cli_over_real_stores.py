"""`soma` as a person or a script runs it: processes that share nothing but a running API on real stores."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.api.programs import TOKEN, Stack, base_environment, own_database, run_once, running
from tests.services.postgres import PostgresServer
from tests.services.qdrant import QdrantEdgeServer
from tests.services.server import free_port

pytestmark = pytest.mark.timeout(300)


class Shell:
    """Exported variables, and the command."""

    def __init__(self, **variables: str) -> None:
        self.variables = variables

    def run(self, *arguments: str, stdin: str | None = None, **more: str) -> "subprocess.CompletedProcess[str]":
        """How it ended."""
        return subprocess.run(
            [sys.executable, "-m", "somafractalmemory", *arguments],
            env=base_environment() | self.variables | more,
            input=stdin or "",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """What a good command prints."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """What it prints, understood."""
        return json.loads(self(*arguments))


@pytest.fixture(scope="module")
def token_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("secrets") / "token"
    file.write_text(f"{TOKEN}\n")
    return file


@pytest.fixture
def soma(stack: Stack, token_file: Path) -> Shell:
    """A shell with a namespace of its own."""
    return Shell(
        SOMA_API_URL=stack.api.url, SOMA_API_TOKEN_FILE=str(token_file), SOMA_NAMESPACE=f"cli-{uuid4().hex[:8]}"
    )


def store(soma: Shell, coord: str, kind: str = "episodic", **payload: object) -> None:
    assert soma("store", "--coord", coord, "--payload", json.dumps(payload), "--type", kind) == "OK\n"


def test_every_verb_works_over_http(soma: Shell, tmp_path: Path) -> None:
    """(X-05) (S-03) (cli defect 2) (cli defect 8)"""
    store(soma, "1,2,3", "semantic", fact="cats purr at night")
    store(soma, "4,5,6", fact="dogs bark", mood="loud")

    assert soma("amend", "--coord", "4,5,6", "--payload", '{"mood": null, "draft": false}') == "OK\n"
    assert soma.json("get", "--coord", "4,5,6")["payload"] == {"fact": "dogs bark", "draft": False}
    assert soma("importance", "--coord", "4,5,6", "--value", "3") == "OK\n"
    assert len(soma.json("versions", "--coord", "4,5,6")) == 3
    assert soma.json("recall", "--query", "cats", "--top-k", "1")[0]["fact"] == "cats purr at night"
    assert soma.json("recall", "--query", "cats", "-o", "json")["results"][0]["score"] > 0
    assert soma.json("hybrid", "--query", "night", "--term", "purr", "--substring")[0]["coordinate"] == [1, 2, 3]
    assert soma.json("explain", "--query", "night", "--top-k", "1")[0]["parts"]
    assert soma.json("keyword-search", "--term", "bark", "--type", "episodic")[0]["coordinate"] == [4, 5, 6]
    assert soma.json("range", "--min", "0,0,0", "--max", "9,9,9") == [[1, 2, 3], [4, 5, 6]]
    assert len(soma.json("list")) == 2
    assert soma.json("stats") == {"total_memories": 2, "episodic": 1, "semantic": 1}
    assert soma.json("health")["components"]["postgres"]["ok"]
    (tmp_path / "bulk.json").write_text('[{"coord": "7,8", "payload": {"n": 1}}, {"coord": [9, 10], "payload": {}}]')
    assert soma.json("store-bulk", "--file", str(tmp_path / "bulk.json")) == {"stored": 2}
    assert soma("store-bulk", "--file", "-", stdin='{"coord": "11", "payload": {}}\n') == '{"stored": 1}\n'
    assert soma.json("delete-many", "--coords", "7,8;9,10;11;12") == {"deleted": 3}
    assert soma("delete", "--coord", "4,5,6") == "OK\n"
    assert soma.json("stats")["total_memories"] == 1


def test_a_link_of_one_process_is_a_path_of_the_next(soma: Shell) -> None:
    """(X-02) (cli defect 1)"""
    for place in ("1", "2", "3"):
        store(soma, place, at=place)

    soma("link", "--from", "1", "--to", "2")
    soma("link", "--from", "2", "--to", "3", "--type", "causes", "--weight", "0.5")

    assert soma.json("path", "--from", "1", "--to", "3") == [[1.0], [2.0], [3.0]]
    assert soma.json("neighbors", "--coord", "2") == [[3.0]]
    assert soma("unlink", "--from", "1", "--to", "2") == "OK\n"
    assert soma.json("path", "--from", "1", "--to", "3") == []


@pytest.mark.parametrize("name", ["links.json", "links.graphml"])
def test_exports_hold_everything_and_imports_bring_it_back(soma: Shell, tmp_path: Path, name: str) -> None:
    """(cli defect 4)"""
    memories, graph = tmp_path / "memories.ndjson", tmp_path / name
    for number in range(4):
        store(soma, f"{number},0.5", n=number)
    store(soma, "0,0.5", n="changed")
    for number in range(3):
        soma("link", "--from", f"{number},0.5", "--to", f"{number + 1},0.5", "--weight", str(number))

    assert soma.json("export-memories", "--path", str(memories)) == {"exported": 4}
    assert soma.json("export-graph", "--path", str(graph)) == {"exported": 3}

    there = Shell(**soma.variables | {"SOMA_NAMESPACE": f"cli-{uuid4().hex[:8]}"})
    assert there.json("import-memories", "--path", str(memories)) == {"imported": 4}
    assert [old["payload"]["n"] for old in there.json("versions", "--coord", "0,0.5")] == ["changed", 0]
    assert len(there.json("path", "--from", "0,0.5", "--to", "3,0.5")) == 4
    there("unlink", "--from", "0,0.5", "--to", "1,0.5")
    assert there.json("import-graph", "--path", str(graph)) == {"imported": 3}
    assert there.json("list", "--limit", "0") == [
        {**memory, "created_at": pytest.approx(memory["created_at"])} for memory in soma.json("list", "--limit", "0")
    ]
    assert len(there.json("path", "--from", "0,0.5", "--to", "3,0.5")) == 4


def test_each_kind_of_failure_has_its_exit_code_and_says_what_to_do(soma: Shell, tmp_path: Path) -> None:
    """(cli defect 5)"""
    wrong = tmp_path / "wrong"
    wrong.write_text("guessed")
    nowhere = f"http://127.0.0.1:{free_port()}"
    cases = [
        (2, "a JSON object is needed", soma.run("store", "--coord", "1", "--payload", "[1]")),
        (2, "separated by commas", soma.run("get", "--coord", "one")),
        (2, "--no-such-option", soma.run("stats", "--no-such-option")),
        (3, "`soma list`", soma.run("get", "--coord", "404")),
        (3, "404.0", soma.run("path", "--from", "404", "--to", "405")),
        (4, "use a token that the API knows", soma.run("stats", "--token-file", str(wrong))),
        (4, "SOMA_API_TOKEN_FILE", soma.run("stats", SOMA_API_TOKEN_FILE="")),
        (5, "--url", soma.run("stats", "--url", nowhere)),
        (2, "correct the path", soma.run("--config", str(tmp_path / "none.yaml"), "stats")),
    ]
    for code, said, done in cases:
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_store_bulk_guesses_neither_a_place_nor_a_type(soma: Shell) -> None:
    """(cli defect 7)"""
    for item in ('{"payload": {}}', '{"coord": "1", "payload": {}, "type": "vague"}'):
        done = soma.run("store-bulk", "--file", "-", stdin=f'[{{"coord": "0", "payload": {{}}}}, {item}]')
        assert done.returncode == 2
        assert "item 1" in done.stderr
    assert soma.json("stats")["total_memories"] == 0


def test_no_variable_or_option_of_the_mode_is_fatal(soma: Shell) -> None:
    """(S-52) (cli defect 3)"""
    for done in (soma.run("--mode", "development", "stats"), soma.run("stats", MEMORY_MODE="cloud_managed")):
        assert done.returncode == 0
        assert "is replaced by evented_enterprise" in done.stderr


def test_people_get_tables_and_scripts_get_json(soma: Shell) -> None:
    store(soma, "1,2", fact="cats purr")

    assert soma.json("recall", "--query", "cats")
    assert "COORDINATE" in on_a_terminal(soma, "recall", "--query", "cats")
    assert "cats purr" in on_a_terminal(soma, "list")


@pytest.mark.parametrize(("window", "code"), [("2", 0), ("3600", 5)])
def test_a_spent_budget_is_waited_for_unless_that_takes_too_long(
    stack: Stack, tmp_path: Path, window: str, code: int
) -> None:
    limited = {
        "SOMA_RATE_LIMIT_MAX": "1",
        "SOMA_RATE_LIMIT_WINDOW_SECONDS": window,
        "SOMA_API_TOKEN": f"token-{uuid4().hex}",
        "EVENTING_ENABLED": "false",
        "SOMA_GRPC_ENABLED": "false",
    }
    with running("serve", stack.environment | limited, tmp_path) as api:
        soma = Shell(SOMA_API_URL=api.url, SOMA_API_TOKEN=limited["SOMA_API_TOKEN"])
        first, second = soma.run("stats"), soma.run("stats")

    assert (first.returncode, second.returncode) == (0, code), second.stderr
    assert code == 0 or "come back in" in second.stderr


@pytest.fixture(scope="module")
def own_stores(postgres_server: PostgresServer, qdrant_server: QdrantEdgeServer) -> Iterator[dict[str, Any]]:
    """A dictionary for --config with an empty database, and a broker that is not there."""
    with own_database(postgres_server.url) as database:
        yield {
            "redis": {"testing": True},
            "postgres": {"url": database},
            "qdrant": {"url": qdrant_server.url, "api_key": qdrant_server.api_key},
            "eventing": {"enabled": True, "bootstrap_servers": f"127.0.0.1:{free_port()}"},
        }


def test_without_an_api_the_same_commands_work_on_the_stores(own_stores: Mapping[str, Any], tmp_path: Path) -> None:
    """With events on and no broker, on a database without our tables. (cli defect 1) (cli defect 6)"""
    file = tmp_path / "config.json"
    file.write_text(json.dumps(own_stores))
    soma = Shell(SOMA_API_URL="http://not-used:1")

    for place in ("1", "2"):
        assert soma("--config-json", str(file), "store", "--coord", place, "--payload", '{"fact": "cats"}') == "OK\n"
    soma("--config", str(file), "link", "--from", "1", "--to", "2")

    assert soma.json("--config", str(file), "path", "--from", "1", "--to", "2") == [[1.0], [2.0]]
    assert len(soma.json("--config", str(file), "recall", "--query", "cats")) == 2
    assert soma.json("--namespace", "other", "--config", str(file), "stats")["total_memories"] == 0


def test_without_any_store_a_command_runs_and_forgets(tmp_path: Path) -> None:
    """(X-05)"""
    file = tmp_path / "config.yaml"
    file.write_text("redis: {testing: true}\nvector: {backend: memory}\n")
    soma = Shell()

    assert soma("--config", str(file), "-q", "store", "--coord", "1", "--payload", "{}") == ""
    assert soma.json("--config", str(file), "stats")["total_memories"] == 0


def test_the_programs_still_start_as_ever(stack: Stack) -> None:
    """(S-52)"""
    assert run_once({}, "openapi").stdout.startswith("{")
    assert run_once(stack.environment | {"MEMORY_MODE": "test"}, "migrate").returncode == 0


def on_a_terminal(soma: Shell, *arguments: str) -> str:
    """What a person sees."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "somafractalmemory", *arguments],
        env=base_environment() | soma.variables | {"COLUMNS": "160", "TERM": "dumb"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
    )
    os.close(theirs)
    seen = b""
    try:
        while part := _read(ours):
            seen += part
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
        os.close(ours)
    return seen.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux' way of saying that the other side is closed
        return b""
