"""The authorities that the programs trust, as the ConfigMap that they mount remembers them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography import x509

from somamemory_operator.decide.sources import decoded
from somamemory_operator.decide.tls.hosts import parts
from somamemory_operator.decide.tls.pairs import TRUST
from somamemory_operator.model import names
from somamemory_operator.model.jobs import is_at_work
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
    """As it is now. When the ConfigMap is lost or empty, what stands beside the parts' certificates says the same."""
    live = world.get("ConfigMap", names.trust(memory.name))
    annotations = at(live, "metadata", "annotations") or {}
    ordinal = _number(annotations.get(names.TRUST_ANNOTATION)) or _begun_with(memory, world)
    coming = frozenset(filter(None, str(annotations.get(names.COMING_ANNOTATION) or "").split(",")))
    if coming and "Pod" not in world.unread and _programs_know(world, live, ordinal):
        coming = frozenset()
    bundle = certificates_in(str(at(live, "data", TRUST) or ""))
    retiring = _moment(annotations.get(names.RETIRING_ANNOTATION))
    return Trust(tuple(bundle or _shown_beside(memory, world)), coming, ordinal, retiring)


def _shown_beside(memory: SomaMemory, world: World) -> list[x509.Certificate]:
    """The authorities in the Secrets of the parts, as they were written last."""
    secrets = (decoded(world.get("Secret", names.certificate(memory.name, part))) for part in parts(memory))
    found = (each for secret in secrets for each in certificates_in(f"{secret.get(TRUST, '')}\n"))
    return list(dict.fromkeys(found))


def _begun_with(memory: SomaMemory, world: World) -> int:
    """The ordinal that the programs' templates say, 1 when they say none."""
    clients = (names.child(memory.name, part) for part in (Component.API, Component.CONSUMER))
    live = (world.get("Deployment", name) for name in clients)
    path = ("spec", "template", "metadata", "annotations", names.TRUST_ANNOTATION)
    return max((_number(at(obj, *path)) for obj in live), default=0) or 1


def _number(said: object) -> int:
    return int(str(said)) if str(said).isdecimal() else 0


def _moment(said: object) -> datetime | None:
    """What somebody has edited into something else is as good as absent."""
    try:
        found = datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _programs_know(world: World, bundle: Obj | None, ordinal: int) -> bool:
    """Whether every pod of ours began with this bundle, as its mark or its age says; those on their way out count."""
    changed = applied_at(bundle) if bundle is not None else None
    for pod in world.of_kind("Pod"):
        if component_of(pod) not in (Component.API, Component.CONSUMER) or not is_at_work(pod):
            continue
        born = at(pod, "metadata", "creationTimestamp")
        is_younger = changed is not None and born is not None and datetime.fromisoformat(born) > changed
        if at(pod, "metadata", "annotations", names.TRUST_ANNOTATION) != str(ordinal) and not is_younger:
            return False
    return True


def _short(authority: x509.Certificate) -> str:
    return fingerprint(authority)[:16]
