"""The operator's own settings, read once at the start from SOMAMEMORY_… environment variables."""

import hashlib
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from somamemory_operator import __version__
from somamemory_operator.model.names import HASH_LENGTH, STORES


class Settings(BaseSettings):
    """Everything about the operator that an administrator decides, with defaults that work."""

    model_config = SettingsConfigDict(env_prefix="SOMAMEMORY_", frozen=True, use_attribute_docstrings=True)

    version: str = __version__
    """Release of API and consumer that a SomaMemory without `spec.version` gets."""
    image_api: str = f"docker.io/somatechlat/soma-memory-api:{__version__}"
    """Image of API, consumer and migration, as a full reference."""
    image_postgres: str = "docker.io/library/postgres:16"
    """Image of Postgres."""
    image_redis: str = "docker.io/library/redis:7"
    """Image of Redis."""
    image_qdrant: str = "docker.io/qdrant/qdrant:v1.16.3-unprivileged"
    """Image of Qdrant."""
    image_kafka: str = "docker.io/apache/kafka:4.1.0"
    """Image of Kafka."""

    watch_namespaces: Annotated[tuple[str, ...], NoDecode] = ()
    """Namespaces to look after, separated by commas; empty means all of them."""
    resync_seconds: float = Field(default=300.0, gt=0)
    """How often every SomaMemory is looked at although nothing happened (with jitter)."""
    workers: int = Field(default=4, ge=1, le=64)
    """How many SomaMemories are reconciled at the same time at most."""
    metrics_port: int = Field(default=8080, ge=0, le=65535)
    """Port of /healthz, /readyz and /metrics; 0 takes a free one."""
    lease_name: str = "somamemory-operator"
    """Name of the Lease that elects the one working replica."""
    lease_namespace: str = ""
    """Namespace of the Lease; empty means the namespace of the operator's own pod."""
    leader_election: bool = True
    """Whether replicas elect a leader; turn off only for a single process outside a cluster."""
    identity: str = ""
    """Name of this replica in the Lease; empty means the host name."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """How much is logged."""
    log_format: Literal["json", "console"] = "json"
    """Logs for machines or for people."""

    @property
    def release(self) -> str:
        """What a user agrees to: the operator's release, marked where its store images are not that release's own."""
        fields = [f"image_{store.value}" for store in STORES]
        images = [getattr(self, field) for field in fields]
        if images == [type(self).model_fields[field].default for field in fields]:
            return __version__
        return f"{__version__}+{hashlib.sha256(' '.join(images).encode()).hexdigest()[:HASH_LENGTH]}"

    @field_validator("watch_namespaces", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Accept `a,b` as well as a list."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value
