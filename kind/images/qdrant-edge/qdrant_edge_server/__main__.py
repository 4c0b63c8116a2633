"""`python -m qdrant_edge_server`: serve until SIGTERM."""

import logging

import uvicorn

from .app import create_app
from .settings import Settings
from .tls import server_context


def main() -> None:
    """Run with the settings of the environment."""
    settings = Settings()
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=10,
        server_header=False,
    )
    context = server_context(settings)
    if context is not None:
        config.load()  # which knows files only
        config.ssl = context
    server = uvicorn.Server(config)
    server.run()
    if not server.started:
        raise SystemExit(3)


if __name__ == "__main__":
    main()
