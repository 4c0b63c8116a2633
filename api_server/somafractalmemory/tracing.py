"""One trace from an HTTP request over the outbox and Kafka to the consumer, where OpenTelemetry is there and wanted.

Only OpenTelemetry's own variables configure it: without an `OTEL_EXPORTER_OTLP_ENDPOINT`, or without the libraries,
every function here does nothing. Spans leave by a bounded queue on a thread of their own; too many are dropped.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

_WANTED = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_SCOPE = "somafractalmemory"


class _Tracing:
    """What this process traces with; nothing until it is told."""

    provider: Any = None


def active() -> bool:
    """Whether anything is traced."""
    return _Tracing.provider is not None


def use(provider: Any) -> None:
    """Trace with this provider of OpenTelemetry's; None ends it."""
    _Tracing.provider = provider


def configure(service: str, environment: Mapping[str, str] | None = None) -> bool:
    """Trace from here on as the variables of OpenTelemetry say; says whether they, and the libraries, are there."""
    variables = os.environ if environment is None else environment
    if not any(variables.get(name) for name in _WANTED) or variables.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if variables.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return False
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        return False
    named = {} if variables.get("OTEL_SERVICE_NAME") else {"service.name": service}
    # A collector that is away must not hold the end of the process: what is still queued then is given up.
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    use(provider)
    return True


def traceparent() -> str | None:
    """The present span as W3C's header; None when nothing is recorded."""
    if _Tracing.provider is None:
        return None
    from opentelemetry import trace  # noqa: PLC0415

    context = trace.get_current_span().get_span_context()
    if not context.is_valid or not context.trace_flags.sampled:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


@contextmanager
def request_span(name: str, parent: str | None) -> Iterator[Any]:
    """The span of a request, in the caller's trace if it has one; None when nothing is traced."""
    if _Tracing.provider is None:
        yield None
        return
    from opentelemetry import trace  # noqa: PLC0415

    tracer = _Tracing.provider.get_tracer(_SCOPE)
    with tracer.start_as_current_span(name, context=_context(parent), kind=trace.SpanKind.SERVER) as span:
        yield span


@contextmanager
def following(parents: Iterable[str | None], name: str) -> Iterator[None]:
    """While work is done for several traces at once: a span in each of them. Unreadable parents have none."""
    if _Tracing.provider is None:
        yield
        return
    from opentelemetry import trace  # noqa: PLC0415

    tracer = _Tracing.provider.get_tracer(_SCOPE)
    with ExitStack() as stack:
        for parent in parents:
            if parent is not None and _TRACEPARENT.fullmatch(parent):
                span = tracer.start_span(name, context=_context(parent), kind=trace.SpanKind.CONSUMER)
                stack.callback(span.end)
        yield


def _context(parent: str | None) -> Any:
    """The context of a traceparent; a fresh one when there is none, so that no trace swallows another."""
    from opentelemetry.context import Context  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    return TraceContextTextMapPropagator().extract({"traceparent": parent} if parent else {}, Context())
