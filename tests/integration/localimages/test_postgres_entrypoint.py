"""The Postgres image's entrypoint, run with the host's Postgres: what the official image promises, and a kill more."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.services.fixtures import skip_without
from tests.services.postgres import postgres_program
from tests.services.server import end_with_children, free_port

ENTRYPOINT = Path(__file__).parents[3] / "kind/images/postgres/docker-entrypoint.sh"
DEADLINE_SECONDS = 60.0


class Container:
    """The entrypoint as a pod runs it: not as root, on a volume with a folder of the file system's own."""

    def __init__(self, folder: Path) -> None:
        self.volume = folder / "volume"
        (self.volume / "lost+found").mkdir(parents=True)
        (folder / "password").write_text("from-a-file")
        self.port = free_port()
        self.started: list[subprocess.Popen[bytes]] = []
        self._folder = folder
        self._user = "postgres" if os.geteuid() == 0 else None
        for path in (folder, self.volume, folder / "password"):
            if self._user:
                shutil.chown(path, self._user)

    @property
    def data(self) -> Path:
        return self.volume / "pgdata"

    def start(self) -> subprocess.Popen[bytes]:
        programs = str(Path(postgres_program("postgres") or "").parent)
        environment = {
            "PATH": f"{programs}:/usr/bin:/bin",
            "TMPDIR": str(self._folder),
            "POSTGRES_USER": "soma",
            "POSTGRES_DB": "somamemory",
            "POSTGRES_PASSWORD_FILE": str(self._folder / "password"),
            "PGDATA": str(self.data),
        }
        settings = ["-c", f"port={self.port}", "-c", f"unix_socket_directories={self._folder}"]
        process = subprocess.Popen(
            ["sh", str(ENTRYPOINT), "postgres", *settings],
            env=environment,
            cwd=self._folder,
            user=self._user,
            group=self._user,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.started.append(process)
        return process

    def ask(self, question: str) -> object:
        """The first answer to `question`, as soon as the server gives one."""
        address = f"postgresql://soma:from-a-file@127.0.0.1:{self.port}/somamemory"
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            try:
                with psycopg.connect(address, connect_timeout=5) as connection:
                    answer = connection.execute(question.encode())
                    row = answer.fetchone() if answer.description else None
                    return row[0] if row else None
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


def until(there: Path) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not there.exists():
        assert time.monotonic() < deadline, f"{there} did not appear"
        time.sleep(0.002)


def written_pid(file: Path) -> int:
    """The process that a server writes into its file; it may have made the file and not written yet."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (words := file.read_text().split()):
        assert time.monotonic() < deadline, f"{file} stays empty"
        time.sleep(0.002)
    return int(words[0])


@pytest.fixture
def container() -> Iterator[Container]:
    skip_without("postgres")
    with tempfile.TemporaryDirectory(prefix="somamemory-entrypoint-") as folder:
        made = Container(Path(folder))
        yield made
        for process in made.started:
            if process.poll() is None:
                end_with_children(process.pid, seconds=DEADLINE_SECONDS)
                process.wait(DEADLINE_SECONDS)


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    process.wait(DEADLINE_SECONDS)


def test_an_empty_volume_becomes_a_database_with_its_user_and_password(container: Container) -> None:
    process = container.start()
    database = container.ask("select current_database()")
    stop(process)

    assert database == "somamemory"
    assert not (container.data / ".unfinished").exists()


def test_data_is_kept_over_a_restart(container: Container) -> None:
    process = container.start()
    container.ask("create table kept as select 42 as n")
    stop(process)
    process = container.start()
    kept = container.ask("select n from kept")
    stop(process)

    assert kept == 42


@pytest.mark.parametrize("half_way", [".unfinished/base", ".unfinished/postgresql.conf", ".unfinished/postmaster.pid"])
def test_a_start_that_was_killed_half_way_is_begun_again(container: Container, half_way: str) -> None:
    # Given a first start that is killed while it makes the cluster
    process = container.start()
    until(container.data / half_way)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(DEADLINE_SECONDS)
    if (left := container.data / ".unfinished/postmaster.pid").exists():  # it left the group; a pod would end it, too
        end_with_children(written_pid(left), seconds=DEADLINE_SECONDS)

    # When it starts again
    process = container.start()
    database = container.ask("select current_database()")
    stop(process)

    # Then it ends as if nothing had happened
    assert database == "somamemory"


def test_files_of_somebody_else_are_left_alone(container: Container) -> None:
    container.data.mkdir()
    (container.data / "precious").write_text("kept")
    if os.geteuid() == 0:
        shutil.chown(container.data, "postgres")

    process = container.start()

    assert process.wait(DEADLINE_SECONDS) == 1
    assert (container.data / "precious").read_text() == "kept"
