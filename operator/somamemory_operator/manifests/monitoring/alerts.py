"""The alerts, as Prometheus rules. Every metric but the kubelet's is one that our programs export, as a test holds.

Series are chosen by namespace and pod, which every way of scraping pods tells, whatever it calls its jobs; those of the
operator, which are about other namespaces than its own, by their own labels.
"""

from collections.abc import Iterator

from somamemory_operator.manifests.parts.context import Context
from somamemory_operator.model import names
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import Obj
from somamemory_operator.resource.monitoring import Alert, BackupAlert, CertificateAlert, PrometheusRule, VolumeAlert

_PROBES = "/|/healthz|/readyz|/health|/metrics"
_NO_PROBES = f'endpoint!~"{_PROBES}",exported_endpoint!~"{_PROBES}"'
"""What kubelet and Prometheus ask for themselves says nothing about the clients' requests.

Other ways of scraping than ours may call the port `endpoint`, and the route then `exported_endpoint`."""


def rules(context: Context, chosen: PrometheusRule) -> list[Obj]:
    """Every alert that is wanted of something that is there."""
    found = [
        *_of_api(context, chosen),
        *_of_volumes(context, chosen.volume),
        *_of_backup(context, chosen.backup),
        *_of_certificates(context, chosen.certificate),
    ]
    return [*found, *(_of_consumer(context, chosen) if context.spec.consumer.enabled else ())]


def _of_api(context: Context, chosen: PrometheusRule) -> Iterator[Obj]:
    pods = _pods(context, Component.API)
    latency, errors = chosen.latency, chosen.error_rate
    if latency.enabled:
        buckets = f"rate(api_request_latency_seconds_bucket{{{pods},{_NO_PROBES}}}[{latency.window}])"
        yield _alert(
            context,
            "SomaAPIHighLatency",
            latency,
            f"histogram_quantile({latency.percentile:g}, sum by (le) ({buckets})) > {latency.threshold_seconds:g}",
            summary=f"The API of {context.name} is slow.",
            description=f"{100 * latency.percentile:g}% of its requests should be answered within "
            f"{1000 * latency.threshold_seconds:g} ms; over {latency.window} that took "
            "{{ $value | humanizeDuration }}.",
        )
    if errors.enabled:
        total = f"sum(rate(api_responses_total{{{pods},{_NO_PROBES}}}[{errors.window}]))"
        failed = f'sum(rate(api_responses_total{{{pods},{_NO_PROBES},status=~"5.."}}[{errors.window}]))'
        yield _alert(
            context,
            "SomaAPIHighErrorRate",
            errors,
            f"{failed} / {total} > {errors.threshold:g}",
            summary=f"The API of {context.name} fails.",
            description=f"Over {errors.window} 5xx answered {{{{ $value | humanizePercentage }}}} of its requests.",
        )


def _of_consumer(context: Context, chosen: PrometheusRule) -> Iterator[Obj]:
    pods = _pods(context, Component.CONSUMER)
    failures, stall = chosen.failures, chosen.stall
    if failures.enabled:
        rate = f"sum by (component) (rate(consumer_process_failure_total{{{pods}}}[{failures.window}]))"
        yield _alert(
            context,
            "SomaConsumerProcessingFailures",
            failures,
            f"{rate} > {failures.threshold_per_second:g}",
            summary=f"The consumer of {context.name} cannot apply events.",
            description="In {{ $labels.component }} {{ $value | humanize }} attempts per second fail over "
            f"{failures.window}.",
        )
    if stall.enabled:
        yield _alert(
            context,
            "SomaConsumerStalled",
            stall,
            _stalled(pods, stall.window, stall.min_messages),
            summary=f"The consumer of {context.name} stands still.",
            description=f"Messages wait or are tried again and again, but over {stall.window} none was applied.",
        )


def _stalled(pods: str, window: str, messages: int) -> str:
    """Work there is, and none gets done. A batch in hand does not count as waiting, but is seen to be tried again."""
    waiting = f"sum(consumer_lag_messages{{{pods}}}) >= {messages}"
    trying = f"sum(increase(consumer_retries_total{{{pods}}}[{window}])) > 0"
    done = [f"sum(increase({name}{{{pods}}}[{window}])) > 0" for name in _PROGRESS]
    return f"({waiting} or {trying}) unless ({' or '.join(done)})"


_PROGRESS = ("consumer_process_success_total", "consumer_dead_letters_total")


def _of_volumes(context: Context, chosen: VolumeAlert) -> Iterator[Obj]:
    stores = [store for store in STORES if context.store(store).persistence.enabled]
    backup = context.spec.backup
    if not chosen.enabled or not (stores or backup):
        return
    claims = [f"{names.claim(context.name, store).removesuffix('-0')}-[0-9]+" for store in stores]
    if backup is not None:
        claims.append(backup.volume.existing_claim or names.child(context.name, Component.BACKUP))
    series = f'namespace="{context.memory.namespace}",persistentvolumeclaim=~"{"|".join(claims)}"'
    used, there = (f"kubelet_volume_stats_{what}_bytes{{{series}}}" for what in ("used", "capacity"))
    yield _alert(
        context,
        "SomaVolumeAlmostFull",
        chosen,
        f"max by (persistentvolumeclaim) ({used} / {there}) > {chosen.threshold:g}",
        summary=f"A volume of {context.name} fills up.",
        description="{{ $labels.persistentvolumeclaim }} is {{ $value | humanizePercentage }} full: raise "
        "persistence.size of its store, or volume.size of the backup.",
    )


def _of_backup(context: Context, chosen: BackupAlert) -> Iterator[Obj]:
    backup = context.spec.backup
    if not chosen.enabled or backup is None or not backup.enabled:
        return
    series = _of_operator(context, "somamemory_backup_overdue_timestamp_seconds")
    yield _alert(
        context,
        "SomaBackupOverdue",
        chosen,
        f"time() - max({series}) > 0",
        summary=f"The newest dump of {context.name} is too old.",
        description="The next dump is overdue by {{ $value | humanizeDuration }}: the condition BackupReady says why.",
    )


def _of_certificates(context: Context, chosen: CertificateAlert) -> Iterator[Obj]:
    """Once half of the time for the renewal has gone by, whatever the lives of certificates."""
    if not chosen.enabled or not context.certificates.is_on:
        return
    renewal = _of_operator(context, "somamemory_certificate_renewal_timestamp_seconds")
    end = _of_operator(context, "somamemory_certificate_end_timestamp_seconds")
    yield _alert(
        context,
        "SomaCertificateExpiring",
        chosen,
        f"time() - (max({renewal}) + max({end})) / 2 > 0",
        summary=f"A certificate of {context.name} is not renewed.",
        description="Half of the time for its renewal has gone by: the condition TlsReady says why.",
    )


def _of_operator(context: Context, metric: str) -> str:
    """A scrape that puts the operator's own namespace on its series calls the one that they are about exported."""
    about, space = f'name="{context.name}"', f'namespace="{context.memory.namespace}"'
    return f'{metric}{{exported_{space},{about}}} or {metric}{{{space},exported_namespace="",{about}}}'


def _alert(
    context: Context,
    name: str,
    chosen: Alert | BackupAlert | CertificateAlert | VolumeAlert,
    expr: str,
    *,
    summary: str,
    description: str,
) -> Obj:
    labels = {"severity": chosen.severity, "namespace": context.memory.namespace, names.SINGULAR: context.name}
    texts = {"summary": summary, "description": description}
    return {"alert": name, "expr": expr, "for": chosen.lasting, "labels": labels, "annotations": texts}


def _pods(context: Context, component: Component) -> str:
    """`demo-api-5c9f8d7b6d-x7k2p`, and not those of another SomaMemory called demo-api."""
    pods = f"{names.child(context.name, component)}-[a-z0-9]+-[a-z0-9]+"
    return f'namespace="{context.memory.namespace}",pod=~"{pods}"'
