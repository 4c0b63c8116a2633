"""What is told about a pod does not name what is random: another pod with the same trouble is told the same."""

from datetime import UTC, datetime

import pytest

from somamemory_operator.model.observed import Obj
from somamemory_operator.model.pod_problems import worst

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def pod(name: str, waiting: str, **metadata: object) -> Obj:
    state = {"name": "api", "image": "i", "state": {"waiting": {"reason": waiting}}, "restartCount": 4}
    about = {"name": name, "namespace": "space", **metadata}
    return {"kind": "Pod", "metadata": about, "spec": {}, "status": {"containerStatuses": [state]}}


def of_deployment(suffix: str, waiting: str) -> Obj:
    labels = {"pod-template-hash": "5c9f8d7b6d", "app.kubernetes.io/instance": "demo"}
    owners = [{"kind": "ReplicaSet", "name": "demo-api-5c9f8d7b6d"}]
    return pod(f"demo-api-5c9f8d7b6d-{suffix}", waiting, labels=labels, ownerReferences=owners)


@pytest.mark.parametrize("waiting", ["CrashLoopBackOff", "ImagePullBackOff", "CreateContainerConfigError"])
def test_two_pods_of_a_deployment_are_told_alike(waiting: str) -> None:
    one, other = (worst([of_deployment(suffix, waiting)], NOW) for suffix in ("x2k4z", "b7c9d"))

    assert one is not None
    assert one == other
    assert "a pod of deployment/demo-api" in one.message


def test_the_remedy_is_a_command_that_works() -> None:
    crashing = worst([of_deployment("x2k4z", "CrashLoopBackOff")], NOW)
    pulling = worst([of_deployment("x2k4z", "ImagePullBackOff")], NOW)

    assert crashing is not None
    assert pulling is not None
    assert "`kubectl logs -n space deployment/demo-api --previous`" in crashing.message
    assert "`kubectl describe pod -n space -l app.kubernetes.io/instance=demo`" in pulling.message


def test_a_pod_of_a_job_is_told_by_the_job() -> None:
    owners = [{"kind": "Job", "name": "demo-migrate-0123456789"}]

    found = worst([pod("demo-migrate-0123456789-x2k4z", "CrashLoopBackOff", ownerReferences=owners)], NOW)

    assert found is not None
    assert "a pod of job/demo-migrate-0123456789 " in found.message


def test_a_pod_of_a_store_keeps_its_name() -> None:
    found = worst(
        [pod("demo-redis-0", "CrashLoopBackOff", ownerReferences=[{"kind": "StatefulSet", "name": "r"}])], NOW
    )

    assert found is not None
    assert "pod demo-redis-0 " in found.message
    assert "`kubectl logs -n space demo-redis-0 --previous`" in found.message
