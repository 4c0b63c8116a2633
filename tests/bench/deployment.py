"""Private stores and the two programs, as a benchmark needs them."""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg

from tests.bench.cpu import Meter
from tests.integration.api.programs import TOKEN, Program, own_database, run_once, running
from tests.services.kafka import KafkaServer
from tests.services.postgres import PostgresServer
from tests.services.qdrant import QdrantEdgeServer
from tests.services.redis import RedisServer
from tests.services.server import LocalServer

_REST_SECONDS = 6.0  # qdrant-edge forces to the disk every five what was written
_REST_SHARE = 0.12
_GRAPH_FROM, _GRAPH_BEGINS_SECONDS = 50_000, 35.0  # as qdrant-edge looks for collections whose graphs would pay


@dataclass(slots=True)
class Deployment:
    """What a benchmark talks to."""

    environment: dict[str, str]
    stores: dict[str, LocalServer]
    folder: Path
    api: Program | None = None
    consumer: Program | None = None

    @property
    def url(self) -> str:
        """Of the API."""
        assert self.api is not None
        return self.api.url

    def meter(self) -> Meter:
        """Starts to count the processor time of every program."""
        programs = {name: server.pid for name, server in self.stores.items()}
        for name, program in (("api", self.api), ("consumer", self.consumer)):
            if program is not None:
                programs[name] = program.process.pid
        return Meter(programs)

    async def settle(self, seconds: float = 600.0) -> None:
        """Wait until what was stored has gone through outbox and consumer, and the stores rest. Raises AssertionError.

        An index builds its graphs, and Postgres writes its pages, for a while after everything is found already.
        """
        waiting = "select (select count(*) from outbox) + (select count(*) from memories) - count(*) from memory_events"
        deadline = time.monotonic() + seconds
        async with await psycopg.AsyncConnection.connect(self.environment["POSTGRES_URL"], autocommit=True) as postgres:
            while (left := (await (await postgres.execute(waiting)).fetchone() or (0,))[0]) > 0:
                assert time.monotonic() < deadline, f"{left} events are still on their way after {seconds:g} s"
                await asyncio.sleep(0.2)
            ((memories,),) = await (await postgres.execute("select count(*) from memories")).fetchall()
        if memories >= _GRAPH_FROM:
            await asyncio.sleep(_GRAPH_BEGINS_SECONDS)
        while (used := await self._used_meanwhile(_REST_SECONDS)) > _REST_SHARE * _REST_SECONDS:
            assert time.monotonic() < deadline, f"the stores still use {used:.1f} s in {_REST_SECONDS:g}"

    async def _used_meanwhile(self, seconds: float) -> float:
        """Processor seconds of all programs while one waits."""
        meter = self.meter()
        await asyncio.sleep(seconds)
        return meter.per(1)["all"] / 1e6

    @contextmanager
    def consuming(self, **more: str) -> Iterator[Program]:
        """A consumer, for benchmarks that start without one."""
        with running("consume", self.environment | more, self.folder) as consumer:
            self.consumer = consumer
            yield consumer
            self.consumer = None


@contextmanager
def deployed(*, consumer: bool = True) -> Iterator[Deployment]:
    """Fresh stores, the API, and the consumer unless told otherwise; all of it removed at the end."""
    with ExitStack() as stack:
        postgres, redis = stack.enter_context(PostgresServer()), stack.enter_context(RedisServer())
        qdrant, kafka = stack.enter_context(QdrantEdgeServer()), stack.enter_context(KafkaServer())
        environment = {
            "POSTGRES_URL": stack.enter_context(own_database(postgres.url)),
            "REDIS_URL": redis.url,
            "QDRANT_URL": qdrant.url,
            "QDRANT_API_KEY": qdrant.api_key,
            "QDRANT_COLLECTION": f"bench_{uuid4().hex[:8]}",
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
            "SOMA_API_TOKEN": TOKEN,
            "SOMA_RATE_LIMIT_MAX": "100000000",
            "LOG_LEVEL": "WARNING",
        }
        run_once(environment, "migrate").check_returncode()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stores = {"postgres": postgres, "redis": redis, "qdrant": qdrant, "kafka": kafka}
        deployment = Deployment(environment, stores, folder)
        deployment.api = stack.enter_context(running("serve", environment, folder))
        if consumer:
            stack.enter_context(deployment.consuming())
        yield deployment
