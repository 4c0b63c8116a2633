"""What every source of certificates answers with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography import x509

from somamemory_operator.decide.sources import Gap
from somamemory_operator.decide.tls.trust import Trust
from somamemory_operator.model.names import Component
from somamemory_operator.model.x509 import Pair


@dataclass(frozen=True)
class Choice:
    """What a source offers: the certificates to be in force, whom to trust for it, and what it lacks.

    `wanted` are its own authorities; `authority` is the content of the Secret that the operator signs by.
    """

    pairs: Mapping[Component, Pair] = field(repr=False)
    trust: Trust
    wanted: tuple[x509.Certificate, ...]
    gaps: tuple[Gap, ...] = ()
    authority: Mapping[str, str] = field(default_factory=dict, repr=False)
    authority_marks: Mapping[str, str] = field(default_factory=dict)
