"""Everything a deployment consists of, as processes of its own that are killed at random and come back as they were."""

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import httpx

from tests.integration.api.chaosload import Outages
from tests.integration.api.programs import TOKEN, base_environment, eventually, run_once
from tests.services.kafka import KafkaServer
from tests.services.postgres import PostgresServer
from tests.services.qdrant import QdrantEdgeServer
from tests.services.redis import RedisServer
from tests.services.server import free_port

_LIFE_SECONDS = 4.0  # for each life: without any there would be no load, and nothing to be lost


class Mortal(Protocol):
    """Can be killed, and started again on what it left behind."""

    def kill9(self) -> None: ...
    def start(self) -> None: ...


class RestartableProgram:
    """`serve` or `consume` on one port for all its lives."""

    def __init__(self, command: str, environment: dict[str, str], folder: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / f"{command}.log"
        self._command = [sys.executable, "-m", "somafractalmemory", command]
        ports = {"UVICORN_PORT": str(port), "CONSUMER_METRICS_PORT": str(port)}
        self._environment = base_environment() | environment | ports
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and return once it is alive."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self._command, env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        self._process = process

        def lives() -> bool:
            if process.poll() is not None:
                raise RuntimeError(f"it ended with {process.returncode}:\n{self.text[-4000:]}")
            return httpx.get(f"{self.url}/healthz", timeout=5, trust_env=False).status_code == 200

        eventually(lives, seconds=60)

    def kill9(self) -> None:
        """Without a chance to finish anything."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    @property
    def text(self) -> str:
        """Everything it wrote, in all its lives."""
        return self.log.read_text(errors="replace")


class Deployment:
    """All six components."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.postgres, self.redis = stack.enter_context(PostgresServer()), stack.enter_context(RedisServer())
        self.qdrant, self.kafka = stack.enter_context(QdrantEdgeServer()), stack.enter_context(KafkaServer())
        self.environment = {
            "POSTGRES_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "QDRANT_URL": self.qdrant.url,
            "QDRANT_API_KEY": self.qdrant.api_key,
            "QDRANT_COLLECTION": f"chaos_{uuid4().hex[:8]}",
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap,
            "SOMA_API_TOKEN": TOKEN,
            "SOMA_RATE_LIMIT_MAX": "100000000",
        }
        migrated = run_once(self.environment, "migrate")
        assert migrated.returncode == 0, migrated.stderr
        self.api = RestartableProgram("serve", self.environment, folder)
        self.consumer = RestartableProgram("consume", self.environment, folder)
        for program in (self.api, self.consumer):
            stack.callback(program.kill9)
            program.start()

    @property
    def mortals(self) -> dict[str, Mortal]:
        """By name."""
        return {
            "postgres": self.postgres,
            "redis": self.redis,
            "qdrant": self.qdrant,
            "kafka": self.kafka,
            "api": self.api,
            "consumer": self.consumer,
        }


class Reaper:
    """Kills one component after the other, each of them equally often; several may be away at a time."""

    def __init__(self, mortals: dict[str, Mortal], outages: Outages, seed: int) -> None:
        self._mortals = mortals
        self._outages = outages
        self._chance = random.Random(seed)
        self._back = {name: threading.Event() for name in mortals}
        self._due = dict.fromkeys(mortals, 0.0)
        self._threads: list[threading.Thread] = []
        self.kills: Counter[str] = Counter()
        self.failures: list[str] = []
        for event in self._back.values():
            event.set()

    def reap(self, seconds: float, at_least: int) -> None:
        """For this long, and at least this often."""
        ends = time.monotonic() + seconds
        victims = self._victims()
        while (time.monotonic() < ends or self.kills.total() < at_least) and not self.failures:
            time.sleep(self._chance.uniform(0.8, 3.5))
            self._kill(next(victims))
        for thread in self._threads:
            thread.join()

    def _victims(self) -> Iterator[str]:
        while True:
            yield from self._chance.sample(sorted(self._mortals), len(self._mortals))

    def _kill(self, name: str) -> None:
        self._back[name].wait()
        time.sleep(max(0.0, self._due[name] - time.monotonic()))
        self._back[name].clear()
        self._mortals[name].kill9()
        self._outages.begin(name)
        self.kills[name] += 1
        thread = threading.Thread(target=self._revive, args=(name, self._chance.uniform(0.0, 2.0)), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _revive(self, name: str, after: float) -> None:
        time.sleep(after)
        self._outages.end(name)
        try:
            self._mortals[name].start()
        except Exception as error:
            self.failures.append(f"{name} does not come back: {error}")
        finally:
            self._due[name] = time.monotonic() + _LIFE_SECONDS
            self._back[name].set()


@contextmanager
def deployed(folder: Path) -> Iterator[Deployment]:
    """A whole deployment, removed at the end."""
    with ExitStack() as stack:
        yield Deployment(folder, stack)
