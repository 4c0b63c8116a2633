# ruff: noqa: RUF012 - pydantic copies the defaults of a field
"""How a SomaMemory is watched by Prometheus: each part is off until its field is written."""

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, StringConstraints

from somamemory_operator.resource.base import Annotations, Labels, Line, Model, Rule, rules
from somamemory_operator.resource.relabeling import Relabelings

Duration = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}(s|m|h)$", max_length=7)]
"""A time as Prometheus writes it, such as 30s, 5m or 1h; 0s is none."""


def _seconds(duration: str) -> int:
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]


def _some(text: str) -> str:
    if not re.search("[1-9]", text):
        raise ValueError(_SOME)
    return text


def _plain(text: str) -> str:
    if "{{" in text:
        raise ValueError(_PLAIN)
    return text


_SOME = "must be longer than 0"
_PLAIN = "is plain text: {{ would begin a template of Prometheus"
Span = Annotated[Duration, AfterValidator(_some), Field(json_schema_extra=rules(("self.matches('[1-9]')", _SOME)))]
"""A time that is longer than none: Prometheus counts over nothing shorter."""
Severity = Annotated[Line, AfterValidator(_plain), Field(json_schema_extra=rules(("!self.contains('{{')", _PLAIN)))]
Share = Annotated[float, Field(ge=0, le=1)]


class ServiceMonitor(Model):
    """How Prometheus scrapes API and consumer."""

    obeys: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "duration(has(self.scrapeTimeout) ? self.scrapeTimeout : '5s') <= "
            "duration(has(self.interval) ? self.interval : '30s')",
            "scrapeTimeout must not be longer than interval",
            lambda self: _seconds(self.scrape_timeout) <= _seconds(self.interval),
        ),
    )
    enabled: bool = True
    """Whether API and consumer have a ServiceMonitor."""
    interval: Span = "30s"
    """How often they are scraped."""
    scrape_timeout: Span = "5s"
    """How long a scrape may take."""
    labels: Labels = {}
    """Further labels of the ServiceMonitors."""
    annotations: Annotations = {}
    """Annotations of the ServiceMonitors."""
    relabelings: Relabelings = []
    """Changes of labels before a scrape."""
    metric_relabelings: Relabelings = []
    """Changes of labels before what was scraped is stored."""


class Alert(Model):
    """What every alert has; each kind has its own defaults."""

    enabled: bool = True
    """Whether there is this alert."""
    window: Span = "5m"
    """The time over which is counted."""
    lasting: Annotated[Duration, Field(alias="for")] = "5m"
    """How long it must be so before the alert fires."""
    severity: Severity = "warning"
    """Value of the label severity."""


class LatencyAlert(Alert):
    """SomaAPIHighLatency: requests take long."""

    percentile: Annotated[float, Field(ge=0.01, le=0.999)] = 0.95
    """Which share of the requests must be quicker."""
    threshold_seconds: Annotated[float, Field(ge=0.001, le=600)] = 0.75
    """Than this."""


class ErrorRateAlert(Alert):
    """SomaAPIHighErrorRate: many requests are answered by 5xx."""

    lasting: Annotated[Duration, Field(alias="for")] = "10m"
    """How long it must be so before the alert fires."""
    severity: Severity = "critical"
    """Value of the label severity."""
    threshold: Share = 0.05
    """Share of the requests from which it fires."""


class FailuresAlert(Alert):
    """SomaConsumerProcessingFailures: events cannot be applied."""

    threshold_per_second: Annotated[float, Field(ge=0, le=1_000_000)] = 0.1
    """Failed attempts per second from which it fires."""


class StallAlert(Alert):
    """SomaConsumerStalled: messages wait, and none is applied."""

    window: Span = "10m"
    """The time over which is counted."""
    lasting: Annotated[Duration, Field(alias="for")] = "10m"
    """How long it must be so before the alert fires."""
    severity: Severity = "critical"
    """Value of the label severity."""
    min_messages: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1
    """How many messages wait at least."""


class VolumeAlert(Model):
    """SomaVolumeAlmostFull: a volume of a store fills up. The kubelet tells how full it is."""

    enabled: bool = True
    """Whether there is this alert."""
    lasting: Annotated[Duration, Field(alias="for")] = "10m"
    """How long it must be so before the alert fires."""
    severity: Severity = "warning"
    """Value of the label severity."""
    threshold: Share = 0.8
    """Used share of the volume from which it fires."""


class BackupAlert(Model):
    """SomaBackupOverdue: the newest dump is too old. The operator's own metrics tell, so it must be scraped, too."""

    enabled: bool = True
    """Whether there is this alert; without spec.backup there is none."""
    lasting: Annotated[Duration, Field(alias="for")] = "10m"
    """How long it must be so before the alert fires."""
    severity: Severity = "critical"
    """Value of the label severity."""


class CertificateAlert(Model):
    """SomaCertificateExpiring: a certificate is not renewed in time, as the operator's own metrics tell."""

    enabled: bool = True
    """Whether there is this alert; without TLS there is none."""
    lasting: Annotated[Duration, Field(alias="for")] = "1m"
    """How long it must be so before the alert fires."""
    severity: Severity = "critical"
    """Value of the label severity."""


class PrometheusRule(Model):
    """The alerts."""

    enabled: bool = True
    """Whether there is a PrometheusRule."""
    labels: Labels = {}
    """Further labels of the PrometheusRule."""
    annotations: Annotations = {}
    """Annotations of the PrometheusRule."""
    latency: LatencyAlert = LatencyAlert()
    """Requests take long."""
    error_rate: ErrorRateAlert = ErrorRateAlert()
    """Many requests are answered by 5xx."""
    failures: FailuresAlert = FailuresAlert()
    """Events cannot be applied."""
    stall: StallAlert = StallAlert()
    """Messages wait, and none is applied."""
    volume: VolumeAlert = VolumeAlert()
    """A volume fills up."""
    backup: BackupAlert = BackupAlert()
    """The newest dump is too old."""
    certificate: CertificateAlert = CertificateAlert()
    """A certificate is not renewed in time."""


class Monitoring(Model):
    """How Prometheus watches; needs the resource definitions of the Prometheus operator."""

    labels: Labels = {}
    """Labels by which your Prometheus finds its ServiceMonitors and PrometheusRules, such as release."""
    service_monitor: ServiceMonitor | None = None
    """How API and consumer are scraped; not by ServiceMonitors when absent."""
    prometheus_rule: PrometheusRule | None = None
    """The alerts; none when absent."""
