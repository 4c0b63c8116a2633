"""The small HTTP server: is the operator healthy, is it ready, and its metrics."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from somamemory_operator.telemetry.logs import logger

Problems = Callable[[], Iterable[str]]
"""What is wrong right now, each in a sentence; nothing when all is well."""

_ANY_INTERFACE = None


def application(
    registry: CollectorRegistry, unhealthy: Problems, unready: Problems, remarks: Problems = tuple
) -> web.Application:
    """Return the application that answers /healthz, /readyz and /metrics; remarks are shown on /readyz."""

    async def healthz(_: web.Request) -> web.Response:
        return _answer(unhealthy())

    async def readyz(_: web.Request) -> web.Response:
        return _answer(unready(), remarks())

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    for handler in (healthz, readyz, metrics):
        app.router.add_get(f"/{handler.__name__}", handler)
    return app


def _answer(problems: Iterable[str], remarks: Iterable[str] = ()) -> web.Response:
    found = list(problems)
    lines = [*(found or ["ok"]), *remarks]
    return web.Response(text="".join(f"{each}\n" for each in lines), status=503 if found else 200)


@asynccontextmanager
async def serving(app: web.Application, port: int) -> AsyncIterator[int]:
    """Serve on all interfaces, or with port 0 on a free port of the loopback; yields the port."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, _ANY_INTERFACE if port else "127.0.0.1", port).start()
        bound: int = runner.addresses[0][1]
        logger(__name__).info("serving /healthz, /readyz and /metrics", port=bound)
        yield bound
    finally:
        await runner.cleanup()
