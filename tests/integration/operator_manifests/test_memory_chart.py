"""What the chart of one SomaMemory makes of its values is taken by a real API server, strictly."""

import subprocess

import pytest

from tests.integration.operator_manifests.conftest import NAMESPACE, Kubectl
from tests.unit.operator.test_chart import helm
from tests.unit.operator.test_memory_chart import CHART, PRODUCTION, values

VALUES = {
    "development": (),
    "production": PRODUCTION,
    "production, with its classes": (*PRODUCTION, *values("postgres.persistence.storageClass=premium-rwo")),
    "the broker by its other name": values("redpanda.image.repository=docker.io/confluentinc/cp-kafka"),
    "a managed Postgres": values(
        "postgres.enabled=false", "postgres.external.host=db.example.com", "postgres.external.secretRef.name=db"
    ),
    "inline secrets": values("secret.data.REDIS_PASSWORD=chosen"),
    "everything of the API": values("env.UVICORN_PORT=9696", "env.LOG_LEVEL=DEBUG", "replicaCount=2"),
}


@pytest.mark.parametrize("case", VALUES)
def test_it_is_taken(kubectl: Kubectl, case: str) -> None:
    command = [helm(), "template", "soma-memory", str(CHART), "--kube-version", "1.34.0", "-n", NAMESPACE]
    text = subprocess.run([*command, *VALUES[case]], capture_output=True, text=True, timeout=60, check=True).stdout

    assert "somamemory.somatechlat.github.io/soma-memory created" in kubectl(
        "create", "--dry-run=server", "--validate=strict", "-f", "-", text=text
    )
