"""Runs in a pod of the API: whether Kafka lets a login in."""

from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient


def main(name: str, login: str) -> None:
    user, _, password = login.partition(":")
    met: list[KafkaError] = []
    options: dict[str, Any] = {
        "bootstrap.servers": f"{name}-kafka:9092",
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": "/run/trust/ca.crt",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": user,
        "sasl.password": password,
        "error_cb": met.append,
        "log_level": 0,
    }
    client = AdminClient(options)
    try:
        client.list_topics(timeout=10)
    except KafkaException as error:
        while client.poll(0):
            pass
        told = next((each for each in met if each.code() == KafkaError._AUTHENTICATION), error)
        print(f"refused: {told}")
    else:
        print("let in")
