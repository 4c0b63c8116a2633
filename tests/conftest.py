"""Fixtures for every test: the stores."""

from tests.services.fixtures import (
    postgres_server,
    postgres_url,
    qdrant_api_key,
    qdrant_server,
    qdrant_url,
    redis_server,
    redis_url,
)

__all__ = [
    "postgres_server",
    "postgres_url",
    "qdrant_api_key",
    "qdrant_server",
    "qdrant_url",
    "redis_server",
    "redis_url",
]
