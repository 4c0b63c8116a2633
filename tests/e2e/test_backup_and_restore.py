"""A dump is made, and brought back: after hibernation, while the operator is killed, and only once."""

import random
import time
from typing import Any

import httpx
import pytest

from tests.e2e.cluster import OPERATOR_NAMESPACE, Cluster, Memory, eventually, recalled, store
from tests.e2e.conftest import NODE_PORT, SMALL_VOLUMES

# Once a year, so that only the test makes dumps.
SPEC = {**NODE_PORT, **SMALL_VOLUMES, "backup": {"schedule": "0 0 1 1 *", "volume": {"size": "1Gi"}}}
OLD, NEW = "this line is in the dump", "this line was stored after the dump"
STEP_SECONDS = 120
KILLS = 5


@pytest.fixture(scope="module")
def saved(cluster: Cluster, namespace: str) -> Memory:
    """A Ready SomaMemory with volumes and dumps, and one memory."""
    memory = Memory(cluster, "saved", namespace)
    memory.apply(SPEC)
    cluster.wait_ready(memory)
    with memory.api() as api:
        store(api, "1,1", OLD)
    return memory


@pytest.fixture(scope="module")
def dump(saved: Memory) -> str:
    """The name of a dump of it, after which another memory was stored."""
    where = ("-n", saved.namespace)
    saved.cluster.kubectl("create", "job", *where, f"--from=cronjob/{saved.name}-backup", "dump-now")
    saved.cluster.kubectl("wait", "--for=condition=Complete", "job/dump-now", *where, f"--timeout={STEP_SECONDS}s")
    said = saved.cluster.kubectl("logs", *where, "job/dump-now")
    with saved.api() as api:
        store(api, "2,2", NEW)
    return next(line.split()[-1] for line in said.splitlines() if line.startswith("dumped "))


@pytest.mark.timeout(900)
def test_a_restore_that_is_asked_for_while_hibernated_runs_after_waking(
    cluster: Cluster, saved: Memory, dump: str
) -> None:
    """The Job really runs, and the memories are those of the dump."""
    saved.patch({"hibernated": True})
    eventually("it hibernates", lambda: saved.condition("Ready").get("reason") == "Hibernated", STEP_SECONDS)

    saved.patch({"restore": {"from": dump, "replaceExisting": True}})
    waiting = eventually("the dump waits", lambda: saved.condition("Restored") or None)
    assert (waiting["status"], waiting["reason"]) == ("False", "Hibernated")
    saved.patch({"hibernated": False})

    eventually("the Job is there", lambda: jobs(saved, "restore") or None, STEP_SECONDS)
    print(f"Ready after {cluster.wait_ready(saved):.0f} s")
    assert saved.condition("Restored")["status"] == "True"
    holds_the_dump(saved)


@pytest.mark.timeout(900)
def test_a_restore_survives_kills_of_the_operator(cluster: Cluster, saved: Memory, dump: str) -> None:
    """Once more, because `run` is raised; and memories that are stored afterwards stay."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    moments = random.Random(seed)
    with saved.api() as api:
        store(api, "2,2", NEW)
    saved.patch({"restore": {"run": 2}})

    for _ in range(KILLS):
        time.sleep(moments.uniform(0.2, 6))  # the random moment is what is tested
        pods = cluster.operator_pods()
        cluster.kubectl("delete", "pod", "-n", OPERATOR_NAMESPACE, "--grace-period=0", "--force", *pods)
    cluster.wait_ready(saved)
    assert saved.condition("Restored")["status"] == "True"
    holds_the_dump(saved)

    with saved.api() as api:
        store(api, "3,3", "this line was stored after the restore")
    cluster.kubectl("delete", "deployment", f"{saved.name}-api", f"{saved.name}-consumer", "-n", saved.namespace)
    eventually("they are back", lambda: cluster.get("deployment", f"{saved.name}-api", saved.namespace))
    cluster.wait_ready(saved)
    assert jobs(saved, "restore") == []
    with saved.api() as api:
        assert recalled(api, "this line was stored after the restore")


@pytest.mark.timeout(900)
def test_a_missing_dump_is_told_and_taken_away_at_once(cluster: Cluster, saved: Memory, dump: str) -> None:
    """The database is as it was, and API and consumer come back without a new index."""
    saved.patch({"restore": {"from": "missing.dump"}})
    told = eventually("it is told", lambda: failed(saved.condition("Ready")), STEP_SECONDS)
    assert f"There is no dump missing.dump. There are: {dump}" in told["message"]

    saved.patch({"restore": None})

    print(f"Ready after {cluster.wait_ready(saved):.0f} s")
    assert jobs(saved, "reindex") == []
    holds_the_dump(saved)


def holds_the_dump(memory: Memory) -> None:
    """Assert that what was stored after the dump is gone, and what was in it is found."""
    with memory.api() as api:
        assert recalled(api, OLD)
        assert api.get("/memories/2,2").status_code == httpx.codes.NOT_FOUND
        assert not recalled(api, NEW)


def jobs(memory: Memory, step: str) -> list[str]:
    """Return the names of the Jobs of a step."""
    names = (job["metadata"]["name"] for job in memory.cluster.list("jobs", memory.namespace))
    return [name for name in names if name.startswith(f"{memory.name}-{step}-")]


def failed(condition: dict[str, Any]) -> dict[str, Any] | None:
    """Return the condition if it tells of a failed restore."""
    return condition if condition.get("reason") == "RestoreFailed" else None
