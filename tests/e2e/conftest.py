"""Fixtures of the end-to-end tests; on a failure they print what the cluster looked like."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcluster.errors import LocalClusterError
from localcluster.tools import Tools
from tests.e2e.cluster import OPERATOR_LABEL, OPERATOR_NAMESPACE, Cluster, Memory

ROOT = Path(__file__).resolve().parents[2]
NODE_PORT = {"api": {"service": {"type": "NodePort"}, "rateLimit": {"max": 0}}}
SMALL_VOLUMES = {
    store: {"persistence": {"enabled": True, "size": "1Gi"}} for store in ("postgres", "redis", "qdrant", "kafka")
}

EVERY_KIND = {"networkPolicy": {"enabled": True}, "podDisruptionBudget": {"enabled": True}}


def _localcluster(*arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "kind")}
    command = [sys.executable, "-m", "localcluster", *arguments]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The cluster of `make up`."""
    kubeconfig = Path(_localcluster("kubeconfig"))
    if not kubeconfig.exists():
        pytest.fail("no local cluster is running: start it with 'make up'")
    folder = _localcluster("kubectl-path")
    tools = Tools(kubeconfig, Path(folder) if folder else None)
    return Cluster(tools, Path(_localcluster("audit-log")))


def make_namespace(cluster: Cluster, name: str) -> None:
    """Create a namespace that enforces Pod Security `restricted`."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})


@pytest.fixture(scope="module")
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace for the module's resources, removed afterwards."""
    module = request.module.__name__.rpartition(".")[2]
    name = "e2e-" + module.removeprefix("test_").replace("_", "-")
    make_namespace(cluster, name)
    yield name
    cluster.kubectl("delete", "somamemory", "--all", "-n", name, "--timeout=60s")
    cluster.kubectl("delete", "namespace", name, "--timeout=120s")


@pytest.fixture(scope="module")
def memory(cluster: Cluster, namespace: str) -> Memory:
    """A Ready SomaMemory with every kind of child, an API on a NodePort and a volume for every store."""
    memory = Memory(cluster, "soma", namespace)
    api = {**NODE_PORT["api"], "replicas": 2}
    memory.apply({**SMALL_VOLUMES, **EVERY_KIND, "api": api})
    cluster.wait_ready(memory)
    return memory


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Attach the state of the cluster to a failed test's report."""
    outcome: Any = yield
    report = outcome.get_result()
    cluster = getattr(item, "funcargs", {}).get("cluster")
    if report.failed and isinstance(cluster, Cluster):
        report.sections.append(("cluster", _describe(cluster, item.funcargs.get("namespace"))))  # type: ignore[attr-defined]


def _describe(cluster: Cluster, namespace: str | None) -> str:
    where = ("-n", namespace) if namespace else ("-A",)
    looks = (
        ("get", "somamemory", "-A", "-o", "wide"),
        ("get", "pods,pvc,jobs", *where, "-o", "wide"),
        ("get", "events", *where, "--sort-by=.lastTimestamp"),
        ("logs", "-n", OPERATOR_NAMESPACE, "-l", OPERATOR_LABEL, "--tail=60", "--prefix"),
    )
    return "\n\n".join(_look(cluster, *look) for look in looks)


def _look(cluster: Cluster, *arguments: str) -> str:
    try:
        return cluster.kubectl(*arguments)[-8000:]
    except LocalClusterError as error:
        return str(error)
