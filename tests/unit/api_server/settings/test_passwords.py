"""A password that changes in its file: the newest first, the one before it as long as it is what is taken."""

from pathlib import Path

import pytest

from somafractalmemory.settings import load_settings
from somafractalmemory.settings.clients import password_of
from somafractalmemory.settings.passwords import Password


class Clock:
    """Moves when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def files(folder: Path, newest: str, previous: str | None = None) -> Path:
    file = folder / "POSTGRES_PASSWORD"
    file.write_text(f"{newest}\n")
    if previous is not None:
        (folder / "POSTGRES_PASSWORD_PREVIOUS").write_text(previous)
    return file


def test_without_a_file_there_is_one(clock: Clock) -> None:
    assert Password("postgres", "fixed", clock=clock).candidates() == ("fixed",)


def test_the_newest_comes_before_the_one_of_before(tmp_path: Path, clock: Clock) -> None:
    password = Password("postgres", "b", files(tmp_path, "b", "a"), clock=clock)

    assert password.candidates() == ("b", "a")
    assert password.newest == "b"


def test_equal_ones_are_one(tmp_path: Path, clock: Clock) -> None:
    assert Password("postgres", "a", files(tmp_path, "a", "a"), clock=clock).candidates() == ("a",)


def test_what_was_taken_is_tried_first_until_it_is_gone(tmp_path: Path, clock: Clock) -> None:
    password = Password("postgres", "b", files(tmp_path, "b", "a"), clock=clock)
    password.taken("a")
    assert password.candidates() == ("a", "b")
    password.taken("b")
    assert password.candidates() == ("b", "a")

    password.taken("a")
    files(tmp_path, "c-c", "b")
    clock.now += 2
    assert password.candidates() == ("c-c", "b")


@pytest.mark.parametrize("left", ["", "  \n", None])
def test_an_empty_or_vanished_file_changes_nothing(tmp_path: Path, clock: Clock, left: str | None) -> None:
    file = files(tmp_path, "b", "a")
    password = Password("postgres", "b", file, clock=clock)
    password.candidates()

    file.unlink()
    if left is not None:
        file.write_text(left)
    clock.now += 2

    assert password.candidates() == ("b", "a")


def test_it_is_not_read_for_every_connection(tmp_path: Path, clock: Clock) -> None:
    password = Password("postgres", "a", files(tmp_path, "a"), clock=clock)
    password.candidates()
    files(tmp_path, "other")

    clock.now += 0.5
    assert password.candidates() == ("a",)
    clock.now += 0.6
    assert password.candidates() == ("other",)


def test_a_link_that_turns_to_another_folder_is_noticed(tmp_path: Path, clock: Clock) -> None:
    """As the kubelet does it: one link turns, and all files are others at once."""
    for name, value in (("one", "aaa"), ("two", "bbb")):
        (tmp_path / name).mkdir()
        files(tmp_path / name, value)
    (tmp_path / "data").symlink_to("one")
    password = Password("postgres", "aaa", tmp_path / "data" / "POSTGRES_PASSWORD", clock=clock)
    password.candidates()

    (tmp_path / "new").symlink_to("two")
    (tmp_path / "new").rename(tmp_path / "data")
    clock.now += 2

    assert password.candidates() == ("bbb",)


def test_after_one_that_is_refused_comes_each_other_in_its_turn(tmp_path: Path) -> None:
    both = Password("kafka", "new", files(tmp_path, "new", "old"))

    assert both.after("new") == "old"
    assert both.after("old") == "new"
    assert both.after("from before the file changed") == "new"
    assert Password("kafka", "only").after("only") is None


def test_nothing_of_it_is_shown(tmp_path: Path) -> None:
    password = Password("postgres", "a-secret", files(tmp_path, "b-secret", "c-secret"))
    password.candidates()

    assert "secret" not in f"{password!r} {password}"


def test_settings_remember_the_file_that_a_password_came_from(tmp_path: Path) -> None:
    file = files(tmp_path, "b", "a")

    from_file = password_of(load_settings({"POSTGRES_PASSWORD_FILE": str(file)}), "postgres")
    plain = password_of(load_settings({"POSTGRES_PASSWORD": "plain"}), "postgres")
    both = {"POSTGRES_PASSWORD_FILE": str(file)}
    explicit = password_of(load_settings(both, explicit={"postgres": {"password": "explicit"}}), "postgres")

    assert from_file is not None
    assert from_file.candidates() == ("b", "a")
    assert plain is not None
    assert plain.candidates() == ("plain",)
    assert explicit is not None
    assert explicit.candidates() == ("explicit",)
    assert password_of(load_settings({}), "postgres") is None
