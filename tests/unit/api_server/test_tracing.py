"""Tracing: there when it is asked for and can be had, silently absent otherwise, and never in the way."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from somafractalmemory import tracing
from somafractalmemory.common.utils.trace import configure_tracer
from tests.unit.api_server.conftest import World

ROOT = Path(__file__).parents[3]
PARENT = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """What was traced."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    yield exporter
    tracing.use(None)


def test_without_a_word_of_opentelemetry_nothing_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """(S-98)"""
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)

    assert configure_tracer("any", endpoint="http://ignored:4317") is False
    assert tracing.traceparent() is None
    with tracing.request_span("GET", PARENT) as span, tracing.following([PARENT], "any"):
        assert span is None


@pytest.mark.parametrize(
    "more", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_TRACES_EXPORTER": "console"}]
)
def test_opentelemetrys_own_switches_are_obeyed(more: dict[str, str]) -> None:
    assert not tracing.configure("any", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", **more})


def run(program: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """In a process of its own."""
    given = {"PYTHONPATH": str(ROOT / "api_server"), **environment}
    return subprocess.run(
        [sys.executable, "-c", program], env=given, capture_output=True, text=True, timeout=60, check=False
    )


def test_without_the_libraries_nothing_is_traced() -> None:
    """(S-98)"""
    hidden = "import sys; sys.modules['opentelemetry'] = None; sys.modules['opentelemetry.sdk'] = None\n"
    program = hidden + (
        "sys.modules['opentelemetry.exporter'] = None\n"
        "from somafractalmemory.common.utils.trace import configure_tracer\nprint(configure_tracer('x'))"
    )

    done = run(program, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")

    assert (done.stdout, done.stderr) == ("False\n", "")


def test_a_collector_that_is_away_holds_nothing_up() -> None:
    program = (
        "import time\nfrom somafractalmemory import tracing\nassert tracing.configure('x')\n"
        "started = time.monotonic()\n"
        "for _ in range(5000):\n    with tracing.request_span('GET', None):\n        assert tracing.traceparent()\n"
        "print(time.monotonic() - started < 20)"
    )
    started = time.monotonic()

    done = run(program, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")

    assert done.stdout == "True\n", done.stderr
    assert time.monotonic() - started < 50, "it waited for the collector at its end"


async def test_a_request_is_a_span_in_its_callers_trace(world: World, spans: InMemorySpanExporter) -> None:
    async with world.client() as client:
        await client.post("/store", json={"coord": "1,2", "payload": {}}, headers={"traceparent": PARENT})
        await client.get("/memories/9,9")

    stored, missed = spans.get_finished_spans()
    assert (stored.name, missed.name) == ("POST /store", "GET /memories/{coord}")
    assert stored.parent is not None
    assert f"{stored.context.trace_id:032x}" == "a" * 32
    assert missed.context.trace_id != stored.context.trace_id
    assert dict(missed.attributes or {})["http.response.status_code"] == 404


async def test_a_broken_header_starts_a_trace_of_its_own(world: World, spans: InMemorySpanExporter) -> None:
    async with world.client() as client:
        for broken in ("nonsense", "00-" + "0" * 32 + "-" + "b" * 16 + "-01", "ü" * 50):
            answer = await client.get("/stats", headers=[(b"traceparent", broken.encode())])
            assert answer.status_code == 200

    assert [span.parent for span in spans.get_finished_spans()] == [None] * 3


async def test_untraced_requests_cost_no_layer(client: httpx.AsyncClient) -> None:
    assert (await client.get("/stats")).status_code == 200
    assert tracing.traceparent() is None


def test_work_for_several_traces_has_a_span_in_each(spans: InMemorySpanExporter) -> None:
    other = f"00-{'c' * 32}-{'d' * 16}-01"

    with tracing.following([PARENT, None, "nonsense", other], "work"):
        assert spans.get_finished_spans() == ()

    assert {f"{span.context.trace_id:032x}" for span in spans.get_finished_spans()} == {"a" * 32, "c" * 32}
