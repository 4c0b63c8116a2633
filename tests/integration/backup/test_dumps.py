"""The script of the backup's pod, run as the pod runs it, on a real Postgres."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from somamemory_operator.model.observed import Obj
from tests.integration.backup.pods import Database, run
from tests.integration.backup.pods import database as a_database


@pytest.fixture
def database(postgres_url: str, tmp_path: Path) -> Iterator[Database]:
    """Migrated, with one memory."""
    with a_database(postgres_url, tmp_path) as database:
        database.migrate()
        database.remember("trains")
        yield database


def backup(database: Database, **changed: str) -> "subprocess.CompletedProcess[str]":
    return run(database, {"backup": {"keep": 2}}, "CronJob", "backup", **changed)


def dumps(database: Database) -> list[str]:
    return sorted(path.name for path in database.dumps.iterdir())


def test_a_dump_holds_the_memories(database: Database) -> None:
    """(X-10)"""
    done = backup(database)

    [name] = dumps(database)
    assert done.returncode == 0, done.stderr
    assert f"bytes to {name}" in done.stdout
    listed = subprocess.run(["pg_restore", "-l", database.dumps / name], capture_output=True, text=True, check=True)
    assert "TABLE DATA public memories" in listed.stdout


def test_only_the_newest_are_kept_and_those_of_others_left_alone(database: Database) -> None:
    """(X-10)"""
    old = [f"demo-2026010{day}T020000Z.dump" for day in (1, 2, 3)]
    others = ["demo-2-20260101T020000Z.dump", "notes.txt", "xdemo-20260101T020000Z.dump"]
    for name in (*old, *others):
        (database.dumps / name).write_text("")

    done = backup(database)

    made = set(dumps(database)) - {*old, *others}
    assert done.returncode == 0, done.stderr
    assert len(made) == 1
    assert set(dumps(database)) == {*others, *made, old[-1]}


def test_nothing_is_removed_while_a_dump_is_to_be_brought_back(database: Database) -> None:
    """Not the one that is named, nor any other that the person may turn to next."""
    old = [f"demo-2026010{day}T020000Z.dump" for day in (1, 2, 3)]
    for name in old:
        (database.dumps / name).write_text("")
    spec: Obj = {"backup": {"keep": 2}, "restore": {"from": old[0]}}

    done = run(database, spec, "CronJob", "backup")

    assert done.returncode == 0, done.stderr
    assert set(old) < set(dumps(database))
    assert f"nothing is removed while {old[0]} is to be brought back" in done.stdout


def test_a_dump_that_fails_leaves_nothing_behind(database: Database) -> None:
    """(X-10)"""
    done = backup(database, PGDATABASE="nowhere")

    assert done.returncode != 0
    assert dumps(database) == []
    assert 'database "nowhere" does not exist' in done.stderr


def test_a_wrong_password_is_an_error_and_no_question(database: Database) -> None:
    """(X-10)"""
    database.password.write_text("wrong")

    done = backup(database)

    assert done.returncode != 0
    assert dumps(database) == []
    assert "password authentication failed" in done.stderr
