"""One trace from the request to the consumer, seen by a collector of our own."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.integration.api.programs import Stack, eventually, running


class Collector:
    """Takes spans over OTLP and HTTP."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, str, str]] = []
        spans = self.spans

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
                for resource in sent.resource_spans:
                    (service,) = [a.value.string_value for a in resource.resource.attributes if a.key == "service.name"]
                    for scope in resource.scope_spans:
                        spans.extend((service, span.name, span.trace_id.hex()) for span in scope.spans)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A running one."""
    made = Collector()
    thread = Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join(5)


@pytest.mark.parametrize("route", ["/store", "/store_bulk", "PATCH", "DELETE"])
def test_a_write_is_one_trace_from_the_request_to_the_consumer(
    stack: Stack, collector: Collector, tmp_path: Path, route: str
) -> None:
    """Whichever process publishes what the traced one wrote. (S-98)"""
    environment = {
        **stack.environment,
        "KAFKA_CONSUMER_GROUP": f"traced-{uuid4().hex[:8]}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server.server_port}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    place, trace = stack.place(), uuid4().hex
    headers = {"traceparent": f"00-{trace}-{'b' * 16}-01"}
    item = {"coord": place, "payload": {"fact": "traced"}}
    stack.http.post("/store", json=item).raise_for_status()
    with running("serve", environment, tmp_path) as api, running("consume", environment, tmp_path):
        if route == "/store":
            answer = api.client.post("/store", json=item, headers=headers)
        elif route == "/store_bulk":
            answer = api.client.post("/store_bulk", json={"items": [item]}, headers=headers)
        elif route == "PATCH":
            answer = api.client.patch(f"/memories/{place}", json={"payload": {"a": 1}}, headers=headers)
        else:
            answer = api.client.delete(f"/memories/{place}", headers=headers)
        answer.raise_for_status()
        eventually(
            lambda: (
                {span[0] for span in collector.spans if span[2] == trace}
                >= {
                    "somafractalmemory-api",
                    "somafractalmemory-consumer",
                }
            )
        )

    assert ("somafractalmemory-consumer", "memory.events process", trace) in collector.spans
