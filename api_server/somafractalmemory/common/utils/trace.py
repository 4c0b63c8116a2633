"""`configure_tracer`, at its path of the original program."""

from somafractalmemory import tracing


def configure_tracer(service_name: str = "somafractalmemory", *_: object, **__: object) -> bool:
    """Trace this process as OpenTelemetry's variables say; without them, or its libraries, nothing happens.

    Further arguments of the original (an exporter's address, for instance) have no effect: OTEL_* tells that.
    """
    return tracing.configure(service_name)
