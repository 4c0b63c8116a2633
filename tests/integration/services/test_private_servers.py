"""The private stores keep what they acknowledged, whatever is done to them."""

import psycopg
import redis
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.services.kafka import KafkaServer
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


def test_kafka_keeps_an_acknowledged_event_when_it_is_killed() -> None:
    with KafkaServer() as server:
        admin = AdminClient({"bootstrap.servers": server.bootstrap})
        admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(20)
        producer = Producer({"bootstrap.servers": server.bootstrap, "acks": "all"})
        producer.produce("kept", b"1")
        unsent = producer.flush(20)
        server.kill9()
        server.start()
        consumer = Consumer(
            {"bootstrap.servers": server.bootstrap, "group.id": "test", "auto.offset.reset": "earliest"}
        )
        consumer.subscribe(["kept"])
        event = consumer.poll(30)
        consumer.close()

    assert unsent == 0
    assert event is not None
    assert event.value() == b"1"
