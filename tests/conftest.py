"""Fixtures for every test: the stores."""

from tests.services.fixtures import (
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
