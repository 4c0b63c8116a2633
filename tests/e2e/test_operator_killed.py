"""The operator may be killed at any moment of a first rollout."""

import random
import time
from collections import Counter
from typing import Any

import pytest

from tests.e2e.cluster import OPERATOR_NAMESPACE, Cluster, Memory, recalled, store
from tests.e2e.conftest import NODE_PORT

KILLS = 5


@pytest.mark.timeout(900)
def test_a_first_rollout_survives_five_kills_of_the_operator(cluster: Cluster, namespace: str) -> None:
    memory = Memory(cluster, "stubborn", namespace)
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    moments = random.Random(seed)

    memory.apply(NODE_PORT)
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.2, 6))  # the random moment is what is tested
        kill(cluster)

    cluster.wait_ready(memory)
    with memory.api() as api:
        store(api, "5,5", "five kills later")
        assert recalled(api, "five kills later")
    jobs = memory.children("jobs")
    assert len(jobs) == 1
    assert Counter(
        pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in running(memory)
    ) == dict.fromkeys(("api", "consumer", "postgres", "redis", "qdrant", "kafka"), 1)


def kill(cluster: Cluster) -> None:
    """End every operator process with SIGKILL, by deleting its pods without grace."""
    pods = cluster.operator_pods()
    cluster.kubectl("delete", "pod", "-n", OPERATOR_NAMESPACE, "--grace-period=0", "--force", *pods)


def running(memory: Memory) -> list[dict[str, Any]]:
    """Every running pod that is not about to go."""
    pods = memory.children("pods")
    return [p for p in pods if p["status"]["phase"] == "Running" and "deletionTimestamp" not in p["metadata"]]
