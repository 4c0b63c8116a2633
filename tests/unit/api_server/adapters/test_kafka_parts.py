"""The parts of the Kafka adapters that need no broker."""

import logging
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, Producer
from structlog.testing import capture_logs

from somafractalmemory.adapters.kafka import _in_order
from somafractalmemory.adapters.kafka_client import RdkafkaLog, Watch, client_options, max_message_bytes
from somafractalmemory.settings import load_settings
from tests.contracts.topic import an_event

BROKER = {"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}


def test_after_a_failure_nothing_later_of_the_same_memory_counts_as_sent() -> None:
    one, other = an_event(version=1), an_event(version=1)
    again, last = an_event(one.id, 2), an_event(other.id, 2)

    assert _in_order([one, other, again, last], [None, "timed out", None, None]) == [True, False, True, False]
    assert _in_order([one, again], ["timed out", None]) == [False, False]
    assert _in_order([one, again], [None, "timed out"]) == [True, False]


def test_librdkafka_repeats_itself_once_a_minute_only() -> None:
    log = RdkafkaLog()
    with capture_logs() as lines:
        for attempt in range(50):
            log.log(logging.ERROR, "%s [%s] %s", "FAIL", "producer-1", f"refused after {attempt}ms")
        log.log(logging.WARNING, "%s [%s] %s", "SESSTMOUT", "consumer-2", "session timed out")

    assert [(line["log_level"], line["said"][:4]) for line in lines] == [("error", "FAIL"), ("warning", "SESS")]


def test_the_first_failure_names_the_brokers_and_the_return_is_told_once() -> None:
    watch = Watch(load_settings(BROKER), "publisher")
    with capture_logs() as lines:
        for _ in range(3):
            watch.on_error(KafkaError(KafkaError._ALL_BROKERS_DOWN))
        for _ in range(3):
            watch.answered()

    assert [(line["event"], line["bootstrap"]) for line in lines] == [
        ("kafka_away", "kafka:9092"),
        ("kafka_back", "kafka:9092"),
    ]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, {"security.protocol": "PLAINTEXT"}),
        ({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CA_LOCATION": "/ca.pem"}, {"ssl.ca.location": "/ca.pem"}),
        (
            {
                "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
                "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
                "KAFKA_SASL_USERNAME": "soma",
                "KAFKA_SASL_PASSWORD": "secret",
            },
            {"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "soma", "sasl.password": "secret"},
        ),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, {"sasl.mechanism": "PLAIN"}),
        (
            {
                "KAFKA_SECURITY_PROTOCOL": "ssl",
                "KAFKA_SSL_CERTIFICATE_LOCATION": "/me.pem",
                "KAFKA_SSL_KEY_LOCATION": "/me.key",
                "KAFKA_SSL_KEY_PASSWORD": "secret",
            },
            {
                "security.protocol": "SSL",
                "ssl.certificate.location": "/me.pem",
                "ssl.key.location": "/me.key",
                "ssl.key.password": "secret",
            },
        ),
    ],
)
def test_the_settings_become_options_of_librdkafka(variables: dict[str, str], expected: dict[str, str]) -> None:
    options = client_options(load_settings(BROKER | variables))

    assert options.items() >= expected.items()
    assert ("sasl.mechanism" in options) == variables.get("KAFKA_SECURITY_PROTOCOL", "").startswith("SASL")


@pytest.mark.parametrize("mechanism", ["", "PLAIN", "scram-sha-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_the_client_takes_every_mechanism_and_an_empty_text_is_none(protocol: str, mechanism: str) -> None:
    """(events defect 11)"""
    variables = {
        "KAFKA_SECURITY_PROTOCOL": protocol,
        "KAFKA_SASL_MECHANISM": mechanism,
        "KAFKA_SASL_USERNAME": "soma",
        "KAFKA_SASL_PASSWORD": "secret",
        "KAFKA_SSL_CA_LOCATION": "",  # unset: librdkafka looks for the system's authorities
        "KAFKA_SSL_KEY_LOCATION": "",
    }
    options = client_options(load_settings(BROKER | variables))

    assert options["sasl.mechanism"] == (mechanism.upper() or "PLAIN")
    assert "" not in options.values()
    Producer({**options, "bootstrap.servers": "", "log_level": 0})


@pytest.mark.parametrize("megabytes", ["0", "0.5", "5", "500"])
def test_any_limit_of_a_body_gives_options_that_clients_take(megabytes: str) -> None:
    settings = load_settings(BROKER | {"SOMA_MAX_REQUEST_BODY_MB": megabytes})
    size = max_message_bytes(settings)
    quiet: dict[str, Any] = {"bootstrap.servers": "", "log_level": 0}

    assert (1 << 20) < size <= (64 << 20)
    Producer({**quiet, "message.max.bytes": size, "queue.buffering.max.kbytes": 128 * 1024})
    Consumer({**quiet, "group.id": "any", "fetch.message.max.bytes": size}).close()
