"""How `soma` ends: exit codes, messages that say what to do next, and no traceback."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from fastapi import FastAPI

from somafractalmemory.calling.inprocess import InProcess
from somafractalmemory.cli import run
from somafractalmemory.cli.options import Given, read_token
from somafractalmemory.cli.showing import visible
from somafractalmemory.client import Client
from somafractalmemory.errors import ConfigurationError
from tests.services.server import free_port
from tests.unit.api_server.commands import Soma, soma_over
from tests.unit.api_server.conftest import TOKEN, World


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any variable of ours."""
    for name in [name for name in os.environ if name.startswith(("SOMA_", "MEMORY_MODE", "LOG_LEVEL"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def soma(world: World, capsys: pytest.CaptureFixture[str]) -> Soma:
    return soma_over(world, capsys)


def test_what_is_not_there_ends_with_3_and_a_way_on(soma: Soma) -> None:
    for command in (
        ("get", "--coord", "1"),
        ("delete", "--coord", "1"),
        ("link", "--from", "1", "--to", "2"),
        ("neighbors", "--coord", "1"),
        ("importance", "--coord", "1", "--value", "2"),
    ):
        done = soma(*command)
        assert (done.code, done.out) == (3, "")
        assert "`soma list`" in done.err


@pytest.mark.parametrize(
    "command",
    [
        ("store", "--coord", "1", "--payload", "[1]"),
        ("store", "--coord", "1", "--payload", "null"),
        ("store", "--coord", "1", "--payload", "{broken"),
        ("store", "--coord", "1", "--payload", '{"x": NaN}'),
        ("store", "--coord", "one", "--payload", "{}"),
        ("store", "--coord", "1", "--payload", "@/no/such/file"),
        ("store", "--coord", "1", "--payload", "{}", "--type", "vague"),
        ("store", "--payload", "{}"),
        ("amend", "--coord", "1", "--payload", "7"),
        ("recall", "--query", "x", "--top-k", "0"),
        ("recall", "--query", "x", "--filters", "[]"),
        ("delete-many", "--coords", ";"),
        ("delete-many", "--coords", "1,x"),
        ("range", "--min", "1", "--max", "1,2"),
        ("link", "--from", "1", "--to", "1"),
        ("link", "--from", "1", "--to", "2", "--weight", "-1"),
        ("store-bulk", "--file", "/no/such/file"),
        ("no-such-command",),
        ("stats", "--no-such-option"),
    ],
)
def test_what_cannot_be_understood_ends_with_2_and_one_message(soma: Soma, command: tuple[str, ...]) -> None:
    """(cli defect 5)"""
    done = soma(*command)

    assert (done.code, done.out) == (2, "")
    assert done.err.strip()
    assert "Traceback" not in done.err


def test_a_payload_that_is_no_object_is_refused_by_name(soma: Soma) -> None:
    """(cli defect 5)"""
    done = soma("store", "--coord", "1", "--payload", "[1, 2]")

    assert done.err == """soma: --payload: a JSON object is needed, such as '{"fact": "cats purr"}'\n"""


def test_a_wrong_token_and_a_missing_one_end_with_4(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for token, said in ((None, "SOMA_API_TOKEN_FILE"), ("guessed", "use a token that the API knows")):
        app = world.app()

        def knock(given: Given, token: str | None = token, app: FastAPI = app) -> Client:
            return Client("http://soma", token=token, transport=InProcess(app).__enter__())

        assert run(["stats"], connect=knock) == 4
        assert said in capsys.readouterr().err


def test_a_spent_budget_ends_with_5_and_tells_how_far_it_came(
    world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    soma = soma_over(world, capsys, SOMA_RATE_LIMIT_MAX="1", SOMA_RATE_LIMIT_WINDOW_SECONDS="40")
    file = tmp_path / "two-requests.json"
    file.write_text(json.dumps([{"coord": str(number), "payload": {}} for number in range(1001)]))

    done = soma("store-bulk", "--file", str(file))

    assert (done.code, done.out) == (5, "")
    assert "the first 1000 of 1001 are stored" in done.err
    assert "come back in" in done.err
    assert soma("stats").json["total_memories"] == 1000


def test_stores_that_are_away_end_with_5(world: World, soma: Soma) -> None:
    world.records.away = True

    done = soma("store", "--coord", "1", "--payload", "{}")

    assert (done.code, done.out) == (5, "")
    assert "postgres is unavailable" in done.err
    assert "`soma health`" in done.err


def test_an_index_that_is_away_is_noted_and_the_store_is_ok(world: World, soma: Soma) -> None:
    world.vectors.away = True

    done = soma("store", "--coord", "1", "--payload", '{"fact": "cats purr"}')
    found = soma("recall", "--query", "cats")
    quiet = soma("recall", "--query", "cats", "--quiet")

    assert (done.code, done.out.splitlines()[-1]) == (0, "OK")  # before it, the log of the API
    assert "recall does not know it yet" in done.err
    assert found.code == 0
    assert "cats purr" in found.out
    assert "answered without qdrant" in found.err
    assert quiet.err == ""


def test_no_api_at_the_address_ends_with_5_and_names_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["--url", f"http://127.0.0.1:{free_port()}", "--timeout", "2", "health"])

    err = capsys.readouterr().err
    assert code == 5
    assert "--url" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "url", ["ftp://x", "localhost:9595", "http://", "http://user:secret@host", "http://[::1", "http://h:99999"]
)
def test_an_address_that_is_none_ends_with_2_and_shows_no_password(
    capsys: pytest.CaptureFixture[str], url: str
) -> None:
    code = run(["--url", url, "stats"])

    err = capsys.readouterr().err
    assert code == 2
    assert "secret" not in err
    assert "http://127.0.0.1:9595" in err


def test_quiet_says_nothing_but_what_was_asked_for(soma: Soma) -> None:
    """(cli defect 8)"""
    stored = soma("--quiet", "store", "--coord", "1", "--payload", '{"n": 1}')
    listed = soma("list", "--quiet")

    assert (stored.code, stored.out, stored.err) == (0, "", "")
    assert len(listed.json) == 1


def test_the_version_is_told(soma: Soma) -> None:
    """(cli defect 8)"""
    assert soma("--version").out == soma("version").out
    assert soma("--version").out.startswith("soma 0.")


def test_any_mode_is_replaced_and_never_fatal(soma: Soma, monkeypatch: pytest.MonkeyPatch) -> None:
    """(S-52) (cli defect 3)"""
    given = soma("--mode", "development", "stats")
    monkeypatch.setenv("MEMORY_MODE", "cloud_managed")
    exported = soma("stats")
    right = soma("--mode", "evented_enterprise", "stats")

    assert (given.code, exported.code, right.code) == (0, 0, 0)
    assert "'development' is replaced by evented_enterprise" in given.err
    assert "'cloud_managed' is replaced by evented_enterprise" in exported.err
    assert right.err == ""


def test_namespaces_keep_memories_apart(soma: Soma) -> None:
    soma("--namespace", "a", "store", "--coord", "1", "--payload", "{}")

    assert soma("stats", "--namespace", "a").json["total_memories"] == 1
    assert soma("--namespace", "a", "stats", "--namespace", "b").json["total_memories"] == 0
    assert soma("stats", "--namespace", "no/such").code == 2


def test_exported_variables_are_read_and_a_file_of_them_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """(S-03) (cli defect 2)"""
    monkeypatch.chdir(tmp_path)
    with listening() as (url, seen):
        (tmp_path / ".env").write_text(
            f"SOMA_API_TOKEN=from-a-file\nSOMA_NAMESPACE=from-a-file\nSOMA_API_URL={url}/file\n"
        )
        for name, value in (("API_URL", url), ("API_TOKEN", "exported-token"), ("NAMESPACE", "exported-namespace")):
            monkeypatch.setenv(f"SOMA_{name}", value)
        assert run(["stats"]) == 0

    ((path, headers),) = seen
    assert path == "/stats"
    assert headers["Authorization"] == "Bearer exported-token"
    assert headers["X-Soma-Namespace"] == "exported-namespace"


def test_the_token_comes_from_the_file_that_is_named_first(tmp_path: Path) -> None:
    """(S-64)"""
    given, mounted = tmp_path / "given", tmp_path / "mounted"
    given.write_text("given\nolder\n")
    mounted.write_text("mounted\n")
    environment = {"SOMA_API_TOKEN_FILE": str(mounted), "SOMA_API_TOKEN": "plain, other"}

    assert read_token(given, environment) == "given"
    assert read_token(None, environment) == "mounted"
    assert read_token(None, {"SOMA_API_TOKEN": "plain, other"}) == "plain"
    assert read_token(None, {}) is None
    for wrong in (tmp_path / "none", tmp_path):
        with pytest.raises(ConfigurationError, match="--token-file"):
            read_token(wrong, environment)


def test_no_option_takes_a_token_where_every_process_sees_it(soma: Soma) -> None:
    done = soma("--token", TOKEN, "stats")

    assert done.code == 2
    assert TOKEN not in done.err


def test_what_was_stored_cannot_command_the_terminal(soma: Soma) -> None:
    soma("store", "--coord", "1", "--payload", r'{"fact": "\u001b[2J\u009b1m[red]cats[/red]"}')

    table = soma("get", "--coord", "1", "-o", "table").out
    plain = soma("get", "--coord", "1").out

    assert "[red]cats[/red]" in table
    assert not {"\x1b", "\x9b"} & set(table + plain)
    assert visible("a\x07b\nc") == "a\N{REPLACEMENT CHARACTER}b\nc"


@pytest.mark.parametrize("command", ["", "store", "recall", "import-graph", "serve", "token new", "reconcile"])
def test_help_explains_itself(soma: Soma, command: str) -> None:
    done = soma(*command.split(), "--help")

    assert done.code == 0
    assert "Usage: soma" in done.out


def test_every_command_is_on_a_page(soma: Soma) -> None:
    docs = Path(__file__).parents[4] / "docs"
    page = "".join((docs / name).read_text() for name in ("cli.md", "operations.md"))
    listed = soma("--help").out.partition("Commands:")[2].partition("Examples:")[0]
    names = [line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2:3].strip()]

    assert len(names) > 30
    assert [name for name in names if f"`{name}`" not in page and f"`soma {name}" not in page] == []


def test_every_command_over_http_has_an_example_and_the_shared_options(soma: Soma) -> None:
    listed = soma("--help").out

    for name in ("store", "recall", "neighbors", "stats", "health", "store-bulk", "export-graph"):
        page = soma(name, "--help").out
        assert f"  {name} " in listed
        assert f"soma {name}" in page.partition("Example:")[2]
        assert all(option in page for option in ("--url", "--token-file", "--namespace", "--output", "--quiet"))


@contextmanager
def listening() -> Iterator[tuple[str, list[tuple[str, Message]]]]:
    """Somebody who answers /stats, and remembers what was asked."""
    seen: list[tuple[str, Message]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, self.headers))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"total_memories": 0}')

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()
