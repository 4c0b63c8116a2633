"""`somafractalmemory.http_api:app`, for servers that are told where an application is: `uvicorn …http_api:app`.

The application is made of the environment when somebody asks for it; its stores open when the server starts it.
"""

from functools import cache
from typing import Any

import structlog
from fastapi import FastAPI

from somafractalmemory import telemetry
from somafractalmemory.httpface.app import create_app
from somafractalmemory.settings import load_settings
from somafractalmemory.wiring import open_api, tokens_of

log = structlog.get_logger(__name__)


@cache
def _app() -> FastAPI:
    """Raises ConfigurationError that lists everything that is missing."""
    telemetry.log_as_a_guest()
    settings = load_settings(for_command="serve")
    if settings.memory_mode != "evented_enterprise":
        log.warning("mode_replaced", asked_for=settings.memory_mode, used="evented_enterprise")
    tokens_of(settings)
    return create_app(settings, open_api)


def __getattr__(name: str) -> Any:
    """Only `app`, so that importing this module needs no environment."""
    if name == "app":
        return _app()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
