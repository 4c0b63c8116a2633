"""Two replicas: one works, the other takes over, and never both write."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from somamemory_operator.model import names
from tests.integration.operator.world import Api, Kubelet, Operator, RestartableApiServer, eventually

LEASE = "two-replicas"
LEASE_SECONDS = 15.0


@pytest.fixture
def replicas(api_server: RestartableApiServer, api: Api, tmp_path: Path) -> Iterator[list[Operator]]:
    """The leader, and the standby."""
    with Operator(api_server, tmp_path, SOMAMEMORY_LEASE_NAME=LEASE) as first:
        eventually("the first leads", lambda: _leads(first))
        with Operator(api_server, tmp_path, SOMAMEMORY_LEASE_NAME=LEASE) as second:
            yield [first, second]
    if (lease := api.get("Lease", LEASE, "default")) is not None:
        api.delete("Lease", LEASE, lease["metadata"]["namespace"])


def test_only_the_leader_writes_and_gives_the_lease_back(
    api: Api, kubelet: Kubelet, replicas: list[Operator], namespace: str
) -> None:
    leader, standby = replicas
    api.make_memory(namespace)
    api.wait_ready(namespace)

    assert (standby.writes(), standby.answers("/readyz"), standby.answers("/healthz")) == (0, 200, 200)
    assert leader.writes() > 0
    code, seconds = leader.stop()
    assert code == 0
    assert seconds < 10
    eventually("the standby leads at once", lambda: _leads(standby), 5)
    api.delete("Service", "demo-api", namespace)
    eventually("the new leader works", lambda: api.get("Service", "demo-api", namespace))
    assert _holder(api) == standby.identity


def test_a_replica_that_was_frozen_does_not_write_any_more(
    api: Api, kubelet: Kubelet, replicas: list[Operator], namespace: str
) -> None:
    """A node that is suspended wakes up in the belief that it still leads."""
    leader, standby = replicas
    api.make_memory(namespace)
    api.wait_ready(namespace)
    writes = leader.writes()

    leader.signal(signal.SIGSTOP)
    eventually("the standby leads", lambda: _leads(standby), LEASE_SECONDS + 10)
    api.merge(names.KIND, "demo", namespace, {"spec": {"api": {"replicas": 2}}})
    leader.signal(signal.SIGCONT)

    api.wait_ready(namespace)
    eventually("the frozen one has looked around", lambda: leader.answers("/readyz") == 200)
    assert not _leads(leader)
    assert leader.writes() == writes
    assert _holder(api) == standby.identity


def _leads(operator: Operator) -> bool:
    return operator.count("somamemory_operator_leader") == 1


def _holder(api: Api) -> str:
    lease = api.get("Lease", LEASE, "default")
    return str(lease and lease["spec"]["holderIdentity"])
