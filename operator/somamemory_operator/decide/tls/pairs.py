"""The certificates that are in force, as pods mount them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from somamemory_operator.decide.sources import decoded
from somamemory_operator.decide.tls.hosts import parts
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, World
from somamemory_operator.model.x509 import Facts, Pair, UnusableError, facts
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.resource.tls import Tls, seconds

CHAIN, KEY, TRUST = "tls.crt", "tls.key", "ca.crt"
"""The files, as in a Secret of type kubernetes.io/tls."""
_TRAVEL = timedelta(seconds=100)
"""What a renewal needs at least: the kubelet brings a change into a pod within 90 seconds, a server reads it in 10."""


def live_pairs(memory: SomaMemory, world: World) -> dict[Component, Pair]:
    """What is in force now, as far as it can be used."""
    secrets = {part: world.get("Secret", names.certificate(memory.name, part)) for part in parts(memory)}
    found = {part: pair_in(secret) for part, secret in secrets.items()}
    return {part: pair for part, pair in found.items() if pair is not None and usable(pair) is not None}


def pair_in(secret: Obj | None, chain: str = CHAIN, key: str = KEY) -> Pair | None:
    """The certificate of a Secret, None when it has none."""
    values = decoded(secret)
    if chain not in values or key not in values:
        return None
    return Pair(f"{values[chain]}\n", f"{values[key]}\n")


def usable(pair: Pair) -> Facts | None:
    """What it says; None when nothing can be made of it."""
    try:
        return facts(pair)
    except UnusableError:
        return None


def renewal(found: Facts, chosen: Tls) -> datetime:
    """When a certificate is to be renewed."""
    life = found.ends - found.begins
    before = timedelta(seconds=seconds(chosen.renew_before)) if chosen.renew_before else life / 3
    most = life * 5 / 6  # or it would be due as soon as it is made
    return found.ends - min(max(before, _TRAVEL), most)


def ends(memory: SomaMemory, world: World) -> Iterator[tuple[Component, datetime, datetime]]:
    """Of every certificate in force: whose it is, when it is to be renewed, when it ends."""
    for part, pair in live_pairs(memory, world).items():
        found = facts(pair)
        yield part, renewal(found, memory.spec.tls), found.ends
