"""`python -m tests.bench [--runs N] [NAME…]`: each on fresh private stores, with all results as JSON on stdout."""

import argparse
import asyncio
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

from somafractalmemory.adapters.embedding import HashEmbedder
from tests.bench.copying import measure_consumer, measure_rebuild
from tests.bench.corpus import fact
from tests.bench.deployment import Deployment, deployed
from tests.bench.recall import measure_mixed, measure_recall
from tests.bench.retrieval import measure_retrieval
from tests.bench.writes import measure_bulk, measure_growth, measure_writes

Benchmark = Callable[[Deployment, int], Coroutine[Any, Any, dict[str, Any]]]
BENCHMARKS: dict[str, Benchmark] = {
    "writes": measure_writes,
    "bulk": measure_bulk,
    "recall": measure_recall(20_000),
    "recall-1k": measure_recall(1000),
    "recall-100k": measure_recall(100_000),
    "mixed": measure_mixed,
    "consumer": measure_consumer,
    "rebuild": measure_rebuild,
    "growth": measure_growth,
    "retrieval": measure_retrieval,
}
STARTS_ITS_OWN_CONSUMER = {"consumer", "rebuild"}


def reference_us() -> float:
    """Processor time for embedding one fact, the same work in every run: tells how fast the machine is just now."""
    embedder = HashEmbedder(768)
    facts = [fact(number) for number in range(2000)]
    began = time.process_time()
    for text in facts:
        embedder.dense(text)
    return round((time.process_time() - began) / len(facts) * 1e6, 1)


def main(names: list[str], runs: int) -> dict[str, Any]:
    """Run the named benchmarks, all by default."""
    results: dict[str, Any] = {}
    if unknown := set(names) - BENCHMARKS.keys():
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    for name in names or BENCHMARKS:
        print(f"{name} …", file=sys.stderr)
        before = os.getloadavg()[0]
        with (
            deployed(consumer=name not in STARTS_ITS_OWN_CONSUMER) as deployment,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            results[name] = runner.run(BENCHMARKS[name](deployment, runs))
        results[name]["load"] = [round(before, 1), round(os.getloadavg()[0], 1)]
        results[name]["reference_us"] = reference_us()
    return {"cores": len(os.sched_getaffinity(0)), "python": platform.python_version(), "runs": runs, **results}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--runs", type=int, default=5, help="the median of so many is told")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # however it ends, the stores end with it
    print(json.dumps(main(arguments.names, arguments.runs), indent=2))
