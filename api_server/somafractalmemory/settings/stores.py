"""Where the stores are, and how they are spoken to."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, SecretStr, field_validator

from somafractalmemory.settings.fields import Group, Port, address, setting
from somafractalmemory.settings.redis_servers import kind_of, servers


class PostgresSettings(Group):
    """The truth."""

    section: ClassVar[str] = "postgres"

    postgres_url: str | None = setting(
        "POSTGRES_URL", None, "Address of the truth, such as postgresql://soma@host:5432/somamemory. Required."
    )
    postgres_password: SecretStr | None = setting("POSTGRES_PASSWORD", None, "Password, when the address carries none.")
    postgres_pool_size: Annotated[int, Field(ge=2, le=100)] = setting(
        "POSTGRES_POOL_SIZE", 10, "Most connections of one process."
    )
    postgres_ssl_mode: str | None = setting("POSTGRES_SSL_MODE", None, "libpq's sslmode.")
    postgres_ssl_root_cert: str | None = setting(
        "POSTGRES_SSL_ROOT_CERT", None, "File with the authorities that may sign the server's certificate."
    )
    postgres_ssl_cert: str | None = setting("POSTGRES_SSL_CERT", None, "File with the client's certificate.")
    postgres_ssl_key: str | None = setting("POSTGRES_SSL_KEY", None, "File with the client's key.")

    @field_validator("postgres_url")
    @classmethod
    def _postgres_address(cls, value: str | None) -> str | None:
        return value and address(value, "postgresql://USER@HOST:5432/DATABASE", "postgresql", "postgres")


class RedisSettings(Group):
    """Cache and rate limits."""

    section: ClassVar[str] = "redis"

    redis_url: str | None = setting(
        "REDIS_URL",
        None,
        "Address of Redis, such as redis://host:6379/0 (rediss: TLS), redis+sentinel://host:26379,host:26379/0?"
        "service=name, or redis+cluster://host:6379,host:6379. Unset: each process counts its own requests.",
    )
    redis_host: str | None = setting("REDIS_HOST", None, "Host; replaces the one of REDIS_URL.")
    redis_port: Port | None = setting("REDIS_PORT", None, "Port; replaces the one of REDIS_URL.")
    redis_db: Annotated[int, Field(ge=0)] | None = setting(
        "REDIS_DB", None, "Database number; replaces the one of REDIS_URL."
    )
    redis_password: SecretStr | None = setting("REDIS_PASSWORD", None, "Password, when the address carries none.")
    redis_tls: bool = setting("REDIS_TLS", False, "Use TLS even when the address says redis.")
    redis_tls_ca: Path | None = setting(
        "REDIS_TLS_CA", None, "File with the authorities that may sign the server's certificate; unset: the system's."
    )
    redis_tls_cert: Path | None = setting("REDIS_TLS_CERT", None, "File with the client's certificate.")
    redis_tls_key: Path | None = setting("REDIS_TLS_KEY", None, "File with the client's key.")

    @field_validator("redis_url")
    @classmethod
    def _redis_address(cls, value: str | None) -> str | None:
        if value and kind_of(value):
            servers(value)
            return value
        return value and address(value, "redis://HOST:6379/0", "redis", "rediss")

    @property
    def redis_address(self) -> str | None:
        """Redis' address without the password; None when there is no Redis."""
        if self.redis_url is None and self.redis_host is None:
            return None
        if self.redis_url is not None and kind_of(self.redis_url):
            return self.redis_url
        parts = urlsplit(self.redis_url or "redis://localhost:6379/0")
        host, port = self.redis_host or parts.hostname or "localhost", self.redis_port or parts.port or 6379
        user = parts.netloc.rpartition("@")[0]
        path = parts.path if self.redis_db is None else f"/{self.redis_db}"
        scheme = "rediss" if self.redis_tls else parts.scheme
        return urlunsplit((scheme, f"{user}@{host}:{port}" if user else f"{host}:{port}", path, parts.query, ""))


class QdrantSettings(Group):
    """The index."""

    section: ClassVar[str] = "qdrant"

    vector_backend: Literal["qdrant", "memory"] = setting(
        "SOMA_VECTOR_BACKEND",
        "qdrant",
        "Where the index lives. `memory`: inside this process, filled from Postgres at each start; for one process.",
    )
    qdrant_path: Path | None = setting(
        "QDRANT_PATH",
        None,
        "Folder of an index without a server, for one process; it may be deleted, and is filled again from Postgres.",
    )
    qdrant_url: str | None = setting(
        "QDRANT_URL", None, "Address of the index, such as http://host:6333. Required, unless QDRANT_HOST is set."
    )
    qdrant_host: str | None = setting("QDRANT_HOST", None, "Host, when there is no QDRANT_URL.")
    qdrant_port: Port = setting("QDRANT_PORT", 6333, "Port beside QDRANT_HOST.")
    qdrant_tls: bool = setting("QDRANT_TLS", False, "Use https even when the address says http.")
    qdrant_tls_cert: Path | None = setting(
        "QDRANT_TLS_CERT",
        None,
        "File with the authorities that may sign the server's certificate; unset: the system's.",
    )
    qdrant_api_key: SecretStr | None = setting("QDRANT_API_KEY", None, "API key of the index.")
    qdrant_collection: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")] = setting(
        "QDRANT_COLLECTION",
        "memory_vectors",
        "Start of the collection's name; the embedder's revision and the layout of points are appended.",
    )

    @field_validator("qdrant_url")
    @classmethod
    def _qdrant_address(cls, value: str | None) -> str | None:
        return value and address(value, "http://HOST:6333", "http", "https")

    @property
    def qdrant_address(self) -> str | None:
        """The index's address from whichever variables are set."""
        url = self.qdrant_url or (f"http://{self.qdrant_host}:{self.qdrant_port}" if self.qdrant_host else None)
        return url.replace("http://", "https://", 1) if url and self.qdrant_tls else url
