"""Fixtures for every test: the stores."""

import pytest

# The suites of the ports are plain modules that test classes inherit from; pytest explains their assertions too. Here,
# because this file is loaded before any test that imports one of them.
SUITES = (
    "audits",
    "care",
    "erasures",
    "keys",
    "keyvalues",
    "limiter",
    "links",
    "locks",
    "lookups",
    "recollections",
    "records",
    "states",
    "topic",
    "transfers",
    "vectors",
    "versions",
)
pytest.register_assert_rewrite(*(f"tests.contracts.{name}" for name in SUITES))

from tests.services.fixtures import (  # noqa: E402
    kafka_bootstrap,
    kafka_server,
    postgres_server,
    postgres_url,
    qdrant_api_key,
    qdrant_server,
    qdrant_url,
    redis_server,
    redis_url,
)

__all__ = [
    "kafka_bootstrap",
    "kafka_server",
    "postgres_server",
    "postgres_url",
    "qdrant_api_key",
    "qdrant_server",
    "qdrant_url",
    "redis_server",
    "redis_url",
]
