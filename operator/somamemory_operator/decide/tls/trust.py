"""The authorities that the programs trust, as the ConfigMap that they mount remembers them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography import x509

from somamemory_operator.decide.tls.pairs import TRUST
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, World, applied_at, at, component_of
from somamemory_operator.model.x509 import certificates_in, fingerprint
from somamemory_operator.resource.somamemory import SomaMemory

RETIRED = timedelta(minutes=15)
"""How long an authority stays trusted after its last certificate went out of force: far longer than files travel."""


@dataclass(frozen=True)
class Trust:
    """Those that are in the bundle, those of them that not everybody knows, and since when some are of no use."""

    trusted: tuple[x509.Certificate, ...] = ()
    coming: frozenset[str] = frozenset()
    ordinal: int = 1
    retiring: datetime | None = None

    @property
    def known(self) -> list[x509.Certificate]:
        """Those that every program trusts."""
        return [each for each in self.trusted if _short(each) not in self.coming]

    def with_new(self, wanted: Iterable[x509.Certificate], *, at_once: bool) -> "Trust":
        """With what is wanted: known at once when nothing is in force yet, else once the programs have rolled."""
        new = tuple(dict.fromkeys(each for each in wanted if each not in self.trusted))
        if not new:
            return self
        if at_once:
            return Trust(new, ordinal=self.ordinal)
        coming = self.coming | {_short(each) for each in new}
        return replace(self, trusted=(*new, *self.trusted), coming=coming, ordinal=self.ordinal + 1)

    def without(self, unused: Sequence[x509.Certificate], now: datetime | None) -> "Trust":
        """Without those that nobody has needed for a while. Without a `now` no time passes."""
        if not unused or now is None:
            return replace(self, retiring=self.retiring if unused else None)
        since = self.retiring or now
        if now - since <= RETIRED:
            return replace(self, retiring=since)
        return replace(self, trusted=tuple(each for each in self.trusted if each not in unused), retiring=None)

    def marks(self) -> dict[str, str]:
        """As annotations."""
        made = {names.TRUST_ANNOTATION: str(self.ordinal)}
        if self.coming:
            made[names.COMING_ANNOTATION] = ",".join(sorted(self.coming))
        if self.retiring:
            made[names.RETIRING_ANNOTATION] = self.retiring.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return made


def trust(memory: SomaMemory, world: World) -> Trust:
    """As it is now."""
    live = world.get("ConfigMap", names.trust(memory.name))
    annotations = at(live, "metadata", "annotations") or {}
    said, since = str(annotations.get(names.TRUST_ANNOTATION) or ""), annotations.get(names.RETIRING_ANNOTATION)
    ordinal = int(said) if said.isdecimal() else 1
    coming = frozenset(filter(None, str(annotations.get(names.COMING_ANNOTATION) or "").split(",")))
    if coming and _programs_know(world, live, ordinal):
        coming = frozenset()
    bundle = str(at(live, "data", TRUST) or "")
    retiring = datetime.fromisoformat(since) if since else None
    return Trust(tuple(certificates_in(bundle)), coming, ordinal, retiring)


def _programs_know(world: World, bundle: Obj | None, ordinal: int) -> bool:
    """Whether every pod of ours began with this bundle, as its mark or its age says; those on their way out count."""
    changed = applied_at(bundle) if bundle is not None else None
    for pod in world.of_kind("Pod"):
        if component_of(pod) not in (Component.API, Component.CONSUMER):
            continue
        born = at(pod, "metadata", "creationTimestamp")
        is_younger = changed is not None and born is not None and datetime.fromisoformat(born) > changed
        if at(pod, "metadata", "annotations", names.TRUST_ANNOTATION) != str(ordinal) and not is_younger:
            return False
    return True


def _short(authority: x509.Certificate) -> str:
    return fingerprint(authority)[:16]
