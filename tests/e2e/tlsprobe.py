"""Runs in a pod of the API (`python3 - NAME`): how parts answer clients that trust them, or not, or speak plainly.

Prints one JSON object: for each part the serial number that a trusting client is shown, and what the others met with.
"""

import json
import os
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CA = "/run/trust/ca.crt"
SECONDS = 5
SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")  # PostgreSQL's frontend/backend protocol


def connected(host: str, port: int, *, postgres: bool = False) -> socket.socket:
    made = socket.create_connection((host, port), SECONDS)
    if postgres:
        made.sendall(SSL_REQUEST)
        if made.recv(1) != b"S":
            raise ConnectionError("no TLS is offered")
    return made


def shown(host: str, port: int, context: ssl.SSLContext, *, postgres: bool) -> str:
    with connected(host, port, postgres=postgres) as plain, context.wrap_socket(plain, server_hostname=host) as secure:
        certificate = secure.getpeercert()
        return str(certificate["serialNumber"]) if certificate else ""


def outcome(act: Callable[[], Any]) -> str:
    try:
        act()
    except Exception as error:  # whatever a library raises is what is asked for
        return f"refused: {type(error).__name__} {str(error)[:120]}"
    return "let in"


def plain_postgres(host: str) -> None:
    import psycopg  # noqa: PLC0415

    password = Path("/run/credentials/POSTGRES_PASSWORD").read_text().strip()
    psycopg.connect(host=host, user="soma", dbname="somamemory", password=password, sslmode="disable").close()


def plain_redis(host: str) -> None:
    import redis  # noqa: PLC0415

    password = Path("/run/credentials/REDIS_PASSWORD").read_text().strip()
    redis.Redis(host, 6379, password=password, socket_timeout=SECONDS).ping()


def plain_http(host: str, port: int) -> None:
    import httpx  # noqa: PLC0415

    httpx.get(f"http://{host}:{port}/readyz", timeout=SECONDS, trust_env=False).raise_for_status()


def plain_kafka(host: str) -> None:
    from confluent_kafka.admin import AdminClient  # noqa: PLC0415

    AdminClient({"bootstrap.servers": f"{host}:9092", "log_level": 0}).list_topics(timeout=SECONDS)


def plain_grpc(host: str) -> None:
    import grpc  # noqa: PLC0415

    with grpc.insecure_channel(f"{host}:50053") as channel:
        grpc.channel_ready_future(channel).result(timeout=SECONDS)


def main(name: str) -> None:
    space = os.environ["NAMESPACE"]
    api = f"{name}-api.{space}.svc"
    places: dict[str, tuple[str, int, Callable[[], None]]] = {
        "postgres": (f"{name}-postgres", 5432, lambda: plain_postgres(f"{name}-postgres")),
        "redis": (f"{name}-redis", 6379, lambda: plain_redis(f"{name}-redis")),
        "qdrant": (f"{name}-qdrant", 6333, lambda: plain_http(f"{name}-qdrant", 6333)),
        "kafka": (f"{name}-kafka", 9092, lambda: plain_kafka(f"{name}-kafka")),
        "api": (api, 9595, lambda: plain_http(api, 9595)),
        "grpc": (api, 50053, lambda: plain_grpc(api)),
    }
    ours, others = ssl.create_default_context(cafile=CA), ssl.create_default_context()
    found = {}
    for part, (host, port, plainly) in places.items():
        is_postgres = part == "postgres"
        found[part] = {
            "shown": shown(host, port, ours, postgres=is_postgres),
            "stranger": outcome(lambda h=host, p=port, s=is_postgres: shown(h, p, others, postgres=s)),  # type: ignore[misc]
            "plain": outcome(plainly),
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
