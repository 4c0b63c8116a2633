"""Every setting of both programs, read once from the environment; a secret FOO may come from the file FOO_FILE."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from somafractalmemory.errors import ConfigurationError, InvalidRequest
from somafractalmemory.model import check_namespace

SECRETS = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "QDRANT_API_KEY", "KAFKA_SASL_PASSWORD")
Positive = Annotated[float, Field(gt=0)]
Port = Annotated[int, Field(ge=1, le=65535)]


def _setting(name: str, default: Any, description: str, *aliases: str) -> Any:
    return Field(default=default, validation_alias=AliasChoices(name, *aliases), description=description)


class Settings(BaseModel):
    """The environment, checked."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    memory_mode: str = _setting(
        "MEMORY_MODE", "evented_enterprise", "The only mode; anything else is replaced by it with a warning."
    )
    namespace: str = _setting(
        "SOMA_MEMORY_NAMESPACE", "api_ns", "Namespace of the memories of this API.", "SOMA_NAMESPACE"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = _setting(
        "LOG_LEVEL", "INFO", "How much is logged."
    )

    api_token: SecretStr | None = _setting(
        "SOMA_API_TOKEN",
        None,
        "Bearer tokens, separated by commas or blanks. This or SOMA_API_TOKEN_FILE is required by `soma serve`.",
    )
    api_token_file: Path | None = _setting(
        "SOMA_API_TOKEN_FILE",
        None,
        "File of bearer tokens, one a line; wins over SOMA_API_TOKEN and is read again when it changes.",
    )
    api_tokens_file: Path | None = _setting(
        "SOMA_API_TOKENS_FILE",
        None,
        "YAML or JSON file of tokens with scopes and namespaces, by their SHA-256; read again when it changes.",
    )
    rate_limit_max: int = _setting(
        "SOMA_RATE_LIMIT_MAX", 60, "Requests of one token to one route in a window; 0 or less: no limit."
    )
    rate_limit_window_seconds: float = _setting(
        "SOMA_RATE_LIMIT_WINDOW_SECONDS", 60.0, "Length of the window; 0 or less: no limit."
    )
    max_request_body_mb: float = _setting(
        "SOMA_MAX_REQUEST_BODY_MB", 5.0, "Largest request body in MiB, counted while it is read; 0 or less: no limit."
    )
    cors_origins: tuple[str, ...] = _setting(
        "SOMA_CORS_ORIGINS", (), "Origins that browsers may call from, separated by commas; empty: none."
    )
    hybrid_recall_default: bool = _setting(
        "SOMA_HYBRID_RECALL_DEFAULT", True, "Whether a recall that does not say uses words besides vectors."
    )
    vector_dim: Annotated[int, Field(ge=16, le=8192)] = _setting(
        "SOMA_VECTOR_DIM", 768, "Size of the dense vectors; a change rebuilds the index.", "MEMORY_VECTOR_DIM"
    )
    dense_weight: Annotated[float, Field(ge=0, le=1)] = _setting(
        "SOMA_RECALL_DENSE_WEIGHT", 0.3, "Share of the dense list in a hybrid score."
    )
    sparse_weight: Annotated[float, Field(ge=0, le=1)] = _setting(
        "SOMA_RECALL_SPARSE_WEIGHT", 0.7, "Share of the BM25 list in a hybrid score."
    )

    postgres_url: str | None = _setting(
        "POSTGRES_URL", None, "Address of the truth, such as postgresql://soma@host:5432/somamemory. Required."
    )
    postgres_password: SecretStr | None = _setting(
        "POSTGRES_PASSWORD", None, "Password, when the address carries none."
    )
    postgres_pool_size: Annotated[int, Field(ge=2, le=100)] = _setting(
        "POSTGRES_POOL_SIZE", 10, "Most connections of one process."
    )
    postgres_ssl_mode: str | None = _setting("POSTGRES_SSL_MODE", None, "libpq's sslmode.")
    postgres_ssl_root_cert: str | None = _setting(
        "POSTGRES_SSL_ROOT_CERT", None, "File with the authorities that may sign the server's certificate."
    )
    postgres_ssl_cert: str | None = _setting("POSTGRES_SSL_CERT", None, "File with the client's certificate.")
    postgres_ssl_key: str | None = _setting("POSTGRES_SSL_KEY", None, "File with the client's key.")

    redis_url: str | None = _setting(
        "REDIS_URL",
        None,
        "Address of Redis, such as redis://host:6379/0 (rediss: TLS). Unset: each process counts its own requests.",
    )
    redis_host: str | None = _setting("REDIS_HOST", None, "Host; replaces the one of REDIS_URL.")
    redis_port: Port | None = _setting("REDIS_PORT", None, "Port; replaces the one of REDIS_URL.")
    redis_db: Annotated[int, Field(ge=0)] | None = _setting(
        "REDIS_DB", None, "Database number; replaces the one of REDIS_URL."
    )
    redis_password: SecretStr | None = _setting("REDIS_PASSWORD", None, "Password, when the address carries none.")

    vector_backend: Literal["qdrant", "memory"] = _setting(
        "SOMA_VECTOR_BACKEND",
        "qdrant",
        "Where the index lives. `memory`: inside this process, filled from Postgres at each start; for one process.",
    )
    qdrant_url: str | None = _setting(
        "QDRANT_URL", None, "Address of the index, such as http://host:6333. Required, unless QDRANT_HOST is set."
    )
    qdrant_host: str | None = _setting("QDRANT_HOST", None, "Host, when there is no QDRANT_URL.")
    qdrant_port: Port = _setting("QDRANT_PORT", 6333, "Port beside QDRANT_HOST.")
    qdrant_tls: bool = _setting("QDRANT_TLS", False, "Use https even when the address says http.")
    qdrant_api_key: SecretStr | None = _setting("QDRANT_API_KEY", None, "API key of the index.")
    qdrant_collection: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")] = _setting(
        "QDRANT_COLLECTION", "memory_vectors", "Start of the collection's name; the embedder's revision is appended."
    )

    eventing_enabled: bool = _setting(
        "EVENTING_ENABLED", True, "Publish to Kafka. Off: the API process itself logs the events and mends the index."
    )
    kafka_bootstrap_servers: str | None = _setting(
        "KAFKA_BOOTSTRAP_SERVERS", None, "Brokers, separated by commas. Required while events are on."
    )
    kafka_topic: str = _setting(
        "KAFKA_MEMORY_EVENTS_TOPIC", "memory.events", "Topic of the events, for relay and consumer."
    )
    kafka_dlq_topic: str = _setting(
        "KAFKA_MEMORY_DLQ_TOPIC", "memory.dlq", "Topic of the events that cannot be applied."
    )
    kafka_partitions: Annotated[int, Field(ge=1, le=1000)] = _setting(
        "KAFKA_TOPIC_PARTITIONS", 3, "Partitions of a topic that has to be created."
    )
    kafka_replication: Annotated[int, Field(ge=1, le=9)] = _setting(
        "KAFKA_TOPIC_REPLICATION", 1, "Replicas of a topic that has to be created."
    )
    kafka_group: str = _setting("KAFKA_CONSUMER_GROUP", "soma-consumer-group", "Group of the consumers.")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = _setting(
        "KAFKA_SECURITY_PROTOCOL", "PLAINTEXT", "How brokers are spoken to."
    )
    kafka_ssl_ca_location: str | None = _setting(
        "KAFKA_SSL_CA_LOCATION", None, "File with the authorities that may sign the brokers' certificates."
    )
    kafka_sasl_mechanism: str | None = _setting(
        "KAFKA_SASL_MECHANISM", None, "SASL mechanism; PLAIN when a SASL protocol is chosen and this is unset."
    )
    kafka_sasl_username: str | None = _setting("KAFKA_SASL_USERNAME", None, "SASL user.")
    kafka_sasl_password: SecretStr | None = _setting("KAFKA_SASL_PASSWORD", None, "SASL password.")
    consumer_metrics_port: Port = _setting(
        "CONSUMER_METRICS_PORT", 8001, "Port of the consumer's /metrics, /healthz and /readyz."
    )
    consumer_metrics_host: str = _setting("CONSUMER_METRICS_HOST", "0.0.0.0", "Address the consumer's port binds to.")  # noqa: S104

    uvicorn_host: str = _setting("UVICORN_HOST", "0.0.0.0", "Address the API binds to.")  # noqa: S104
    uvicorn_port: Port = _setting("UVICORN_PORT", 9595, "Port of the API.", "SOMA_API_PORT")
    uvicorn_workers: Annotated[int, Field(ge=1, le=64)] = _setting(
        "UVICORN_WORKERS", 1, "Only 1 is used: add replicas instead, a warning says so."
    )
    uvicorn_backlog: Annotated[int, Field(ge=1)] = _setting(
        "UVICORN_BACKLOG", 2048, "Connections waiting to be accepted."
    )
    uvicorn_keep_alive_seconds: Annotated[int, Field(ge=1)] = _setting(
        "UVICORN_TIMEOUT_KEEP_ALIVE", 30, "Seconds an idle connection stays open."
    )
    uvicorn_graceful_seconds: Annotated[int, Field(ge=1, le=300)] = _setting(
        "UVICORN_TIMEOUT_GRACEFUL", 15, "Seconds that requests under way get after SIGTERM."
    )

    @field_validator("namespace")
    @classmethod
    def _namespace(cls, value: str) -> str:
        try:
            return check_namespace(value)
        except InvalidRequest as error:
            raise ValueError(str(error)) from None

    @field_validator("postgres_url")
    @classmethod
    def _postgres_address(cls, value: str | None) -> str | None:
        return value and _address(value, "postgresql://USER@HOST:5432/DATABASE", "postgresql", "postgres")

    @field_validator("redis_url")
    @classmethod
    def _redis_address(cls, value: str | None) -> str | None:
        return value and _address(value, "redis://HOST:6379/0", "redis", "rediss")

    @field_validator("qdrant_url")
    @classmethod
    def _qdrant_address(cls, value: str | None) -> str | None:
        return value and _address(value, "http://HOST:6333", "http", "https")

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @property
    def max_body_bytes(self) -> int | None:
        """The limit in bytes; None for none."""
        return int(self.max_request_body_mb * 1024 * 1024) if self.max_request_body_mb > 0 else None

    @property
    def limits_requests(self) -> bool:
        """Whether there is a rate limit at all."""
        return self.rate_limit_max > 0 and self.rate_limit_window_seconds > 0

    @property
    def qdrant_address(self) -> str | None:
        """The index's address from whichever variables are set."""
        url = self.qdrant_url or (f"http://{self.qdrant_host}:{self.qdrant_port}" if self.qdrant_host else None)
        return url.replace("http://", "https://", 1) if url and self.qdrant_tls else url

    @property
    def redis_address(self) -> str | None:
        """Redis' address without the password; None when there is no Redis."""
        if self.redis_url is None and self.redis_host is None:
            return None
        parts = urlsplit(self.redis_url or "redis://localhost:6379/0")
        host, port = self.redis_host or parts.hostname or "localhost", self.redis_port or parts.port or 6379
        user = parts.netloc.rpartition("@")[0]
        path = parts.path if self.redis_db is None else f"/{self.redis_db}"
        return urlunsplit((parts.scheme, f"{user}@{host}:{port}" if user else f"{host}:{port}", path, parts.query, ""))


def load_settings(environment: Mapping[str, str] | None = None, *, for_command: str | None = None) -> Settings:
    """Read the environment. Raises ConfigurationError that lists every wrong field with its remedy."""
    values = dict(os.environ if environment is None else environment)
    problems: list[str] = []
    for name in SECRETS:
        _read_secret(name, values, problems)
    values = {key: value for key, value in values.items() if value != ""}
    try:
        settings = Settings.model_validate(values)
        wrong: set[str] = set()
    except ValidationError as error:
        problems += [_problem(item) for item in error.errors()]
        wrong = {str(item["loc"][0]) for item in error.errors()}
        settings = Settings.model_validate({key: value for key, value in values.items() if key not in wrong})
    problems += [missing for missing in _missing(settings, for_command) if missing.partition(":")[0] not in wrong]
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise ConfigurationError(
            f"The configuration is not usable:\n{lines}\nEvery variable is explained in docs/configuration.md."
        )
    return settings


def _address(value: str, example: str, *schemes: str) -> str:
    """Checked here, because the stores' clients would only log it, again and again."""
    try:
        parts = urlsplit(value)
        readable = parts.scheme.partition("+")[0] in schemes and bool(parts.netloc)
        if schemes[0] != "postgresql":  # which may name several hosts, each with its port
            readable = readable and parts.hostname is not None and parts.port != 0
    except ValueError:
        readable = False
    if not readable:
        raise ValueError(f"this is no address such as {example}")
    return value


def _read_secret(name: str, values: dict[str, str], problems: list[str]) -> None:
    path = values.get(f"{name}_FILE")
    if not path:
        return
    try:
        values[name] = Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        problems.append(
            f"{name}_FILE: {path} cannot be read ({error.__class__.__name__}); mount the file or correct the path"
        )


def _problem(item: Mapping[str, Any]) -> str:
    name = ".".join(map(str, item["loc"]))
    secret = any(word in name for word in ("PASSWORD", "TOKEN", "KEY", "URL"))
    found = "" if secret else f" (found: {str(item['input'])[:80]!r})"
    return f"{name}: {item['msg']}{found}; correct or unset the variable"


def _missing(settings: Settings, command: str | None) -> list[str]:
    problems = []
    tokens = (settings.api_token, settings.api_token_file, settings.api_tokens_file)
    if command in {"serve", "serve --embedded"} and tokens == (None, None, None):
        problems.append(
            "SOMA_API_TOKEN: no token is configured; set it to a long random text, or SOMA_API_TOKEN_FILE or "
            "SOMA_API_TOKENS_FILE to a file"
        )
    if command in {"serve", "consume", "migrate", "reconcile"} and settings.postgres_url is None:
        problems.append(
            "POSTGRES_URL: required; set it to postgresql://USER@HOST:5432/DATABASE, or try `soma serve --embedded`"
        )
    needs_index = command in {"serve", "consume", "reconcile"} and settings.vector_backend == "qdrant"
    if needs_index and settings.qdrant_address is None:
        problems.append("QDRANT_URL: required; set it to http://HOST:6333")
    needs_brokers = command == "consume" or (command == "serve" and settings.eventing_enabled)
    if needs_brokers and settings.kafka_bootstrap_servers is None:
        problems.append(
            "KAFKA_BOOTSTRAP_SERVERS: required; set it to HOST:9092, or EVENTING_ENABLED=false to do without events"
        )
    return problems


def postgres_conninfo(settings: Settings) -> dict[str, str]:
    """Arguments of a connection: the address (any dialect suffix dropped), the password, TLS."""
    url = (
        (settings.postgres_url or "")
        .replace("postgresql+psycopg2://", "postgresql://")
        .replace("postgresql+psycopg://", "postgresql://")
    )
    options = {
        "conninfo": url,
        "password": settings.postgres_password.get_secret_value() if settings.postgres_password else None,
        "sslmode": settings.postgres_ssl_mode,
        "sslrootcert": settings.postgres_ssl_root_cert,
        "sslcert": settings.postgres_ssl_cert,
        "sslkey": settings.postgres_ssl_key,
    }
    return {key: value for key, value in options.items() if value is not None}


def redacted(url: str | None) -> str | None:
    """An address fit for a log: without user and password."""
    if url is None:
        return None
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, quote(parts.netloc.rpartition("@")[2], safe=":[]"), parts.path, "", ""))
