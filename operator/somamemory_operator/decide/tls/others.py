"""Certificates that others make: cert-manager, or whoever fills the Secrets that the spec names."""

from collections.abc import Mapping
from datetime import datetime

from cryptography import x509

from somamemory_operator.decide.sources import Gap, decoded
from somamemory_operator.decide.tls.choice import Choice
from somamemory_operator.decide.tls.hosts import needed, origins
from somamemory_operator.decide.tls.pairs import CHAIN, KEY, TRUST, pair_in
from somamemory_operator.decide.tls.trust import Trust
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import World
from somamemory_operator.model.reasons import Reason
from somamemory_operator.model.x509 import Pair, UnusableError, as_pkcs8, certificates_in, facts
from somamemory_operator.resource.somamemory import SomaMemory

Offer = tuple[Pair, list[x509.Certificate]]


def by_others(
    memory: SomaMemory, world: World, live: Mapping[Component, Pair], trust: Trust, now: datetime | None
) -> Choice:
    """What their Secrets say: a pair comes into force when it can be used and every program trusts its authority."""
    found = {part: _offer(memory, world, part, name, now) for part, name in origins(memory).items()}
    offers = {part: offer for part, offer in found.items() if not isinstance(offer, Gap)}
    gaps = tuple(dict.fromkeys(offer for offer in found.values() if isinstance(offer, Gap)))
    wanted = tuple(dict.fromkeys(each for _, authorities in offers.values() for each in authorities))
    trust, pairs = trust.with_new(wanted, at_once=not live and not trust.trusted), dict(live)
    for part, (pair, _) in offers.items():
        if part not in live or facts(pair).leads_to(trust.known):
            pairs[part] = pair
    return Choice(pairs, trust, wanted, gaps)


def gaps(memory: SomaMemory, world: World, now: datetime | None) -> tuple[Gap, ...]:
    """What their Secrets lack."""
    found = (_offer(memory, world, part, name, now) for part, name in origins(memory).items())
    return tuple(dict.fromkeys(offer for offer in found if isinstance(offer, Gap)))


def _offer(memory: SomaMemory, world: World, part: Component, name: str, now: datetime | None) -> Offer | Gap:
    secret = world.brought.get(name)
    if secret is None:
        return _absent(memory, world, name)
    values, pair = decoded(secret), pair_in(secret)
    if pair is None or TRUST not in values:
        missing = next(key for key in (CHAIN, KEY, TRUST) if key not in values)
        return Gap(Reason.KEY_MISSING, f"Secret {name} has nothing under the key {missing}: add it.")
    try:
        return _checked(pair, certificates_in(values[TRUST]), needed(memory, part), now)
    except UnusableError as error:
        return Gap(Reason.CERTIFICATE_INVALID, f"The certificate in Secret {name} {error}: correct it.")


def _checked(pair: Pair, authorities: list[x509.Certificate], wanted: list[str], now: datetime | None) -> Offer:
    found = facts(pair)
    if now is not None and not found.begins <= now < found.ends:
        raise UnusableError(f"is good from {found.begins:%Y-%m-%dT%H:%M:%SZ} to {found.ends:%Y-%m-%dT%H:%M:%SZ} only")
    if not found.leads_to(authorities):
        raise UnusableError("is not signed by an authority that is under ca.crt")
    if not found.is_rooted_in(authorities):
        raise UnusableError("leads to no authority under ca.crt that signed itself: add that one, too")
    if not found.is_for_servers:
        raise UnusableError("is not for servers: its extended key usage lacks server authentication")
    if lacking := found.lacks(wanted):
        raise UnusableError(f"is not for the host name {lacking[0]} (docs/tls.md lists those of every part)")
    return Pair(pair.chain, as_pkcs8(pair.key)), authorities


def _absent(memory: SomaMemory, world: World, name: str) -> Gap:
    if (unread := world.unread_secrets.get(name)) is not None:
        return Gap(unread.reason, unread.message)
    if memory.spec.tls.source == "existing":
        return Gap(
            Reason.SECRET_MISSING, f"There is no Secret {name}: create it, or name another in spec.tls.existing."
        )
    if "Certificate" in world.unserved:
        text = (
            "The cluster does not serve Certificate (cert-manager.io/v1) to the operator: install cert-manager (it is "
            "noticed within a minute), or choose another spec.tls.source."
        )
        return Gap(Reason.KIND_MISSING, text)
    remedy = f"`kubectl describe certificate -n {memory.namespace} {name}` says why"
    return Gap(Reason.SECRET_MISSING, f"cert-manager has made no Secret {name} yet: {remedy}.")
