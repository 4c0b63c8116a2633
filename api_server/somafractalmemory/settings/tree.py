"""All groups as one, and the two ways to name each of their fields."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Self

from pydantic import AliasChoices, PrivateAttr, SecretStr

from somafractalmemory.settings.events import EventSettings
from somafractalmemory.settings.fields import Group
from somafractalmemory.settings.grpc import GrpcSettings
from somafractalmemory.settings.lifecycle import LifecycleSettings
from somafractalmemory.settings.server import ServerSettings
from somafractalmemory.settings.service import ServiceSettings
from somafractalmemory.settings.stores import PostgresSettings, QdrantSettings, RedisSettings

GROUPS: tuple[type[Group], ...] = (
    ServiceSettings, LifecycleSettings, PostgresSettings, RedisSettings, QdrantSettings, EventSettings, ServerSettings,
    GrpcSettings,
)  # fmt: skip


class Settings(
    ServiceSettings,
    LifecycleSettings,
    PostgresSettings,
    RedisSettings,
    QdrantSettings,
    EventSettings,
    ServerSettings,
    GrpcSettings,
):
    """Everything that is configured, checked."""

    _secret_files: dict[str, Path] = PrivateAttr(default_factory=dict)

    @property
    def secret_files(self) -> Mapping[str, Path]:
        """The files that secrets came from, by the names of their variables: they may change while a program runs."""
        return self._secret_files

    def from_files(self, files: Mapping[str, Path]) -> Self:
        """These settings, which remember the files of their secrets."""
        self._secret_files.update(files)
        return self


def variables(field: str) -> tuple[str, ...]:
    """The names of a field's variable, the one to use first."""
    alias = Settings.model_fields[field].validation_alias
    return tuple(map(str, alias.choices)) if isinstance(alias, AliasChoices) else ()


SECRETS = tuple(
    variables(name)[0]
    for name, field in Settings.model_fields.items()
    if field.annotation == SecretStr | None and name != "api_token"  # which has a file of its own
)
"""Those that may come from the file that VARIABLE_FILE names."""

SHARED_PATHS = {
    "api_port": "UVICORN_PORT",
    "grpc_port": "SOMA_GRPC_PORT",
    "vector.backend": "SOMA_VECTOR_BACKEND",
    "qdrant.https": "QDRANT_TLS",
    "eventing.enabled": "EVENTING_ENABLED",
    "eventing.bootstrap_servers": "KAFKA_BOOTSTRAP_SERVERS",
    "eventing.topics.memory_events": "KAFKA_MEMORY_EVENTS_TOPIC",
    "eventing.topics.memory_dlq": "KAFKA_MEMORY_DLQ_TOPIC",
    "memory_enterprise.vector_dim": "SOMA_VECTOR_DIM",
    "memory_enterprise.max_memory_size": "SOMA_MAX_MEMORY_SIZE",
    "memory_enterprise.pruning_interval_seconds": "SOMA_PRUNING_INTERVAL_SECONDS",
    "memory_enterprise.decay_enabled": "SOMA_DECAY_ENABLED",
    "memory_enterprise.decay_thresholds_seconds": "SOMA_DECAY_THRESHOLDS_SECONDS",
    "memory_enterprise.decayable_keys_by_level": "SOMA_DECAYABLE_KEYS_BY_LEVEL",
}
"""Keys of earlier releases that mean the same in a file and in the dictionary of a program."""


@cache
def canonical() -> dict[str, str]:
    """Each name of each variable, with the name to use."""
    names = {name: variables(field)[0] for field in Settings.model_fields for name in variables(field)}
    return names | {f"{name}_FILE": f"{name}_FILE" for name in SECRETS}


@cache
def paths() -> dict[str, str]:
    """Each place in a file, such as `postgres.url`, with the variable that it stands for."""
    names = {name: name for name in canonical()}
    others = {place: name for place, name in SHARED_PATHS.items() if name in names}
    return {**{name: canonical()[name] for name in names}, **dict(_places()), **others}


def _places() -> Iterator[tuple[str, str]]:
    for group in GROUPS:
        for field in group.model_fields:
            key = field.removeprefix(f"{group.section}_")
            place = f"{group.section}.{key}" if group.section and key != field else field
            yield place, variables(field)[0]
            if f"{variables(field)[0]}_FILE" in canonical():
                yield f"{place}_file", f"{variables(field)[0]}_FILE"
