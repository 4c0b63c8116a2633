"""`python -m tests.bench [writes] [recall]`: starts private stores and the two programs, measures, prints JSON."""

import asyncio
import json
import os
import platform
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvloop

from tests.bench.recall import measure_recall
from tests.bench.writes import measure_writes
from tests.integration.api.programs import TOKEN, own_database, run_once, running
from tests.services.kafka import KafkaServer
from tests.services.postgres import PostgresServer
from tests.services.qdrant import QdrantEdgeServer
from tests.services.redis import RedisServer

BENCHMARKS = {"writes": measure_writes, "recall": measure_recall}


def main(names: list[str]) -> dict[str, Any]:
    """Run the named benchmarks, all by default, on one fresh deployment."""
    with ExitStack() as stack:
        postgres, redis = stack.enter_context(PostgresServer()), stack.enter_context(RedisServer())
        qdrant, kafka = stack.enter_context(QdrantEdgeServer()), stack.enter_context(KafkaServer())
        database = stack.enter_context(own_database(postgres.url))
        environment = {
            "POSTGRES_URL": database,
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
        api = stack.enter_context(running("serve", environment, folder))
        stack.enter_context(running("consume", environment, folder))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            results = {name: runner.run(BENCHMARKS[name](api.url, environment)) for name in names or BENCHMARKS}
    machine = {
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "load_at_the_end": os.getloadavg()[0],
    }
    return {"machine": machine, **results}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:]), indent=2))
