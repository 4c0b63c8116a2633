"""The scripts of backup and restore on a real Postgres: what comes back, what is refused, what stays as it was."""

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from somamemory_operator.model.observed import Obj
from tests.integration.api.programs import eventually, run_once
from tests.integration.backup.pods import Database, container_of, run
from tests.integration.backup.pods import database as a_database
from tests.services.qdrant import QdrantEdgeServer


@pytest.fixture
def database(postgres_url: str, tmp_path: Path) -> Iterator[Database]:
    """Migrated, with one memory and a dump of it."""
    with a_database(postgres_url, tmp_path) as database:
        database.migrate()
        database.remember("trains")
        done = run(database, {"backup": {}}, "CronJob", "backup")
        assert done.returncode == 0, done.stderr
        yield database


def dump_of(database: Database) -> str:
    [name] = [path.name for path in database.dumps.iterdir()]
    return name


def restore(database: Database, name: str, **restore: object) -> "subprocess.CompletedProcess[str]":
    spec = {"backup": {}, "restore": {"from": name, **restore}}
    return run(database, spec, "Job", "restore")


def test_memories_come_back_and_those_made_later_go(database: Database) -> None:
    """And what comes back is a whole database of this release (X-10)."""
    database.remember("planes")

    done = restore(database, dump_of(database), replaceExisting=True)

    assert done.returncode == 0, done.stderr
    assert database.memories() == ["trains"]
    database.migrate()
    database.remember("boats")
    assert database.memories() == ["boats", "trains"]


def test_requests_are_confined_to_their_namespaces_as_before(database: Database) -> None:
    """Roles, grants and policies come back, too (X-10)."""
    restore(database, dump_of(database), replaceExisting=True)

    with psycopg.connect(database.url) as connection:
        connection.execute("set local role somamemory_request")
        connection.execute("set local soma.namespaces = 'somebody_else'")
        others = connection.execute("select count(*) from memories").fetchone()
        connection.execute("set local soma.namespaces = 'api_ns'")
        own = connection.execute("select count(*) from memories").fetchone()

    assert (others, own) == ((0,), (1,))


def test_a_database_that_holds_memories_is_left_alone_unless_asked(database: Database) -> None:
    """(X-10)"""
    database.remember("planes")

    done = restore(database, dump_of(database))

    assert done.returncode == 66
    assert "spec.restore.replaceExisting" in done.stderr
    assert database.memories() == ["planes", "trains"]


def test_a_new_database_starts_with_a_dump(postgres_url: str, database: Database, tmp_path: Path) -> None:
    """(X-10)"""
    (tmp_path / "new").mkdir()
    with a_database(postgres_url, tmp_path / "new") as new:
        new.migrate()
        (new.dumps / "old.dump").write_bytes((database.dumps / dump_of(database)).read_bytes())

        done = restore(new, "old.dump")

        assert done.returncode == 0, done.stderr
        assert new.memories() == ["trains"]


def test_a_second_run_changes_nothing(database: Database) -> None:
    """Whatever has become of the Job and of the Deployments, memories made since are safe (X-10)."""
    name = dump_of(database)
    assert restore(database, name, replaceExisting=True).returncode == 0
    database.remember("made since")

    again = restore(database, name, replaceExisting=True)

    assert (again.returncode, "restored before" in again.stdout) == (0, True)
    assert database.memories() == ["made since", "trains"]
    assert restore(database, name, replaceExisting=True, run=2).returncode == 0
    assert database.memories() == ["trains"]


def test_a_pod_that_is_late_does_not_undo_what_another_one_has_brought_back(database: Database) -> None:
    """It was told to go, but has looked before and waits for its turn."""
    with ThreadPoolExecutor(1) as late, psycopg.connect(database.url) as other:
        other.execute("select pg_advisory_xact_lock(hashtext('somamemory restore'))")
        running = late.submit(restore, database, dump_of(database), replaceExisting=True)
        eventually(lambda: waits_for_a_lock(database))
        other.execute(f"comment on database {other.info.dbname} is 'newer.dump #1'")
        other.execute("update memories set search_text = 'of the newer dump'")
        other.commit()
        done = running.result(60)

    assert done.returncode == 67, done.stderr
    assert "newer.dump #1" in done.stderr
    assert database.memories() == ["of the newer dump"]


def test_two_pods_of_the_same_restore_are_as_good_as_one(database: Database) -> None:
    """A Job may have two for a while: memories made after the first are safe from the second (X-10)."""
    name = dump_of(database)
    with ThreadPoolExecutor(1) as late, psycopg.connect(database.url) as other:
        other.execute("select pg_advisory_xact_lock(hashtext('somamemory restore'))")
        running = late.submit(restore, database, name, replaceExisting=True)
        eventually(lambda: waits_for_a_lock(database))
        other.execute(f"comment on database {other.info.dbname} is '{name} #1'")
        other.execute("update memories set search_text = 'made since'")
        other.commit()
        done = running.result(60)

    assert done.returncode == 0, done.stderr
    assert database.memories() == ["made since"]


def waits_for_a_lock(database: Database) -> bool:
    with psycopg.connect(database.url) as connection:
        found = connection.execute("select exists (select from pg_locks where not granted and locktype = 'advisory')")
        return bool((found.fetchone() or (False,))[0])


def test_a_restored_database_can_be_dumped_and_restored_again(database: Database) -> None:
    """(X-10)"""
    (database.dumps / dump_of(database)).rename(database.dumps / "first.dump")
    assert restore(database, "first.dump", replaceExisting=True).returncode == 0
    assert run(database, {"backup": {}}, "CronJob", "backup").returncode == 0
    [second] = [path.name for path in database.dumps.iterdir() if path.name != "first.dump"]
    database.remember("planes")

    done = restore(database, second, replaceExisting=True)

    assert done.returncode == 0, done.stderr
    assert database.memories() == ["trains"]


def test_a_dump_that_is_not_there_is_named_with_those_that_are(database: Database) -> None:
    """(X-10)"""
    done = restore(database, "missing.dump", replaceExisting=True)

    assert done.returncode == 64
    assert f"There is no dump missing.dump. There are: {dump_of(database)}" in done.stderr


@pytest.mark.parametrize(("kept", "code"), [(0.02, 65), (0.9, 1)])
def test_a_damaged_dump_leaves_everything_as_it_was(database: Database, kept: float, code: int) -> None:
    """Also one whose damage shows only when half of it has been brought back (X-10)."""
    for number in range(300):
        database.remember(f"planes {number} " + "x" * 200)
    (database.dumps / dump_of(database)).unlink()
    assert run(database, {"backup": {}}, "CronJob", "backup").returncode == 0
    whole = (database.dumps / dump_of(database)).read_bytes()
    (database.dumps / "damaged.dump").write_bytes(whole[: int(len(whole) * kept)])
    before = database.memories()

    done = restore(database, "damaged.dump", replaceExisting=True)

    assert done.returncode == code, done.stderr
    assert "as it was" in done.stderr or "damaged" in done.stderr
    assert database.memories() == before


def test_progress_of_long_tasks_is_forgotten(database: Database) -> None:
    """It is about an index that will be made anew (X-10)."""
    (database.dumps / dump_of(database)).unlink()
    with psycopg.connect(database.url) as connection:
        connection.execute("insert into long_tasks (task, progress) values ('reconcile:*:rewrite', '{}')")
    assert run(database, {"backup": {}}, "CronJob", "backup").returncode == 0

    assert restore(database, dump_of(database), replaceExisting=True).returncode == 0

    with psycopg.connect(database.url) as connection:
        assert connection.execute("select count(*) from long_tasks").fetchone() == (0,)


def test_the_index_is_equal_to_what_was_brought_back(database: Database, qdrant_server: QdrantEdgeServer) -> None:
    """The command of the Job that follows; an index that knows nothing yet, and one that knows too much (X-10)."""
    stores = {
        "POSTGRES_URL": database.url,
        "QDRANT_URL": qdrant_server.url,
        "QDRANT_API_KEY": qdrant_server.api_key,
        "QDRANT_COLLECTION": f"test_{uuid4().hex[:8]}",
    }
    spec: Obj = {"backup": {}, "restore": {"from": dump_of(database), "replaceExisting": True}}
    program, *arguments = container_of(spec, "Job", "reindex")["command"]
    assert program == "soma"
    database.remember("planes")
    for remembered in (2, 1):
        done = run_once(stores, *arguments)

        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["memories"] == remembered
        assert run_once(stores, "reconcile", "--check").returncode == 0
        restore(database, dump_of(database), replaceExisting=True)


def test_the_documented_way_by_hand_works(database: Database) -> None:
    """docs/operations.md, Restore (X-10)."""
    database.remember("planes")
    options = ["--clean", "--if-exists", "--single-transaction", "-d", database.url]

    done = subprocess.run(
        ["pg_restore", *options, database.dumps / dump_of(database)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert database.memories() == ["trains"]
