"""The private stores keep what they acknowledged, whatever is done to them."""

import psycopg
import redis

from tests.services.postgres import PostgresServer
from tests.services.qdrant import QdrantEdgeServer
from tests.services.redis import RedisServer


def test_postgres_keeps_a_committed_row_when_it_is_killed() -> None:
    with PostgresServer() as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("create table kept (n int)")
            connection.execute("insert into kept values (1)")
        server.kill9()
        server.start()
        with psycopg.connect(server.url) as connection:
            rows = connection.execute("select n from kept").fetchall()

    assert rows == [(1,)]


def test_postgres_is_durable_as_in_production(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        settings = [connection.execute(f"show {name}").fetchone() for name in ("fsync", "synchronous_commit")]

    assert settings == [("on",), ("on",)]


def test_redis_keeps_its_data_over_a_restart_on_the_same_port() -> None:
    with RedisServer() as server:
        with redis.Redis.from_url(server.url) as client:
            client.set("kept", "1")
        server.restart()
        with redis.Redis.from_url(server.url) as client:
            value = client.get("kept")

    assert value == b"1"


def test_qdrant_edge_comes_back_on_the_same_port_after_a_kill() -> None:
    with QdrantEdgeServer() as server:
        server.kill9()
        gone = server.answers()
        server.start()
        back = server.answers()

    assert (gone, back) == (False, True)
