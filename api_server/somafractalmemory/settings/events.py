"""Events: whether, where to, and how brokers are spoken to."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, SecretStr, field_validator

from somafractalmemory.settings.fields import Group, Port, address, joined, setting


class EventSettings(Group):
    """Kafka, its topics and the consumer."""

    section: ClassVar[str] = "kafka"

    eventing_enabled: bool = setting(
        "EVENTING_ENABLED", True, "Publish to Kafka. Off: the API process itself logs the events and mends the index."
    )
    kafka_bootstrap_servers: str | None = setting(
        "KAFKA_BOOTSTRAP_SERVERS", None, "Brokers, separated by commas. Required while events are on."
    )
    kafka_topic: str = setting(
        "KAFKA_MEMORY_EVENTS_TOPIC", "memory.events", "Topic of the events, for relay and consumer."
    )
    kafka_dlq_topic: str = setting(
        "KAFKA_MEMORY_DLQ_TOPIC", "memory.dlq", "Topic of the events that cannot be applied."
    )
    kafka_partitions: Annotated[int, Field(ge=1, le=1000)] = setting(
        "KAFKA_TOPIC_PARTITIONS", 3, "Partitions of a topic that has to be created."
    )
    kafka_replication: Annotated[int, Field(ge=1, le=9)] = setting(
        "KAFKA_TOPIC_REPLICATION", 1, "Replicas of a topic that has to be created."
    )
    kafka_group: str = setting("KAFKA_CONSUMER_GROUP", "soma-consumer-group", "Group of the consumers.")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = setting(
        "KAFKA_SECURITY_PROTOCOL", "PLAINTEXT", "How brokers are spoken to."
    )
    kafka_ssl_ca_location: Path | None = setting(
        "KAFKA_SSL_CA_LOCATION",
        None,
        "File with the authorities that may sign the brokers' certificates; unset: the system's.",
    )
    kafka_ssl_certificate_location: Path | None = setting(
        "KAFKA_SSL_CERTIFICATE_LOCATION", None, "File with the client's certificate."
    )
    kafka_ssl_key_location: Path | None = setting("KAFKA_SSL_KEY_LOCATION", None, "File with the client's key.")
    kafka_ssl_key_password: SecretStr | None = setting(
        "KAFKA_SSL_KEY_PASSWORD", None, "Password of the client's key, when it has one."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = setting(
        "KAFKA_SASL_MECHANISM", None, "SASL mechanism; PLAIN when a SASL protocol is chosen and this is unset."
    )
    kafka_sasl_username: str | None = setting("KAFKA_SASL_USERNAME", None, "SASL user; of OAUTHBEARER the client's ID.")
    kafka_sasl_password: SecretStr | None = setting(
        "KAFKA_SASL_PASSWORD",
        None,
        "SASL password; of OAUTHBEARER the client's secret. USER:PASSWORD where KAFKA_SASL_USERNAME is unset.",
    )
    kafka_oauth_url: str | None = setting(
        "KAFKA_SASL_OAUTH_TOKEN_URL", None, "Where OAUTHBEARER gets its tokens (OAuth 2.0 client credentials)."
    )
    kafka_oauth_scope: str | None = setting("KAFKA_SASL_OAUTH_SCOPE", None, "Scope that these tokens are asked for.")
    kafka_oauth_ca: Path | None = setting(
        "KAFKA_SASL_OAUTH_CA_LOCATION",
        None,
        "File with the authorities that may sign the certificate there; unset: the system's.",
    )
    consumer_metrics_port: Port = setting(
        "CONSUMER_METRICS_PORT", 8001, "Port of the consumer's /metrics, /healthz and /readyz."
    )
    consumer_metrics_host: str = setting("CONSUMER_METRICS_HOST", "0.0.0.0", "Address the consumer's port binds to.")  # noqa: S104

    @field_validator("kafka_bootstrap_servers", mode="before")
    @classmethod
    def _brokers(cls, value: Any) -> Any:
        return joined(value)

    @field_validator("kafka_oauth_url")
    @classmethod
    def _tokens_address(cls, value: str | None) -> str | None:
        return value and address(value, "https://HOST/token", "https", "http")

    @field_validator("kafka_security_protocol", "kafka_sasl_mechanism", mode="before")
    @classmethod
    def _capitals(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value
