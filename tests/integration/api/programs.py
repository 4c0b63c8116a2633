"""The programs as they run in a pod: subprocesses of `python -m somafractalmemory` on private stores."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import httpx
import psycopg
from psycopg import sql

from tests.services.server import free_port

ROOT = Path(__file__).parents[3]
TOKEN = "a-token-for-tests"
Answer = TypeVar("Answer")


def eventually(look: Callable[[], Answer], *, seconds: float = 30.0) -> Answer:
    """The first true answer of `look`; fails after a deadline with the last answer or error."""
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            if answer := look():
                return answer
            last = answer
        except (AssertionError, httpx.HTTPError, psycopg.Error) as error:
            last = error
        time.sleep(0.05)
    raise AssertionError(f"still not so after {seconds:g} s: {last!r}")


class Program:
    """One subcommand with its log."""

    def __init__(
        self, command: str, environment: Mapping[str, str], folder: Path, *, port: int, arguments: tuple[str, ...] = ()
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.grpc_port = int(environment.get("SOMA_GRPC_PORT") or free_port())
        listening = {"SOMA_GRPC_HOST": "127.0.0.1", "SOMA_GRPC_PORT": str(self.grpc_port)}
        self.log = folder / f"{command}-{port}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "somafractalmemory", command, *arguments],
                env=base_environment() | listening | dict(environment),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        self.client = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20.0, trust_env=False
        )

    def wait_until_alive(self) -> None:
        """Until /healthz answers."""

        def lives() -> bool:
            if self.process.poll() is not None:
                raise RuntimeError(f"it ended with {self.process.returncode}:\n{self.text[-4000:]}")
            return self.client.get("/healthz").status_code == 200

        eventually(lives)

    @property
    def text(self) -> str:
        """Everything it wrote."""
        return self.log.read_text(errors="replace")

    def end(self, *, seconds: float = 30.0) -> int:
        """SIGTERM, and how it ended."""
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        finally:
            self.process.kill()
            self.process.wait(5)


@contextmanager
def running(command: str, environment: Mapping[str, str], folder: Path) -> Iterator[Program]:
    """`serve` or `consume` on a free port, ended with SIGTERM."""
    port = free_port()
    ports = {"UVICORN_PORT": str(port), "CONSUMER_METRICS_PORT": str(port)}
    program = Program(command, {**environment, **ports}, folder, port=port)
    try:
        program.wait_until_alive()
        yield program
    finally:
        if program.process.poll() is None:
            program.end()
        program.client.close()


def run_once(environment: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "somafractalmemory", *arguments],
        env=base_environment() | dict(environment),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def base_environment() -> dict[str, str]:
    """What a process needs of ours; nothing that would configure it."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
    return kept | {"PYTHONPATH": str(ROOT / "api_server"), "UVICORN_HOST": "127.0.0.1", "PYTHONUNBUFFERED": "1"}


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """An empty database on this server, dropped at the end."""
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    parts = urlsplit(url)
    try:
        yield urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, ""))
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@dataclass(slots=True)
class Stack:
    """Both programs on stores of their own."""

    environment: dict[str, str]
    postgres_url: str
    api: Program
    consumer: Program
    coordinates: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000_000)))

    @property
    def http(self) -> httpx.Client:
        """A client with the right token."""
        return self.api.client

    def place(self) -> str:
        """A coordinate nobody else uses."""
        return f"{next(self.coordinates)},0.5"

    def store(self, coord: str, **payload: object) -> httpx.Response:
        """POST /store."""
        return self.http.post("/store", json={"coord": coord, "payload": payload})

    def recall(self, query: str, **more: object) -> httpx.Response:
        """POST /recall."""
        return self.http.post("/recall", json={"query": query, **more})

    def rows(self, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        """Ask the truth directly."""
        with psycopg.connect(self.postgres_url, connect_timeout=3) as connection:
            return connection.execute(statement.encode(), parameters).fetchall()

    def components(self) -> dict[str, bool]:
        """What /readyz says of each store."""
        return {name: part["ok"] for name, part in self.http.get("/readyz").json()["components"].items()}
