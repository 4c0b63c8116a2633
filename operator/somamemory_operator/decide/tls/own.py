"""An authority of the operator's own: it signs everything, and is replaced in time or when asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from somamemory_operator.decide.tls.choice import Choice
from somamemory_operator.decide.tls.hosts import hosts, parts
from somamemory_operator.decide.tls.mint import AUTHORITY_LIFE, Mint
from somamemory_operator.decide.tls.pairs import CHAIN, KEY, pair_in, renewal, usable
from somamemory_operator.decide.tls.trust import Trust
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, World, at
from somamemory_operator.model.x509 import Pair, certificates_in, facts
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.resource.tls import Tls, seconds

NEXT_CHAIN, NEXT_KEY = "next.crt", "next.key"
"""The authority that is to sign once every program trusts it."""
_SLACK = timedelta(minutes=1)


@dataclass(frozen=True)
class Signing:
    """Everything that is needed to sign; without a `now` no time passes."""

    memory: SomaMemory
    mint: Mint
    now: datetime | None

    @property
    def chosen(self) -> Tls:
        return self.memory.spec.tls

    @property
    def life(self) -> timedelta:
        return timedelta(seconds=seconds(self.chosen.duration))

    def authority(self) -> Pair:
        return self.mint.authority(f"{self.memory.namespace}/{self.memory.name}")

    def is_to_go(self, signing: Pair, answered: str | None) -> bool:
        """Whether an authority is old, or asked to be replaced."""
        late = min(max(AUTHORITY_LIFE / 5, 3 * self.life), AUTHORITY_LIFE / 2)
        is_old = self.now is not None and facts(signing).ends - self.now < late
        return is_old or (self.chosen.rotate is not None and self.chosen.rotate != answered)

    def renewed(self, part: Component, live: Pair | None, signing: Pair | None) -> Pair:
        """The certificate in force while it is good for everything, else another."""
        if signing is None:
            raise AssertionError("there is an authority, or one is made")
        wanted = hosts(self.memory, part)
        if live is not None and self._is_good(live, wanted, _own(signing)):
            return live
        return self.mint.sign(signing, names.child(self.memory.name, part), wanted, self.life)

    def _is_good(self, live: Pair, wanted: list[str], authority: x509.Certificate) -> bool:
        found, now = facts(live), self.now
        if not found.leads_to([authority]) or found.lacks(wanted):
            return False
        return now is None or (now < renewal(found, self.chosen) and found.ends - now < self.life + _SLACK)


def by_operator(world: World, signing: Signing, live: Mapping[Component, Pair], trust: Trust) -> Choice:
    """What is signed here; while there is no authority that may sign, what is in force stays."""
    secret = world.get("Secret", names.authority(signing.memory.name))
    now, coming, answered = _authorities(secret, signing, is_first=not live)
    if coming is not None and _own(coming) in trust.known:
        now, coming = coming, None
    wanted = tuple(_own(pair) for pair in (coming, now) if pair is not None)
    pairs = {part: signing.renewed(part, live.get(part), now or coming) for part in parts(signing.memory)}
    if now is None:  # nobody trusts the one that is coming: only where there is nothing better
        pairs |= live
    kept = {
        CHAIN: now and now.chain,
        KEY: now and now.key,
        NEXT_CHAIN: coming and coming.chain,
        NEXT_KEY: coming and coming.key,
    }
    return Choice(
        pairs,
        trust.with_new(wanted, at_once=not live and not trust.trusted),
        wanted,
        authority={name: text for name, text in kept.items() if text},
        authority_marks={names.REQUEST_ANNOTATION: answered} if answered else {},
    )


def authority_ends(memory: SomaMemory, world: World) -> datetime | None:
    """Until when the authority may sign, None without one."""
    signing = _sound(pair_in(world.get("Secret", names.authority(memory.name))))
    return facts(signing).ends if signing is not None else None


def _authorities(
    secret: Obj | None, signing: Signing, *, is_first: bool
) -> tuple[Pair | None, Pair | None, str | None]:
    """The one that signs, the one that is to sign, and the request that was answered last."""
    now, coming = _sound(pair_in(secret)), _sound(pair_in(secret, NEXT_CHAIN, NEXT_KEY))
    answered = at(secret, "metadata", "annotations", names.REQUEST_ANNOTATION)
    if now is None and coming is None and is_first:
        return signing.authority(), None, signing.chosen.rotate
    if coming is None and (now is None or signing.is_to_go(now, answered)):
        return now, signing.authority(), signing.chosen.rotate
    return now, coming, answered


def _sound(pair: Pair | None) -> Pair | None:
    return pair if pair is not None and usable(pair) is not None else None


def _own(authority: Pair) -> x509.Certificate:
    return certificates_in(authority.chain)[0]
