"""The whole API over stores in this process, each of which a test can take away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import FastAPI

from somafractalmemory.adapters.embedding import HashEmbedder
from somafractalmemory.adapters.local import LocalLimiter, LocalRecords, LocalVectors
from somafractalmemory.adapters.local_locks import LocalLocks
from somafractalmemory.httpface.app import create_app
from somafractalmemory.indexing.points import Indexer
from somafractalmemory.model.ranking import Weights
from somafractalmemory.security.admission import Admission
from somafractalmemory.security.tokens import Tokens
from somafractalmemory.service import MemoryService
from somafractalmemory.settings import Settings
from somafractalmemory.usecases.health import Health
from somafractalmemory.usecases.locking import Locking
from somafractalmemory.wiring import ApiRuntime, rules_of

TOKEN = "a-token-for-tests"


@dataclass
class World:
    """The stores, and an API over them."""

    records: LocalRecords = field(default_factory=LocalRecords)
    vectors: LocalVectors = field(default_factory=LocalVectors)
    embedder: HashEmbedder = field(default_factory=lambda: HashEmbedder(256))

    @property
    def indexer(self) -> Indexer:
        """The consumer's hand on the index."""
        return Indexer(records=self.records, vectors=self.vectors, embedder=self.embedder, clock=lambda: 1000.0)

    @asynccontextmanager
    async def runtime(self, settings: Settings) -> AsyncIterator[ApiRuntime]:
        """What the lifespan opens."""
        limiter = None
        if settings.limits_requests:
            limiter = LocalLimiter(limit=settings.rate_limit_max, window_seconds=settings.rate_limit_window_seconds)
        health = Health(
            required={"postgres": self.records}, optional={"qdrant": self.vectors}, fresh_seconds=0, timeout_seconds=0.2
        )
        async with MemoryService(
            records=self.records,
            vectors=self.vectors,
            embedder=self.embedder,
            weights=Weights(),
            rules=rules_of(settings),
        ) as service:
            tokens = Tokens(text=f"{TOKEN}, another-token")
            admission = Admission(tokens=tokens, limiter=limiter, default_namespace=settings.namespace)
            yield ApiRuntime(settings, service, admission, health, Locking(locks=LocalLocks()))

    def app(self, **variables: str) -> FastAPI:
        """The application under these environment variables."""
        environment = {"SOMA_RATE_LIMIT_MAX": "0", **variables}
        return create_app(Settings.model_validate(environment), self.runtime)

    @asynccontextmanager
    async def client(self, **variables: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client with the right token."""
        app = self.app(**variables)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=transport, base_url="http://soma", headers={"authorization": f"Bearer {TOKEN}"}
            ) as client,
        ):
            yield client


async def eventually(look: Callable[[], object], *, seconds: float = 10.0) -> None:
    """Return once `look` answers something true; fail after the deadline."""
    async with asyncio.timeout(seconds):
        while not look():  # noqa: ASYNC110  # what is looked at is no event of asyncio's
            await asyncio.sleep(0.001)


@pytest.fixture
def world() -> World:
    """Empty stores."""
    return World()


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an API without rate limit."""
    async with world.client() as opened:
        yield opened
