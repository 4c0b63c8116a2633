"""Bearer tokens: kept as digests, limited by a file, rotated without a restart."""

import hmac
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from somafractalmemory.cli.app import app
from somafractalmemory.errors import ConfigurationError, Forbidden, InvalidRequest
from somafractalmemory.security.callers import Caller, Scope
from somafractalmemory.security.tokenfile import Entry, digest_of, line_of, new_token, read_entries
from somafractalmemory.security.tokens import Tokens


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def entry(**changes: object) -> str:
    """A file of one token, `t`, in JSON."""
    fields = {"name": "app", "sha256": digest_of("t").hex(), "scopes": ["read"], **changes}
    return Entry.model_validate(fields).model_dump_json(exclude_none=True)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    file, clock = tmp_path / "tokens", Clock()
    file.write_text("old\n")
    tokens = Tokens(file=file, clock=clock)
    tokens.identify("Bearer old")

    file.write_text("old\nnew\n")
    clock.seconds = 10.0
    tokens.identify("Bearer new")
    tokens.identify("Bearer old")

    file.write_text("new\n")
    clock.seconds = 20.0
    with pytest.raises(Forbidden):
        tokens.identify("Bearer old")


@pytest.mark.parametrize("damage", ["gone", "", "\udcff"])
def test_a_damaged_file_keeps_the_tokens_we_knew(tmp_path: Path, damage: str) -> None:
    file, clock = tmp_path / "tokens", Clock()
    file.write_text("token")
    tokens = Tokens(file=file, clock=clock)

    file.unlink() if damage == "gone" else file.write_text(damage, errors="surrogateescape")
    clock.seconds = 10.0

    assert tokens.identify("Bearer token")


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "tokens: []",
        "tokens: [",
        "just words",
        f"[{{'name': 'app', 'sha256': '{digest_of('t').hex()}', 'scopes': ['all']}}]",
        f"[{{'name': 'app', 'sha256': '{digest_of('t').hex()}', 'scopes': ['read'], 'namespace': 'x'}}]",
    ],
)
def test_a_broken_structured_file_never_leaves_fewer_tokens(tmp_path: Path, damage: str) -> None:
    file, clock = tmp_path / "tokens.yaml", Clock()
    file.write_text(f"tokens: [{entry()}]")
    tokens = Tokens(structured_file=file, clock=clock)

    file.write_text(damage)
    clock.seconds = 10.0
    assert tokens.identify("Bearer t") == Caller("app", frozenset({Scope.READ}))

    file.write_text(f"[{entry(name='mended')}]")
    clock.seconds = 20.0
    assert tokens.identify("Bearer t").name == "mended"


def test_a_file_in_json_says_who_may_do_what_and_where(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    file.write_text(f'{{"tokens": [{entry(scopes=["read", "admin"], namespaces=["a", "b"])}]}}')

    caller = Tokens(text="plain", structured_file=file).identify("Bearer t")

    assert caller == Caller("app", frozenset({Scope.READ, Scope.ADMIN}), ("a", "b"))


def test_both_kinds_of_files_and_their_tokens_live_side_by_side(tmp_path: Path) -> None:
    plain, structured = tmp_path / "plain", tmp_path / "tokens.yaml"
    plain.write_text("one\ntwo")
    structured.write_text(f"tokens: [{entry()}]")

    tokens = Tokens(file=plain, structured_file=structured)

    assert [tokens.identify(f"Bearer {token}").scopes for token in ("one", "two", "t")] == [
        frozenset(Scope),
        frozenset(Scope),
        frozenset({Scope.READ}),
    ]


def test_an_expired_token_is_refused_and_told_why(tmp_path: Path) -> None:
    file, now = tmp_path / "tokens.yaml", Clock()
    file.write_text(f"tokens: [{entry(expires='1970-01-01T00:01:40')}]")  # without a zone: UTC
    tokens = Tokens(structured_file=file, now=now)

    now.seconds = 99.0
    assert tokens.identify("Bearer t")
    now.seconds = 100.0
    with pytest.raises(Forbidden, match="expired"):
        tokens.identify("Bearer t")


def test_every_token_is_compared_whole_whichever_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time tells nothing: digests of one length, all of them, in constant time. (http defect 12)"""
    compared: list[tuple[int, int]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    tokens = Tokens(text="first, second, third")
    for token in ("first", "third", "wrong", ""):
        compared.clear()
        assert (tokens.find(token) is not None) is (token in {"first", "third"})
        assert compared == [(32, 32)] * 3


def test_without_any_token_there_is_no_start(tmp_path: Path) -> None:
    """(S-62)"""
    for arguments in ({"text": " ,\n"}, {"file": tmp_path / "missing"}, {"structured_file": tmp_path / "missing"}):
        with pytest.raises(ConfigurationError, match="SOMA_API_TOKEN"):
            Tokens(**arguments)


def test_every_wrong_entry_is_named_and_no_digest_repeated() -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_entries("tokens: [{name: a b, sha256: abc, scopes: []}, {name: ok}]", "file")

    for place in ("0.name", "0.sha256", "0.scopes", "1.sha256", "1.scopes"):
        assert place in str(raised.value)
    assert "abc" not in str(raised.value)


def test_a_digest_of_digits_only_stays_a_digest() -> None:
    (known,) = read_entries(f"[{{name: yes, sha256: {'12' * 32}, scopes: [read]}}]", "file")

    assert (known.caller.name, known.digest) == ("yes", bytes.fromhex("12" * 32))


def test_callers_are_told_apart_without_their_token() -> None:
    tokens = Tokens(text="one,two")

    assert tokens.identify("Bearer one") != tokens.identify("Bearer two")
    assert "one" not in tokens.identify("Bearer one").name


def test_the_tokens_themselves_are_nowhere_in_memory_of_ours() -> None:
    tokens = Tokens(text="a-very-secret-token")

    assert "a-very-secret-token" not in repr(tokens._known)


def test_a_new_token_is_accepted_by_the_line_printed_with_it(tmp_path: Path) -> None:
    expires = datetime(2099, 1, 1, tzinfo=UTC)
    token, made = new_token(name="app", scopes=[Scope.WRITE, Scope.READ], namespaces=["a:1"], expires=expires)
    file = tmp_path / "tokens.yaml"
    file.write_text(f"tokens:\n{line_of(made)}\n")

    caller = Tokens(structured_file=file).identify(f"Bearer {token}")

    assert caller == Caller("app", frozenset({Scope.READ, Scope.WRITE}), ("a:1",))
    assert token not in file.read_text()
    assert len({new_token(name="app", scopes=[Scope.READ])[0] for _ in range(50)}) == 50


@pytest.mark.parametrize("wrong", [{"name": "a b"}, {"scopes": []}, {"namespaces": ["a b"]}])
def test_no_token_is_made_that_its_own_file_would_refuse(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        new_token(**{"name": "app", "scopes": [Scope.READ], **wrong})  # type: ignore[arg-type]


def test_the_command_prints_the_line_and_the_token_once(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["token", "new", "--name", "app", "--scopes", "read", "--namespaces", "a, b"])

    assert done.exit_code == 0
    line, token = done.stdout.split("\n\n") if "\n\n" in done.stdout else done.stdout.strip().splitlines()
    file = tmp_path / "tokens.yaml"
    file.write_text(f"tokens:\n{line}\n")
    caller = Tokens(structured_file=file).identify(f"Bearer {token.strip()}")
    assert caller == Caller("app", frozenset({Scope.READ}), ("a", "b"))
    assert done.output.count(token.strip()) == 1


def test_the_command_says_which_scopes_there_are() -> None:
    done = CliRunner().invoke(app, ["token", "new", "--name", "app", "--scopes", "root"])

    assert done.exit_code == 2
    assert "read, write and admin" in done.output
