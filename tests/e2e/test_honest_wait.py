"""`kubectl wait --for=condition=Ready` right after a change never returns before the change is rolled out."""

import os
from typing import Any

from tests.e2e.cluster import Cluster, Memory

TRIES = int(os.environ.get("E2E_WAIT_TRIES", "5"))


def test_a_wait_right_after_a_change_ends_after_the_rollout(cluster: Cluster, memory: Memory) -> None:
    early = []
    for number in range(TRIES):
        budget = str(1000 + number)
        memory.patch({"api": {"rateLimit": {"max": int(budget)}}})
        cluster.wait_ready(memory)

        serving = [budget_of(pod) for pod in memory.children("pods") if serves(pod)]
        if serving != [budget] * 2:
            early.append((budget, serving))

    assert early == []


def serves(pod: dict[str, Any]) -> bool:
    """Tell whether this is a pod of the API that is Ready and not about to go."""
    metadata, status = pod["metadata"], pod["status"]
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))
    is_api = metadata["labels"].get("app.kubernetes.io/component") == "api"
    return bool(is_api and ready) and "deletionTimestamp" not in metadata


def budget_of(pod: dict[str, Any]) -> str:
    """Return the rate limit that this pod was started with."""
    environment = pod["spec"]["containers"][0]["env"]
    return str(next(v["value"] for v in environment if v["name"] == "SOMA_RATE_LIMIT_MAX"))
