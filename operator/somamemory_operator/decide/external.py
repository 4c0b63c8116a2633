"""Stores that somebody else runs: which they are, what their Secrets say, and what must not be left behind.

What users' Secrets hold is copied into one of our own, file by file. A Secret that goes away takes nothing with it: the
last good copy stays. How a store is found to be is told by its preflight Job.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from somamemory_operator.decide.rotation import PREVIOUS
from somamemory_operator.decide.sources import (
    POSTGRES_PASSWORD,
    QDRANT_API_KEY,
    REDIS_PASSWORD,
    Gap,
    Origin,
    decoded,
)
from somamemory_operator.model import names
from somamemory_operator.model.jobs import is_complete
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import Obj, World, at, component_of, encoded
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.external import ExternalKafka, ExternalMutualTls, ExternalRedis, ExternalTls
from somamemory_operator.resource.somamemory import SomaMemory

KAFKA_PASSWORD = "KAFKA_SASL_PASSWORD"  # noqa: S105 - the name of a key
_KEYS = {
    Component.POSTGRES: POSTGRES_PASSWORD,
    Component.REDIS: REDIS_PASSWORD,
    Component.QDRANT: QDRANT_API_KEY,
    Component.KAFKA: KAFKA_PASSWORD,
}


@dataclass(frozen=True)
class Files:
    """What the pods mount, by the names of the files, and what the users' Secrets lack for it."""

    values: Mapping[str, str] = field(repr=False)
    gaps: tuple[Gap, ...] = ()

    def data(self) -> dict[str, str]:
        """As it stands in a Secret."""
        return {name: encoded(value) for name, value in self.values.items()}


def of(memory: SomaMemory, store: Component) -> Any:
    """What the spec says about a store that somebody else runs, None when the operator runs it."""
    return getattr(memory.spec, store.value).external


def stores(memory: SomaMemory) -> tuple[Component, ...]:
    """Those that somebody else runs."""
    return tuple(store for store in STORES if of(memory, store) is not None)


def targets(memory: SomaMemory, store: Component) -> list[tuple[str, int]]:
    """Hosts and ports of a store that somebody else runs. Kafka's brokers may name further ones of themselves."""
    chosen = of(memory, store)
    if chosen is None:
        return []
    if isinstance(chosen, ExternalKafka):
        pairs = (server.rpartition(":") for server in chosen.bootstrap_servers.split(","))
        return [(host, int(port)) for host, _, port in pairs]
    if isinstance(chosen, ExternalRedis) and chosen.sentinel is not None:
        asked = (host.partition(":") for host in chosen.sentinel.hosts)
        return [*((host, int(port or 26379)) for host, _, port in asked), ("", chosen.port)]  # and whom they name
    return [(chosen.host, chosen.port)]


def ca_file(store: Component) -> str:
    """The file with the authority that signed a store's certificate."""
    return f"{store.value}-ca.crt"


def client_file(store: Component, kind: str) -> str:
    """The file with our own certificate (`crt`) for a store, or with its key (`key`)."""
    return f"{store.value}-client.{kind}"


def client_secret(tls: ExternalTls) -> str | None:
    """The Secret with our own certificate, None when the store asks for none."""
    named = tls.client_secret if isinstance(tls, ExternalMutualTls) and tls.enabled else None
    return named.name if named is not None else None


def origins(memory: SomaMemory) -> dict[str, Origin]:
    """Where each file is read."""
    found: dict[str, Origin] = {}
    for store in stores(memory):
        chosen = of(memory, store)
        login = chosen.sasl if isinstance(chosen, ExternalKafka) else chosen
        if login is not None and login.secret_ref is not None:
            found[_KEYS[store]] = Origin(login.secret_ref.name, login.secret_ref.key)
        if chosen.tls.enabled and chosen.tls.ca_secret is not None:
            found[ca_file(store)] = Origin(chosen.tls.ca_secret.name, chosen.tls.ca_secret.key)
        if (own := client_secret(chosen.tls)) is not None:
            found |= {client_file(store, key): Origin(own, f"tls.{key}") for key in ("crt", "key")}
    return found


def secrets_of(memory: SomaMemory) -> frozenset[str]:
    """The names of the users' Secrets that are to be looked at."""
    return frozenset(origin.secret for origin in origins(memory).values())


def files(memory: SomaMemory, world: World) -> Files:
    """The files: what the users' Secrets say now, else what they said last."""
    kept = decoded(world.get("Secret", names.external_credentials(memory.name)))
    values: dict[str, str] = {}
    gaps: dict[Gap, None] = {}
    for name, origin in origins(memory).items():
        value = decoded(world.brought.get(origin.secret)).get(origin.key)
        if value is None:
            gaps[_gap(world, origin)] = None
            value = kept.get(name)
        if value is not None:
            values[name] = value
    return Files(values | dict(_before(values, kept)), tuple(gaps))


def _before(values: Mapping[str, str], kept: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The passwords of before: the new one may be a mistake, or not be known to the store yet."""
    for name in values.keys() & _KEYS.values():
        previous = f"{name}{PREVIOUS}"
        other = kept.get(previous) if kept.get(name) in (None, values[name]) else kept[name]
        if other is not None:
            yield previous, other


def is_complete_for(memory: SomaMemory, found: Files) -> bool:
    """Whether there is something in every file."""
    return found.values.keys() >= origins(memory).keys()


def finding(world: World, store: Component, job: Obj | None) -> tuple[Reason, str]:
    """How a store is found to be, by the newest pod that has tried it: at first that of its Job, then one now and then.

    A pod that could not try anything says nothing, so what was found before stands.
    """
    if job is None:
        return Reason.WAITING, "It is still to be tried."
    passed = str(at(job, "status", "completionTime") or "") if is_complete(job) else None
    newest = max((each for each in _endings(world, store) if each.at >= (passed or "")), default=None)
    if newest is not None and not newest.is_good:
        return _read(newest.message, store)
    if passed is not None or newest is not None:
        return Reason.READY, "Somebody else runs it; it can be used."
    return Reason.PREFLIGHT_RUNNING, "It is being tried: name, port, TLS, login."


class _Ending(NamedTuple):
    """When a pod that tried a store has ended, and what it said last."""

    at: str
    is_good: bool
    message: str


def _endings(world: World, store: Component) -> Iterator[_Ending]:
    for pod in world.of_kind("Pod"):
        tried = str(at(pod, "metadata", "annotations", names.STORE_ANNOTATION) or "").split(",")
        if store.value not in tried or component_of(pod) != Component.PREFLIGHT:
            continue
        for status in at(pod, "status", "containerStatuses") or ():
            ended = at(status, "state", "terminated") or at(status, "lastState", "terminated")
            if ended and (ended.get("exitCode") == 0 or ended.get("message")):
                is_good, told = ended.get("exitCode") == 0, str(ended.get("message") or "")
                yield _Ending(str(ended.get("finishedAt") or ""), is_good, told)


def _read(told: str, store: Component) -> tuple[Reason, str]:
    """One JSON object by store; whatever else stands there is not ours, and is not passed on."""
    for line in reversed(told.strip().splitlines()):
        try:
            said = json.loads(line)[store.value]
            return Reason(said["reason"]), str(said["message"])[:1000]
        except (json.JSONDecodeError, KeyError, TypeError, ValueError):
            continue
    return Reason.PREFLIGHT_FAILED, "It could not be tried: the log of its preflight Job says why."


def _gap(world: World, origin: Origin) -> Gap:
    if (unread := world.unread_secrets.get(origin.secret)) is not None:
        return Gap(unread.reason, unread.message)
    if origin.secret not in world.brought:
        return Gap(Reason.SECRET_MISSING, f"There is no Secret {origin.secret}: create it, or name another.")
    text = f"Secret {origin.secret} has nothing under the key {origin.key}: add it, or name another."
    return Gap(Reason.KEY_MISSING, text)
