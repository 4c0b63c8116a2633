"""Bearer tokens rotate without a restart."""

from pathlib import Path

import pytest

from somafractalmemory.errors import ConfigurationError, Forbidden
from somafractalmemory.tokens import Tokens


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    file, now = tmp_path / "tokens", [0.0]
    file.write_text("old\n")
    tokens = Tokens(file=file, clock=lambda: now[0])
    tokens.identify("Bearer old")

    file.write_text("old\nnew\n")
    now[0] = 10.0
    tokens.identify("Bearer new")
    tokens.identify("Bearer old")

    file.write_text("new\n")
    now[0] = 20.0
    with pytest.raises(Forbidden):
        tokens.identify("Bearer old")


@pytest.mark.parametrize("damage", ["gone", "empty"])
def test_a_damaged_file_keeps_the_tokens_we_knew(tmp_path: Path, damage: str) -> None:
    file, now = tmp_path / "tokens", [0.0]
    file.write_text("token")
    tokens = Tokens(file=file, clock=lambda: now[0])

    file.unlink() if damage == "gone" else file.write_text("")
    now[0] = 10.0

    assert tokens.identify("Bearer token")


def test_without_any_token_there_is_no_start(tmp_path: Path) -> None:
    for arguments in ({"text": " ,\n"}, {"file": tmp_path / "missing"}):
        with pytest.raises(ConfigurationError, match="SOMA_API_TOKEN"):
            Tokens(**arguments)


def test_callers_are_told_apart_without_their_token() -> None:
    tokens = Tokens(text="one,two")

    assert tokens.identify("Bearer one") != tokens.identify("Bearer two")
    assert "one" not in tokens.identify("Bearer one").name
