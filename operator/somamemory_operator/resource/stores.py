# ruff: noqa: RUF012 - pydantic copies the defaults of a field
"""The four stores: image, volume and settings of each."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from somamemory_operator.resource.base import DnsName, Line, Model, Quantity, rules
from somamemory_operator.resource.external import (
    ONLY_EXTERNAL,
    ExternalKafka,
    ExternalPostgres,
    ExternalQdrant,
    ExternalRedis,
)
from somamemory_operator.resource.image import Image
from somamemory_operator.resource.workload import Workload

SettingName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][-A-Za-z0-9_.]*$", max_length=256)]


class Persistence(Model):
    """The volume of a store."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                (
                    "!(has(oldSelf.enabled) && oldSelf.enabled) || !has(oldSelf.storageClassName) || "
                    "!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName"
                ),
                "the storage class of an existing volume cannot change: set storageClassName back, or take it away",
            ),
        )
    )
    enabled: bool = False
    """Whether the data is kept on a volume; without one it is lost when the pod goes."""
    size: Quantity = "5Gi"
    """Size of the volume; can grow later where the storage class allows it, never shrink."""
    storage_class_name: DnsName | None = None
    """Storage class; the cluster's default when absent. Fixed once the volume exists."""
    access_modes: Annotated[
        list[Literal["ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"]], Field(min_length=1, max_length=3)
    ] = ["ReadWriteOnce"]
    """Access modes of the volume."""


class Store(Workload):
    """One of the four stores, run by the operator."""

    image: Image = Image()
    """Image of the store."""
    persistence: Persistence = Persistence()
    """Volume of the store."""
    config: Annotated[dict[str, Line], Field(max_length=64)] = {}
    """Settings in the store's own words; those that the operator needs cannot be overridden."""


class Postgres(Store):
    """Postgres holds the truth: memories, links, versions, outbox. `config` are server settings (`-c name=value`)."""

    obeys = (ONLY_EXTERNAL,)
    external: ExternalPostgres | None = None
    """One that somebody else runs, instead."""


class Redis(Store):
    """Redis holds caches, locks and rate limits and may be lost. `config` are lines of redis.conf."""

    obeys = (ONLY_EXTERNAL,)
    external: ExternalRedis | None = None
    """One that somebody else runs, instead."""


class Qdrant(Store):
    """Qdrant is the index; it can be rebuilt from Postgres. `config` are QDRANT__… environment variables."""

    obeys = (ONLY_EXTERNAL,)
    external: ExternalQdrant | None = None
    """One that somebody else runs, instead."""


class Kafka(Store):
    """Kafka carries the events of memories. `config` are broker properties."""

    obeys = (ONLY_EXTERNAL,)
    external: ExternalKafka | None = None
    """One that somebody else runs, instead."""
