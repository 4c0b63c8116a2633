"""The configuration dictionary of `create_memory_system`, and of configuration files, as settings and what opens them.

A key of the dictionary wins over the environment, which wins over the default. Keys that nobody knows are refused;
keys whose purpose is gone are named in one warning with the reason.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import urlsplit

import orjson

from somafractalmemory.errors import ConfigurationError
from somafractalmemory.settings import SECRETS, Settings, load_settings
from somafractalmemory.settings.dictionary import SWITCHES, VARIABLES, checked
from somafractalmemory.wiring import ApiRuntime, open_api, open_embedded

Opener = Callable[[Settings], AbstractAsyncContextManager[ApiRuntime]]
_ADDRESSES = {
    "redis": ("REDIS_URL", "REDIS_HOST", "REDIS_PORT", "REDIS_DB"),
    "qdrant": ("QDRANT_URL", "QDRANT_HOST", "QDRANT_PORT", "QDRANT_TLS", "QDRANT_PATH", "SOMA_VECTOR_BACKEND"),
}
_BROKER = "localhost:9092"
_IN_MEMORY = ":memory:"
_OTHER_TOKENS = ("SOMA_API_TOKEN_FILE", "SOMA_API_TOKENS_FILE", "SOMA_OIDC_")


def settings_from_config(
    config: Mapping[str, Any] | None = None,
    *,
    namespace: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[Settings, Opener]:
    """The settings of a service inside this process, and what opens it.

    The service has no rate limit, and its only token is a fresh one, in the settings. It needs no store at all when
    the dictionary says `redis.testing`, `qdrant.testing` or `vector.backend: memory` and names no Postgres.

    Args:
        config: the dictionary, as in the documentation of `create_memory_system`; None: the environment decides all.
        namespace: wins over the dictionary and the environment.
        environment: instead of the process's own.

    Raises:
        ConfigurationError: lists every wrong or unknown key with its remedy.
    """
    given = checked(config or {})
    variables = _merged(dict(os.environ if environment is None else environment), given)
    if namespace is not None:
        variables["SOMA_MEMORY_NAMESPACE"] = namespace
    embedded = _is_embedded(given)
    variables |= {"SOMA_API_TOKEN": secrets.token_urlsafe(32), "SOMA_RATE_LIMIT_MAX": "0"}
    for name in [name for name in variables if name.startswith(_OTHER_TOKENS)]:
        del variables[name]
    if not embedded and "KAFKA_BOOTSTRAP_SERVERS" not in variables:
        variables["KAFKA_BOOTSTRAP_SERVERS"] = _BROKER  # as ever; while nobody answers, events wait in the outbox
    try:
        settings = load_settings(variables, for_command="serve --embedded" if embedded else "serve")
    except ConfigurationError as error:
        raise ConfigurationError(_with_keys(str(error), given)) from None
    return settings, open_embedded if embedded else open_api


def _merged(variables: dict[str, str], given: Mapping[str, Any]) -> dict[str, str]:
    """The environment with the dictionary over it: an address is taken from one of them, never from both."""
    chosen = {section for section in _ADDRESSES if _chooses_address(section, given)}
    for name in [name for section in chosen for name in _ADDRESSES[section]]:
        variables.pop(name, None)
    for key in given:
        if key in VARIABLES:
            variables[VARIABLES[key]] = _text(given[key])
    for name in SECRETS:
        if any(VARIABLES.get(key) == name for key in given):
            variables.pop(f"{name}_FILE", None)
    location = str(given.get("qdrant.location", ""))
    if given.get("qdrant.testing") or location == _IN_MEMORY:
        variables["SOMA_VECTOR_BACKEND"] = "memory"
    elif "qdrant" in chosen:
        _complete_qdrant(variables, location)
    if "redis" in chosen and not given.get("redis.testing"):
        _complete_redis(variables)
    if "infra.kafka" in given:
        variables.setdefault("KAFKA_BOOTSTRAP_SERVERS", f"{given['infra.kafka']}:9092")
    return variables


def _chooses_address(section: str, given: Mapping[str, Any]) -> bool:
    names = _ADDRESSES[section]
    own = [key for key, value in given.items() if key.startswith((f"{section}.", "infra.")) and value is not False]
    return any(VARIABLES.get(key) in names or (key in SWITCHES and key.startswith(section)) for key in own)


def _complete_qdrant(variables: dict[str, str], location: str) -> None:
    """The whole address, so that a configuration file adds no part; a location is an address or a host."""
    host = variables.get("QDRANT_HOST") or location
    if "://" in location:
        variables["QDRANT_URL"] = location
    elif host:
        variables.setdefault("QDRANT_URL", f"http://{host}:{variables.get('QDRANT_PORT', '6333')}")
    variables.setdefault("QDRANT_TLS", "false")


def _complete_redis(variables: dict[str, str]) -> None:
    """Every part of the address, so that a configuration file adds none."""
    try:
        parts = urlsplit(variables.get("REDIS_URL", ""))
        host, port, db = parts.hostname, parts.port, parts.path.strip("/")
    except ValueError:  # told when the settings are read
        return
    variables.setdefault("REDIS_URL", "redis://localhost:6379/0")
    variables.setdefault("REDIS_HOST", host or "localhost")
    variables.setdefault("REDIS_PORT", str(port or 6379))
    variables.setdefault("REDIS_DB", db or "0")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return orjson.dumps(value).decode() if isinstance(value, list | tuple | Mapping) else str(value)


def _is_embedded(given: Mapping[str, Any]) -> bool:
    in_process = (
        given.get("redis.testing")
        or given.get("qdrant.testing")
        or given.get("qdrant.location") == _IN_MEMORY
        or given.get("vector.backend") == "memory"
    )
    return bool(in_process) and "postgres.url" not in given


def _with_keys(message: str, given: Mapping[str, Any]) -> str:
    """The message with the keys of the dictionary beside the variables that they stand for."""
    for key in given:
        if name := VARIABLES.get(key):
            message = message.replace(f"- {name}:", f"- {key} ({name}):")
    return message
