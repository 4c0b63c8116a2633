"""The operator's pods of backup and restore as processes of this machine, on a database of their own."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import psycopg

from somamemory_operator.decide.credentials import credentials
from somamemory_operator.manifests import build
from somamemory_operator.manifests.parts.pods import CREDENTIALS_FOLDER
from somamemory_operator.manifests.recovery.backup import FOLDER
from somamemory_operator.model.observed import Obj, World
from tests.integration.api.programs import base_environment, own_database, run_once
from tests.unit.operator.fakes import SETTINGS, made, memory

REMEMBER = """
    insert into memories (id, namespace, coordinate, memory_type, payload, search_text, importance, version,
                          created_at, updated_at)
    values (%s, 'api_ns', '{1,2}', 'semantic', '{}', %s, 1, 1, 1, 1)
"""


@dataclass(frozen=True)
class Database:
    """A database that nobody else uses, the volume of its dumps, and the file with its password."""

    url: str
    dumps: Path
    password: Path

    def migrate(self) -> None:
        """Bring it to this release."""
        done = run_once({"POSTGRES_URL": self.url}, "migrate")
        assert done.returncode == 0, done.stderr

    def remember(self, words: str) -> None:
        """Store something."""
        with psycopg.connect(self.url) as connection:
            connection.execute(REMEMBER, (uuid4(), words))

    def memories(self) -> list[str]:
        """What is stored."""
        with psycopg.connect(self.url) as connection:
            return [words for (words,) in connection.execute("select search_text from memories order by search_text")]


@contextmanager
def database(postgres_url: str, folder: Path) -> Iterator[Database]:
    """A new and empty one, with folders below `folder`."""
    with own_database(postgres_url) as url:
        made = Database(url, folder / "dumps", folder / "password")
        made.dumps.mkdir()
        made.password.write_text(unquote(urlsplit(url).password or ""))
        yield made


def run(database: Database, spec: Obj, kind: str, component: str, **changed: str) -> "subprocess.CompletedProcess[str]":
    """Run the container of that workload to its end: its command and variables, with the places of this machine."""
    container = container_of(spec, kind, component)
    url = urlsplit(database.url)
    places = {
        "PGHOST": str(url.hostname),
        "PGPORT": str(url.port),
        "PGUSER": str(url.username),
        "PGDATABASE": url.path.removeprefix("/"),
        "PASSWORD_FILE": str(database.password),
    }
    given = {each["name"]: each["value"].replace(FOLDER, str(database.dumps)) for each in container["env"]}
    assert places.keys() <= given.keys(), "the pod says where the database is"
    assert given["PASSWORD_FILE"].startswith(CREDENTIALS_FOLDER)
    environment = base_environment() | given | places | changed
    return subprocess.run(
        container["command"], env=environment, capture_output=True, text=True, timeout=60, check=False, cwd="/"
    )


def container_of(spec: Obj, kind: str, component: str) -> dict[str, Any]:
    """The one container of that workload."""
    about, world = memory(spec), World()
    wanted = [each.obj for each in build(about, SETTINGS, world, credentials(world, about, made))]
    [obj] = [
        obj
        for obj in wanted
        if obj["kind"] == kind and obj["metadata"]["labels"]["app.kubernetes.io/component"] == component
    ]
    template = (obj["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else obj["spec"])["template"]
    [container] = template["spec"]["containers"]
    found: dict[str, Any] = container
    return found
