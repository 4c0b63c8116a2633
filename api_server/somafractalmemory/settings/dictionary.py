"""The keys of the configuration dictionary: what each means, and which ones are set."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import structlog
import yaml

from somafractalmemory.errors import ConfigurationError
from somafractalmemory.settings.tree import SHARED_PATHS

log = structlog.get_logger(__name__)

VARIABLES = {
    "namespace": "SOMA_MEMORY_NAMESPACE",
    "vector_dim": "SOMA_VECTOR_DIM",
    "redis.url": "REDIS_URL",
    "redis.host": "REDIS_HOST",
    "redis.port": "REDIS_PORT",
    "redis.db": "REDIS_DB",
    "redis.password": "REDIS_PASSWORD",
    "postgres.url": "POSTGRES_URL",
    "postgres.password": "POSTGRES_PASSWORD",
    "postgres.pool_size": "POSTGRES_POOL_SIZE",
    "qdrant.url": "QDRANT_URL",
    "qdrant.path": "QDRANT_PATH",
    "qdrant.host": "QDRANT_HOST",
    "qdrant.port": "QDRANT_PORT",
    **SHARED_PATHS,
    "qdrant.api_key": "QDRANT_API_KEY",
    "infra.redis": "REDIS_HOST",
    "infra.qdrant": "QDRANT_HOST",
}
"""Each key and the variable that it stands for."""

SWITCHES = ("redis.testing", "qdrant.testing", "qdrant.location", "infra.kafka")
"""Keys that no single variable stands for."""

IDLE = {
    "model_name": "embeddings are hashed tokens beside BM25",
    "eventing.schema_registry_url": "events are checked against the schema in the code",
    "eventing.topics.memory_audit": "the audit is a table",
    "memory_enterprise.reconcile_enabled": "the index is always mended",
    "infra.postgres": "an address needs a user and a database: set postgres.url",
    "infra": "this program talks to no such service",
    "langfuse": "the predictor it belonged to is gone",
    "langfuse_public": "the predictor it belonged to is gone",
    "langfuse_secret": "the predictor it belonged to is gone",
    "langfuse_host": "the predictor it belonged to is gone",
}
"""Keys of earlier releases that are accepted and do nothing, each with the reason."""

_SECTIONS = {"redis", "postgres", "qdrant", "vector", "eventing", "eventing.topics", "memory_enterprise", "infra"}


def read_config_file(path: Path) -> dict[str, Any]:
    """The dictionary in a file of JSON or YAML, by its suffix; empty when there is no such file.

    Raises:
        ConfigurationError: another suffix, or no dictionary in that format.
    """
    if path.suffix not in {".json", ".yaml", ".yml"}:
        raise ConfigurationError(f"{path}: a configuration file ends in .json, .yaml or .yml")
    if not path.exists():
        return {}
    try:
        text = path.read_text()
        found = orjson.loads(text) if path.suffix == ".json" else yaml.safe_load(text) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path}: it cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise ConfigurationError(f"{path}: it holds no mapping; start with `redis:`, `postgres:` and so on")
    return found


def checked(config: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that are set, with dots. Raises ConfigurationError for unknown ones, all at once."""
    problems: list[str] = []
    idle: dict[str, str] = {}
    given: dict[str, Any] = {}
    for key, value in _flat(config):
        if key in VARIABLES or key in SWITCHES:
            given[key] = value
        elif reason := IDLE.get(key) or IDLE.get(key.partition(".")[0]):
            idle[key] = reason
        elif key in _SECTIONS:
            problems.append(f"{key}: a mapping is expected, such as {{{_example(key)}: …}}")
        else:
            problems.append(f"{key}: there is no such key; {_known(key)}")
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise ConfigurationError(
            f"The configuration is not usable:\n{lines}\nEvery key is explained in docs/python.md."
        )
    if idle:
        log.warning("config_keys_without_effect", **idle)
    return given


def _flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in config.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and key in _SECTIONS:
            yield from _flat(value, f"{key}.")
        elif value is not None:
            yield key, value


def _example(section: str) -> str:
    return _siblings(section)[0].rpartition(".")[2]


def _known(key: str) -> str:
    section = key.rpartition(".")[0]
    names = _siblings(section) if section else sorted({name.partition(".")[0] for name in VARIABLES})
    return f"known here: {', '.join(names)}"


def _siblings(section: str) -> list[str]:
    known = [key for key in (*VARIABLES, *SWITCHES) if key.startswith(f"{section}.")]
    return sorted(known) or sorted(VARIABLES)
