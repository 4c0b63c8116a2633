# ruff: noqa: RUF012 - pydantic copies the defaults of a field
"""TLS between the parts and towards the clients: where certificates come from."""

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from somamemory_operator.resource.base import DnsName, Model, Rule

Duration = Annotated[str, StringConstraints(pattern=r"^([0-9]{1,6}(s|m|h))+$", max_length=32)]
"""A time such as 2160h, 1h30m or 2m."""
Name = Annotated[
    str, StringConstraints(pattern=r"^(\*\.)?[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$|^[0-9a-fA-F:.]+$", max_length=253)
]
"""A host name, with a star in front or not, or an IP address."""
SHORTEST_SECONDS = 120
LONGEST_HOURS = 17_520
"""Two years: an authority lasts ten, and must outlive what it signs by far."""


def seconds(duration: str) -> int:
    """How long a time is."""
    units = {"s": 1, "m": 60, "h": 3600}
    return sum(int(count) * units[unit] for count, unit in re.findall(r"([0-9]+)([smh])", duration))


class IssuerRef(Model):
    """The issuer of cert-manager that signs."""

    name: DnsName
    """Its name."""
    kind: Literal["Issuer", "ClusterIssuer"] = "Issuer"
    """Its kind; others, of other groups, go by `group`."""
    group: DnsName = "cert-manager.io"
    """Its API group."""


class CertManager(Model):
    """Certificates (cert-manager.io/v1) that the operator makes. The issuer must tell its own certificate in ca.crt."""

    issuer_ref: IssuerRef
    """The issuer that signs them."""


class ExistingTls(Model):
    """Secrets of yours with tls.crt, tls.key and ca.crt, such as kubernetes.io/tls has them."""

    obeys = (
        Rule(
            "has(self.name) || (has(self.api) && has(self.postgres) && has(self.redis) && has(self.qdrant) "
            "&& has(self.kafka))",
            "existing names too few Secrets: set name for all parts, or one for each of api, postgres, redis, qdrant, "
            "kafka",
            lambda it: it.name is not None or all((it.api, it.postgres, it.redis, it.qdrant, it.kafka)),
        ),
    )
    name: DnsName | None = None
    """Secret for every part that has no entry of its own; its certificate has the host names of all of them."""
    api: DnsName | None = None
    """Secret of the API, over HTTP and gRPC."""
    postgres: DnsName | None = None
    """Secret of Postgres."""
    redis: DnsName | None = None
    """Secret of Redis."""
    qdrant: DnsName | None = None
    """Secret of Qdrant."""
    kafka: DnsName | None = None
    """Secret of Kafka."""


class Tls(Model):
    """TLS between the parts and towards the clients."""

    obeys = (
        Rule(
            "(has(self.source) && self.source == 'certManager') == has(self.certManager)",
            "source: certManager and certManager go together: set both or none",
            lambda it: (it.source == "certManager") == (it.cert_manager is not None),
        ),
        Rule(
            "(has(self.source) && self.source == 'existing') == has(self.existing)",
            "source: existing and existing go together: set both or none",
            lambda it: (it.source == "existing") == (it.existing is not None),
        ),
        Rule(
            f"!has(self.duration) || duration(self.duration) >= duration('{SHORTEST_SECONDS}s')",
            f"duration is at least {SHORTEST_SECONDS}s: a change of a certificate takes that long to reach every pod",
            lambda it: seconds(it.duration) >= SHORTEST_SECONDS,
        ),
        Rule(
            f"!has(self.duration) || duration(self.duration) <= duration('{LONGEST_HOURS}h')",
            f"duration is at most {LONGEST_HOURS}h, two years",
            lambda it: seconds(it.duration) <= 3600 * LONGEST_HOURS,
        ),
        Rule(
            "!has(self.renewBefore) || duration(self.renewBefore) < "
            "duration(has(self.duration) ? self.duration : '2160h')",
            "renewBefore must be shorter than duration",
            lambda it: it.renew_before is None or seconds(it.renew_before) < seconds(it.duration),
        ),
    )
    source: Literal["operator", "certManager", "existing", "none"] | None = None
    """`operator`: an authority of its own; `certManager`: Certificates of cert-manager; `existing`: Secrets of yours;
    `none`: plain text. Default: operator in the profile production, none in development. A SomaMemory that was made
    before there was a choice stays without until one is made."""
    duration: Duration = "2160h"
    """How long certificates are valid."""
    renew_before: Duration | None = None
    """How long before their end they are renewed (default: a third of their time)."""
    rotate: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    """Any new value, such as a date, has the operator's authority replaced once; both are trusted meanwhile."""
    names: Annotated[list[Name], Field(max_length=32)] = []
    """Further host names and IP addresses by which clients reach the API."""
    cert_manager: CertManager | None = None
    """What cert-manager is to sign with."""
    existing: ExistingTls | None = None
    """Your Secrets."""
