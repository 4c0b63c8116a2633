"""Both programs, once for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.integration.api.programs import TOKEN, Stack, eventually, own_database, run_once, running
from tests.services.kafka import KafkaServer
from tests.services.postgres import PostgresServer
from tests.services.qdrant import QdrantEdgeServer
from tests.services.redis import RedisServer


@pytest.fixture(scope="session")
def environment(
    postgres_server: PostgresServer,
    redis_server: RedisServer,
    qdrant_server: QdrantEdgeServer,
    kafka_server: KafkaServer,
) -> Iterator[dict[str, str]]:
    """A configuration whose database, collection and topics nobody else uses; the stores may be killed."""
    unique = uuid4().hex[:8]
    with own_database(postgres_server.url) as database:
        yield {
            "POSTGRES_URL": database,
            "REDIS_URL": redis_server.url,
            "QDRANT_URL": qdrant_server.url,
            "QDRANT_API_KEY": qdrant_server.api_key,
            "QDRANT_COLLECTION": f"test_{unique}",
            "KAFKA_BOOTSTRAP_SERVERS": kafka_server.bootstrap,
            "KAFKA_MEMORY_EVENTS_TOPIC": f"memory.events.{unique}",
            "KAFKA_MEMORY_DLQ_TOPIC": f"memory.dlq.{unique}",
            "KAFKA_CONSUMER_GROUP": f"group-{unique}",
            "SOMA_API_TOKEN": TOKEN,
            "SOMA_RATE_LIMIT_MAX": "1000000",
        }


@pytest.fixture(scope="session")
def stack(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Migrated, served and consumed."""
    folder: Path = tmp_path_factory.mktemp("programs")
    migrated = run_once(environment, "migrate")
    assert migrated.returncode == 0, migrated.stderr
    with running("serve", environment, folder) as api, running("consume", environment, folder) as consumer:
        made = Stack(environment, environment["POSTGRES_URL"], api, consumer)
        eventually(lambda: all(made.components().values()))
        eventually(lambda: consumer.client.get("/readyz").status_code == 200)
        yield made
