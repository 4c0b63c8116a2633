"""What each store is asked: is the login taken, is the version known, may we do what we do there."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import psycopg
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
from psycopg.conninfo import conninfo_to_dict
from redis.asyncio.sentinel import MasterNotFoundError
from redis.exceptions import AuthenticationError, NoPermissionError

from somafractalmemory.adapters.kafka_client import client_options
from somafractalmemory.adapters.postgres import connection_arguments
from somafractalmemory.adapters.postgres_login import LoginConnection
from somafractalmemory.adapters.postgres_scope import EVERYWHERE
from somafractalmemory.adapters.preflight import (
    STEP_SECONDS,
    Address,
    FailedStep,
    Finding,
    examine,
    is_about_tls,
    refuse_tls,
)
from somafractalmemory.adapters.qdrant import OLDEST_SERVER
from somafractalmemory.adapters.qdrant_http import RefusedKeyError, Rest
from somafractalmemory.adapters.redis_login import AWAY, client_of
from somafractalmemory.errors import Rejected, Unavailable
from somafractalmemory.settings import Settings, postgres_conninfo
from somafractalmemory.settings.clients import password_of, qdrant_trust, redis_tls
from somafractalmemory.settings.passwords import Password
from somafractalmemory.settings.redis_servers import kind_of, servers

OLDEST = {"postgres": (14, 0), "redis": (6, 0), "qdrant": OLDEST_SERVER}
"""The oldest releases that have what is used here."""

_RIGHTS = """
select current_setting('server_version'), current_setting('soma.namespaces', true),
    has_database_privilege(current_database(), 'create') or to_regclass('memories') is not null,
    exists (select from pg_extension where extname = 'pg_trgm')
        or exists (select from pg_available_extensions where name = 'pg_trgm')
"""


async def of_postgres(settings: Settings) -> Finding:
    """The truth."""
    arguments = connection_arguments(postgres_conninfo(settings)) | {"password": _newest(settings, "postgres")}
    known = conninfo_to_dict(arguments["conninfo"])
    hosts = str(known.get("host") or "localhost").split(",")
    ports = str(known.get("port") or "5432").split(",")
    addresses = [Address(host, int(ports[min(at, len(ports) - 1)])) for at, host in enumerate(hosts)]

    async def check() -> str:
        try:
            connection: LoginConnection[Any] = await LoginConnection.connect(**arguments)
        except psycopg.OperationalError as error:
            raise _postgres_refusal(error, addresses) from error
        async with connection:
            cursor = await connection.execute(_RIGHTS)
            version, session, may_create, has_trigrams = (await cursor.fetchone()) or ("", None, False, False)
        _known_version("postgres", version)
        if session != EVERYWHERE:
            text = "A pooler in between drops the settings of sessions: point POSTGRES_URL at Postgres itself."
            raise FailedStep("PoolerInBetween", text)
        if not has_trigrams:
            raise FailedStep("MissingRights", "Postgres has no extension pg_trgm: install its contrib package.")
        if not may_create:
            text = "Our user may not create in the database, which migrations do: grant it, or make it the owner."
            raise FailedStep("MissingRights", text)
        return str(version)

    return await examine("postgres", addresses, check)


def _postgres_refusal(error: psycopg.OperationalError, addresses: Sequence[Address]) -> FailedStep:
    """libpq tells no code of a refused connection, only whether it was asked for a password, and words."""
    said = (str(error).strip().splitlines() or ["it refuses"])[0].rpartition("FATAL:")[2].strip()
    words = said or str(error).strip().splitlines()[0]
    if re.search(r"certificate|SSL|TLS", words):
        text = f"{addresses[0]}: {words}: name the authority that signed its certificate, and its host."
        return FailedStep("TlsFailed", text)
    if "startup parameter" in words:
        return FailedStep("PoolerInBetween", f"{words}: a pooler is in between, point POSTGRES_URL at Postgres itself.")
    if error.pgconn is not None and error.pgconn.used_password:
        return FailedStep("LoginFailed", f"{words}: correct user, password or database.")
    return FailedStep("LoginFailed", f"{words}: Postgres does not let us in.")


async def of_redis(settings: Settings) -> Finding:
    """Limits and locks."""
    url = settings.redis_address or ""
    addresses = _redis_addresses(url)
    client = client_of(
        url,
        password=_newest(settings, "redis"),
        socket_timeout=STEP_SECONDS,
        socket_connect_timeout=STEP_SECONDS,
        decode_responses=True,
        **redis_tls(settings),
    )

    async def check() -> str:
        try:
            told = await client.info("server")
            told = told if "redis_version" in told else next(iter(told.values()))  # each server of a cluster answers
            version = str(told["redis_version"])
            _known_version("redis", version)
            await client.eval("return redis.call('PTTL', KEYS[1])", 1, "soma:limit:preflight")
        except AuthenticationError as error:
            raise FailedStep("LoginFailed", f"{error}: correct user or password.") from error
        except NoPermissionError as error:
            raise FailedStep("MissingRights", f"{error}: allow our user scripts and the keys soma:*.") from error
        except MasterNotFoundError as error:
            text = f"{error}: name the master as the Sentinels do, and see that it runs."
            raise FailedStep("Unreachable", text) from error
        except AWAY as error:
            if is_about_tls(error):
                refuse_tls(addresses[0], error)
            raise FailedStep("LoginFailed", f"{addresses[0]}: {error}") from error
        return version

    try:
        return await examine("redis", addresses, check)
    finally:
        await client.aclose()


async def of_qdrant(settings: Settings) -> Finding:
    """The index."""
    url = settings.qdrant_address or ""
    parts = urlsplit(url)
    addresses = [Address(parts.hostname or "localhost", parts.port or 6333)]
    key = _newest(settings, "qdrant")
    rest = Rest(
        url,
        api_key=Password("qdrant", key) if key else None,
        timeout_seconds=STEP_SECONDS,
        verify=qdrant_trust(settings),
    )

    async def check() -> str:
        try:
            root = await rest.send("GET", "/")
            version = str(root.get("version", "")) if isinstance(root, dict) else ""
            _known_version("qdrant", version)
            await rest.send("GET", "/collections")
        except RefusedKeyError as error:
            raise FailedStep("LoginFailed", f"{error}") from error
        except (Unavailable, Rejected) as error:
            if is_about_tls(error) or "ssl" in str(error).lower():
                refuse_tls(addresses[0], error)
            raise FailedStep("Unreachable", str(error)) from error
        return version

    try:
        return await examine("qdrant", addresses, check)
    finally:
        await rest.close()


def _redis_addresses(url: str) -> list[Address]:
    if kind_of(url):
        return [Address(host, port) for host, port in servers(url).hosts]
    parts = urlsplit(url)
    return [Address(parts.hostname or "localhost", parts.port or 6379)]


async def of_kafka(settings: Settings) -> Finding:
    """The events."""
    servers = (settings.kafka_bootstrap_servers or "").split(",")
    addresses = [_broker(server.strip()) for server in servers if server.strip()]
    return await examine("kafka", addresses, lambda: asyncio.to_thread(_ask_brokers, settings))


def _broker(server: str) -> Address:
    host, _, port = server.rpartition("://")[2].rpartition(":")
    return Address(host or server, int(port) if port.isdecimal() else 9092)


def _ask_brokers(settings: Settings) -> str:
    """librdkafka says why it does not get through by a callback only."""
    met: list[Any] = []
    options: dict[str, Any] = {**client_options(settings), "error_cb": met.append, "log_level": 0}
    client = AdminClient(options)
    wanted = (settings.kafka_topic, settings.kafka_dlq_topic)
    try:
        found = client.list_topics(timeout=STEP_SECONDS)
        missing = [topic for topic in wanted if topic not in found.topics]
        if missing:
            new = [NewTopic(topic, settings.kafka_partitions, settings.kafka_replication) for topic in missing]
            for future in client.create_topics(new, validate_only=True, request_timeout=STEP_SECONDS).values():
                future.result(STEP_SECONDS)
    except KafkaException as error:
        while client.poll(0):  # the callback is served by nothing else
            pass
        raise _kafka_refusal(error.args[0], met) from error
    return f"{len(found.brokers)} brokers"


def _kafka_refusal(error: Any, met: Sequence[Any]) -> FailedStep:
    codes = {each.code() for each in (error, *met)}
    words = str(next((each for each in met if each.code() in _TELLING), error))
    if KafkaError._SSL in codes:  # noqa: SLF001 - librdkafka's own codes have such names
        return FailedStep("TlsFailed", f"{words}: name the authority that signed the brokers' certificates.")
    if KafkaError._AUTHENTICATION in codes or KafkaError.SASL_AUTHENTICATION_FAILED in codes:  # noqa: SLF001
        return FailedStep("LoginFailed", f"{words}: correct mechanism, user or password.")
    if codes & {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED}:
        return FailedStep("MissingRights", f"{words}: create the topics, or allow our user to.")
    if codes & {KafkaError.INVALID_REPLICATION_FACTOR, KafkaError.POLICY_VIOLATION}:
        return FailedStep("MissingRights", f"{words}: create the topics, or set KAFKA_TOPIC_REPLICATION.")
    return FailedStep("Unreachable", f"{words}: the brokers' own addresses (advertised.listeners) have to be reached.")


_TELLING = {KafkaError._SSL, KafkaError._AUTHENTICATION}  # noqa: SLF001


def _newest(settings: Settings, store: str) -> str | None:
    """The one that is to be valid: that the one before it still is, is no answer here."""
    password = password_of(settings, store)
    return password.newest if password is not None else None


def _known_version(store: str, version: str) -> None:
    found = re.match(r"(\d+)(?:\.(\d+))?", version)
    oldest = OLDEST[store]
    if found is None or (int(found[1]), int(found[2] or 0)) < oldest:
        text = f"{store} is of version {version or '(unknown)'}: {'.'.join(map(str, oldest))} or newer is needed."
        raise FailedStep("UnsupportedVersion", text)


CHECKS = {"postgres": of_postgres, "redis": of_redis, "qdrant": of_qdrant, "kafka": of_kafka}
