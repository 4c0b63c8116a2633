# ruff: noqa: RUF012 - pydantic copies the defaults of a field
"""How a SomaMemory is watched by Prometheus: each part is off until its field is written."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from somamemory_operator.resource.base import Annotations, Labels, Line, Model, rules

Duration = Annotated[str, StringConstraints(pattern=r"^[0-9]+(s|m|h)$", max_length=16)]
"""A time as Prometheus writes it, such as 30s, 5m or 1h."""
Share = Annotated[float, Field(ge=0, le=1)]
SeriesLabel = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=128)]

RelabelAction = Literal[
    "replace",
    "keep",
    "drop",
    "hashmod",
    "labelmap",
    "labeldrop",
    "labelkeep",
    "lowercase",
    "uppercase",
    "keepequal",
    "dropequal",
]


class Relabeling(Model):
    """A rule that changes the labels of what is scraped, in Prometheus' own words."""

    source_labels: Annotated[list[SeriesLabel], Field(max_length=16)] | None = None
    """Labels whose values are joined."""
    separator: Annotated[str, StringConstraints(max_length=16)] | None = None
    """What joins them."""
    target_label: SeriesLabel | None = None
    """Label that gets the result."""
    regex: Line | None = None
    """What the joined value must match."""
    modulus: Annotated[int, Field(ge=1)] | None = None
    """Modulus of the action hashmod."""
    replacement: Line | None = None
    """What the label gets, with $1 for what matched."""
    action: RelabelAction | None = None
    """What is done."""


Relabelings = Annotated[list[Relabeling], Field(max_length=32)]


class ServiceMonitor(Model):
    """How Prometheus scrapes API and consumer."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                (
                    "duration(has(self.scrapeTimeout) ? self.scrapeTimeout : '5s') <= "
                    "duration(has(self.interval) ? self.interval : '30s')"
                ),
                "scrapeTimeout must not be longer than interval",
            )
        )
    )
    enabled: bool = True
    """Whether API and consumer have a ServiceMonitor."""
    interval: Duration = "30s"
    """How often they are scraped."""
    scrape_timeout: Duration = "5s"
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
    window: Duration = "5m"
    """The time over which is counted."""
    lasting: Annotated[Duration, Field(alias="for")] = "5m"
    """How long it must be so before the alert fires."""
    severity: Line = "warning"
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
    severity: Line = "critical"
    """Value of the label severity."""
    threshold: Share = 0.05
    """Share of the requests from which it fires."""


class FailuresAlert(Alert):
    """SomaConsumerProcessingFailures: events cannot be applied."""

    threshold_per_second: Annotated[float, Field(ge=0, le=1_000_000)] = 0.1
    """Failed attempts per second from which it fires."""


class StallAlert(Alert):
    """SomaConsumerStalled: messages wait, and none is applied."""

    window: Duration = "10m"
    """The time over which is counted."""
    lasting: Annotated[Duration, Field(alias="for")] = "10m"
    """How long it must be so before the alert fires."""
    severity: Line = "critical"
    """Value of the label severity."""
    min_messages: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1
    """How many messages wait at least."""


class VolumeAlert(Model):
    """SomaVolumeAlmostFull: a volume of a store fills up. The kubelet tells how full it is."""

    enabled: bool = True
    """Whether there is this alert."""
    lasting: Annotated[Duration, Field(alias="for")] = "10m"
    """How long it must be so before the alert fires."""
    severity: Line = "warning"
    """Value of the label severity."""
    threshold: Share = 0.8
    """Used share of the volume from which it fires."""


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


class Monitoring(Model):
    """How Prometheus watches; needs the resource definitions of the Prometheus operator."""

    labels: Labels = {}
    """Labels by which your Prometheus finds its ServiceMonitors and PrometheusRules, such as release."""
    service_monitor: ServiceMonitor | None = None
    """How API and consumer are scraped; not by ServiceMonitors when absent."""
    prometheus_rule: PrometheusRule | None = None
    """The alerts; none when absent."""
