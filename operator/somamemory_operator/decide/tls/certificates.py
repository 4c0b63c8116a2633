"""Which certificates the parts show, and which authorities the programs trust.

Whatever the source, one rule keeps every connection working: a certificate comes into force only once its authority is
trusted by every program that runs. So another authority comes in three steps:

    trusted: a ──b is to sign──> trusted: b, a (programs roll) ──all know b──> certificates of b ──later──> trusted: b

A renewal by the same authority is no more than other files, which servers read again. Everything is remembered in the
Secrets and the ConfigMap that pods mount, so the operator may be killed anywhere; a source that goes away, or says
something that cannot be used, changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from somamemory_operator.decide.credentials import secret_names
from somamemory_operator.decide.plan import Plan
from somamemory_operator.decide.sources import Gap, decoded
from somamemory_operator.decide.tls.choice import Choice
from somamemory_operator.decide.tls.hosts import parts
from somamemory_operator.decide.tls.mint import Mint
from somamemory_operator.decide.tls.others import by_others
from somamemory_operator.decide.tls.own import Signing, by_operator
from somamemory_operator.decide.tls.pairs import CHAIN, live_pairs
from somamemory_operator.decide.tls.trust import Trust, trust
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Key, World, at, key_of
from somamemory_operator.model.x509 import Pair, facts, pem_of
from somamemory_operator.resource.somamemory import SomaMemory


@dataclass(frozen=True)
class Certificates:
    """What pods mount; nothing is shown when printed. With the source `none` plain text is spoken.

    `authority` is what the operator signs with; `gaps` say what the source lacks.
    """

    source: str = "none"
    pairs: Mapping[Component, Pair] = field(default_factory=dict, repr=False)
    bundle: str = ""
    marks: Mapping[str, str] = field(default_factory=dict)
    """Annotations of the ConfigMap with the bundle."""
    authority: Mapping[str, str] = field(default_factory=dict, repr=False)
    authority_marks: Mapping[str, str] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    is_complete: bool = True

    @property
    def is_on(self) -> bool:
        return self.source != "none"

    @property
    def ordinal(self) -> str:
        """How many times a new authority has come: rolls the programs."""
        return self.marks.get(names.TRUST_ANNOTATION, "1")

    @property
    def record(self) -> dict[str, str]:
        """What the credentials remember."""
        return {names.TLS_ANNOTATION: self.source} if self.is_on else {}


PLAIN = Certificates()
"""Nothing is encrypted."""


def certificates(world: World, memory: SomaMemory, mint: Mint, now: datetime | None = None) -> Certificates:
    """What is to be in force. Without a `now` no time passes: nothing is renewed and nothing retires."""
    blind = next((world.unread[kind] for kind in _LOOKED_AT if kind in world.unread), None)
    if blind is not None and (memory.spec.tls.source or memory.spec.profile) not in ("none", "development"):
        return _unknown(world, memory, Gap(blind.reason, blind.message))
    source = source_of(memory, world)
    if source == "none":
        return PLAIN
    live, trusted = live_pairs(memory, world), trust(memory, world)
    source, choice = _chosen(world, Signing(memory, mint, now), source, live, trusted)
    is_complete = choice.pairs.keys() >= set(parts(memory))
    if not is_complete and in_force(memory, world) is None and _exists(memory, world):
        return Certificates(gaps=choice.gaps)  # it goes on in plain text until everything is there
    return _made(source, memory, choice, now, is_complete=is_complete)


_LOOKED_AT = ("Secret", "ConfigMap", "Pod")
"""Kinds that say what is in force. Decided without one of them, an authority that all trust would be replaced."""


def _unknown(world: World, memory: SomaMemory, why: Gap) -> Certificates:
    """What is there stays, and nothing that depends on it is changed."""
    kept = decoded(world.get("Secret", names.authority(memory.name)))
    return Certificates(
        "operator", live_pairs(memory, world), authority=kept or {CHAIN: ""}, gaps=(why,), is_complete=False
    )


def _chosen(
    world: World, signing: Signing, source: str, live: Mapping[Component, Pair], trusted: Trust
) -> tuple[str, Choice]:
    """By the source; while another one than the operator says nothing that can be used, the operator's goes on."""
    memory = signing.memory
    if source == "operator":
        return source, by_operator(world, signing, live, trusted)
    choice = by_others(memory, world, live, trusted, signing.now)
    if choice.gaps and in_force(memory, world) == "operator":
        return "operator", replace(by_operator(world, signing, live, trusted), gaps=choice.gaps)
    return source, choice


def _made(source: str, memory: SomaMemory, choice: Choice, now: datetime | None, *, is_complete: bool) -> Certificates:
    pairs = {part: pair for part, pair in choice.pairs.items() if part in parts(memory)}
    shown = [facts(pair) for pair in pairs.values()]
    unused = [
        each
        for each in choice.trust.trusted
        if each not in choice.wanted and not any(found.leads_to([each]) for found in shown)
    ]
    trusted = choice.trust.without(unused, now)
    return Certificates(
        source,
        pairs,
        pem_of(trusted.trusted),
        trusted.marks(),
        choice.authority,
        choice.authority_marks,
        choice.gaps,
        is_complete,
    )


def source_of(memory: SomaMemory, world: World) -> str:
    """Where certificates are to come from. While the spec says nothing, what runs goes on as it is."""
    if memory.spec.tls.source is not None:
        return memory.spec.tls.source
    if in_force(memory, world) is not None:
        return "operator"
    return "operator" if memory.spec.profile == "production" and not _exists(memory, world) else "none"


def in_force(memory: SomaMemory, world: World) -> str | None:
    """The source of what is in force, None when that is plain text."""
    secrets = (world.get("Secret", name) for name in secret_names(memory.name))
    found = (at(secret, "metadata", "annotations", names.TLS_ANNOTATION) for secret in secrets)
    said = next((str(each) for each in found if each), None)
    return said or ("operator" if live_pairs(memory, world) else None)


def renewals(plan: Plan, memory: SomaMemory, world: World) -> Plan:
    """The part of a plan that keeps certificates from ending: whatever else of a spec is refused, time goes on."""
    own = {Key("Secret", names.certificate(memory.name, part)) for part in parts(memory)}
    own |= {Key("Secret", names.authority(memory.name)), Key("ConfigMap", names.trust(memory.name))}
    applies = (body for body in plan.applies if key_of(body) in own and key_of(body) in world.children)
    return Plan(applies=tuple(applies))


def _exists(memory: SomaMemory, world: World) -> bool:
    return any(world.get("Secret", name) is not None for name in secret_names(memory.name))
