"""`python -m tests.services [prepare]`: start all four stores for a developer, until interrupted.

`prepare` only fetches what the tests would otherwise fetch within their time limit.
"""

import signal
import sys
from contextlib import ExitStack

from localimages.kafka_jars import ensure

from .kafka import KafkaServer
from .postgres import PostgresServer
from .programs import missing_programs
from .qdrant import QdrantEdgeServer
from .redis import RedisServer


def main() -> None:
    """Start, print the variables for a shell, wait for the end, and remove everything."""
    if missing := missing_programs():
        sys.exit(f"Missing: {', '.join(missing)}. Next: apt-get install {' '.join(missing.values())}")
    ensure()
    if sys.argv[1:] == ["prepare"]:
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        postgres = stack.enter_context(PostgresServer())
        redis = stack.enter_context(RedisServer())
        qdrant = stack.enter_context(QdrantEdgeServer())
        kafka = stack.enter_context(KafkaServer())
        print(f"export TEST_POSTGRES_URL={postgres.url}")
        print(f"export TEST_REDIS_URL={redis.url}")
        print(f"export TEST_QDRANT_URL={qdrant.url} TEST_QDRANT_API_KEY={qdrant.api_key}")
        print(f"export TEST_KAFKA_BOOTSTRAP={kafka.bootstrap}", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("stopping", file=sys.stderr)


if __name__ == "__main__":
    main()
