"""How it stands with certificates: where they come from, until when they are good. Never a key."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from somamemory_operator.decide.tls.certificates import in_force, source_of
from somamemory_operator.decide.tls.hosts import parts
from somamemory_operator.decide.tls.others import gaps
from somamemory_operator.decide.tls.own import authority_ends
from somamemory_operator.decide.tls.pairs import ends
from somamemory_operator.decide.tls.trust import trust
from somamemory_operator.model import names
from somamemory_operator.model.conditions import Condition
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, World
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory

TYPE = "TlsReady"


class _Shown(NamedTuple):
    """A certificate in force, ordered by its end."""

    ends: datetime
    renewed: datetime
    part: Component


def tls_ready(memory: SomaMemory, world: World, now: datetime) -> Iterator[Condition]:
    """The condition, where TLS is wanted, or missing without anybody having said so."""
    source = source_of(memory, world)
    if source == "none":
        yield from _plain(memory)
        return
    if (unread := world.unread.get("Secret") or world.unread.get("ConfigMap")) is not None:
        yield Condition(TYPE, "Unknown", unread.reason, unread.message)
        return
    shown = _shown(memory, world)
    if found := gaps(memory, world, now):
        told = " ".join(gap.message for gap in found)
        yield Condition(TYPE, "False", found[0].reason, f"{told} {_kept(memory, world, shown)}")
    elif len(shown) < len(parts(memory)):
        yield Condition(TYPE, "False", Reason.WAITING, "The certificates are still to be written.")
    else:
        yield _ageing(memory, shown[0], now) or _coming(memory, world) or _good(source, shown)


def told(memory: SomaMemory, world: World) -> Obj | None:
    """`.status.tls`: the source of what is in force, and the times of the certificate that ends first."""
    shown, source = _shown(memory, world), in_force(memory, world)
    if not shown or source is None:
        return None
    last = authority_ends(memory, world)
    made = {
        "source": source,
        "renewsAt": _text(min(each.renewed for each in shown)),
        "endsAt": _text(shown[0].ends),
        "authorityEndsAt": _text(last) if last is not None else None,
        "authorities": names.trust(memory.name),
    }
    return {key: value for key, value in made.items() if value}


def _plain(memory: SomaMemory) -> Iterator[Condition]:
    if memory.spec.tls.source is None and memory.spec.profile == "production":
        text = (
            "The parts speak plain text, because this SomaMemory is older than the choice: set spec.tls.source to "
            "operator, which restarts everything once, or to none if that is meant."
        )
        yield Condition(TYPE, "False", Reason.NOT_ENCRYPTED, text)


def _kept(memory: SomaMemory, world: World, shown: list[_Shown]) -> str:
    if shown:
        return "What runs goes on with the certificates from before."
    is_running = in_force(memory, world) is None and world.get("Secret", names.credentials(memory.name)) is not None
    return "What runs goes on in plain text." if is_running else "Nothing starts before."


def _ageing(memory: SomaMemory, first: _Shown, now: datetime) -> Condition | None:
    """Half of the time for its renewal has gone by, and nothing has come."""
    if now <= first.renewed + (first.ends - first.renewed) / 2:
        return None
    is_over = now > first.ends
    text = (
        f"The certificate of {first.part} {'has ended' if is_over else 'ends'} at {_text(first.ends)} and was to be "
        f"renewed at {_text(first.renewed)}: {_remedy(memory)}."
    )
    return Condition(TYPE, "False", Reason.CERTIFICATE_EXPIRING, text)


def _remedy(memory: SomaMemory) -> str:
    chosen = memory.spec.tls.source
    if chosen == "existing":
        return "put a new one into your Secret"
    if chosen == "certManager":
        return f"`kubectl get certificate,certificaterequest -n {memory.namespace}` says why cert-manager does not"
    return "the log of the operator says why it does not"


def _coming(memory: SomaMemory, world: World) -> Condition | None:
    if not trust(memory, world).coming:
        return None
    by = "they are restarted for it" if memory.spec.secrets.rollout == "operator" else "restart them, nobody else does"
    if memory.spec.secrets.rollout == "reloader":
        by = "Reloader restarts them for it"
    text = f"Another authority comes into force once API and consumer trust it, too: {by}."
    return Condition(TYPE, "False", Reason.ROTATING, text)


def _good(source: str, shown: list[_Shown]) -> Condition:
    end = _text(shown[0].ends)
    text = f"Everything speaks TLS; certificates come from {source}, and the first of them ends at {end}."
    return Condition(TYPE, "True", Reason.READY, text)


def _shown(memory: SomaMemory, world: World) -> list[_Shown]:
    return sorted(_Shown(end, renewed, part) for part, renewed, end in ends(memory, world))


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
