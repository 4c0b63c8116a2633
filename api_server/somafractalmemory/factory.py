"""Making a memory system inside this process."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any

import structlog

from somafractalmemory import telemetry
from somafractalmemory.configuring import settings_from_config
from somafractalmemory.core import SomaFractalMemoryEnterprise
from somafractalmemory.settings import Settings
from somafractalmemory.synchronous.thread import ServiceThread
from somafractalmemory.wiring import ApiRuntime, bring_schema_up, open_api

log = structlog.get_logger(__name__)


class MemoryMode(Enum):
    """The only mode there is."""

    EVENTED_ENTERPRISE = "evented_enterprise"

    @classmethod
    def from_string(cls, name: str) -> "MemoryMode":
        """Raises ValueError for any other name."""
        return cls(name.strip().lower())


def create_memory_system(
    mode: MemoryMode | str, namespace: str, config: Mapping[str, Any] | None = None
) -> SomaFractalMemoryEnterprise:
    """A memory system with a service of its own; close it, or use it in a `with` statement.

    A Postgres without our tables gets them. Stores that are away do not keep it from opening: each call says so.

    Args:
        mode: `MemoryMode.EVENTED_ENTERPRISE`; any other one is replaced by it, with a warning.
        namespace: where its memories live.
        config: which stores to use, see `docs/python.md`; wins over the environment. None: the environment decides.

    Raises:
        ConfigurationError: the configuration or the database cannot be used; the message says what to change.
    """
    telemetry.log_as_a_guest()
    if mode is not MemoryMode.EVENTED_ENTERPRISE and mode != MemoryMode.EVENTED_ENTERPRISE.value:
        log.warning("mode_replaced", asked_for=str(mode), used=MemoryMode.EVENTED_ENTERPRISE.value)
    settings, opener = settings_from_config(config, namespace=namespace)
    return SomaFractalMemoryEnterprise(ServiceThread(settings, open_with_schema if opener is open_api else opener))


@asynccontextmanager
async def open_with_schema(settings: Settings) -> AsyncIterator[ApiRuntime]:
    """The service on its stores, of which Postgres gets our tables first. Raises ConfigurationError."""
    await bring_schema_up(settings)
    async with open_api(settings) as runtime:
        yield runtime
