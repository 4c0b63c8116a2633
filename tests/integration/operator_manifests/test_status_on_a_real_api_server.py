"""The API server accepts every status that we make, and kubectl understands it."""

import json
from datetime import UTC, datetime
from typing import Any

from somamemory_operator.model.errors import Problem
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.status.status import refused_status, status
from tests.integration.operator_manifests.conftest import NAMESPACE, Kubectl
from tests.integration.operator_manifests.test_crd_on_a_real_api_server import resource
from tests.unit.operator.fakes import FakeCluster

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def write(kubectl: Kubectl, obj: dict[str, Any], report: dict[str, Any]) -> None:
    patch = json.dumps({"status": report})
    name = obj["metadata"]["name"]
    kubectl("patch", "sm", name, "-n", NAMESPACE, "--subresource=status", "--type=merge", "-p", patch)
    assert kubectl.get("sm", name, "-n", NAMESPACE)["status"] == report, "nothing was dropped as unknown"


def test_kubectl_wait_ends_only_at_the_current_generation(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", text=resource("waited", {}))
    obj = kubectl.get("sm", "waited", "-n", NAMESPACE)
    memory, cluster = SomaMemory.parse(obj), FakeCluster()
    cluster.settle(memory)
    desired, plan = cluster.look(memory)
    write(kubectl, obj, status(memory, desired=desired, plan=plan, world=cluster.world, problem=None, now=NOW))
    wait = ("wait", "--for=condition=Ready", "sm/waited", "-n", NAMESPACE, "--timeout=1s")

    kubectl(*wait)
    kubectl("patch", "sm", "waited", "-n", NAMESPACE, "--type=merge", "-p", '{"spec": {"api": {"replicas": 2}}}')

    assert "timed out" in kubectl.refusal(*wait)


def test_the_status_of_a_refused_spec_is_accepted(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", text=resource("refused", {}))
    obj = kubectl.get("sm", "refused", "-n", NAMESPACE)

    write(kubectl, obj, refused_status(obj, Problem(Reason.INVALID_SPEC, "spec.api: no."), NOW))

    row = kubectl("get", "sm", "refused", "-n", NAMESPACE, "--no-headers").split()
    assert row[:3] == ["refused", "False", "Failed"]
