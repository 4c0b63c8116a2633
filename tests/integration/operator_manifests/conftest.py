"""A real API server with the CRD, and kubectl."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from localcluster import programs
from localcluster.apiserver import ApiServer
from localcluster.errors import ProgramsMissingError
from somamemory_operator.model.kinds import PLACES
from somamemory_operator.model.names import KIND
from somamemory_operator.model.observed import OPTIONAL_KINDS
from tests.integration.optionalkinds import definition

ROOT = Path(__file__).parents[3]
NAMESPACE = "space"


@dataclass(frozen=True)
class Kubectl:
    """kubectl against the test's API server."""

    program: Path
    kubeconfig: Path

    def attempt(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        command = [str(self.program), "--kubeconfig", str(self.kubeconfig), *arguments]
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)

    def __call__(self, *arguments: str, text: str = "") -> str:
        done = self.attempt(*arguments, text=text)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def get(self, *arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self("get", "-o", "json", "--show-managed-fields", *arguments))
        return found

    def refusal(self, *arguments: str, text: str = "") -> str:
        done = self.attempt(*arguments, text=text)
        assert done.returncode != 0, done.stdout
        return done.stderr


@pytest.fixture(scope="session")
def api_server() -> Iterator[ApiServer]:
    """Skips where Kubernetes has not been built, but fails with REQUIRE_SERVICES=1."""
    try:
        with ApiServer() as server:
            yield server
    except ProgramsMissingError as error:
        if os.environ.get("REQUIRE_SERVICES") == "1":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def kubectl(api_server: ApiServer) -> Kubectl:
    """The CRD is applied as a person does it, and there is a namespace that enforces Pod Security."""
    kubectl = Kubectl(programs.bin_folder() / "kubectl", api_server.kubeconfig)
    kubectl("apply", "-f", str(ROOT / "crds/somamemory.yaml"))
    for kind in OPTIONAL_KINDS:
        kubectl("apply", "-f", "-", text=json.dumps(definition(kind)))
    _wait_until_served(kubectl)
    labels = {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
    kubectl("apply", "-f", "-", text=json.dumps(namespace))
    return kubectl


def _wait_until_served(kubectl: Kubectl) -> None:
    deadline = time.monotonic() + 30
    for kind in (KIND, *OPTIONAL_KINDS):
        while kubectl.attempt("get", PLACES[kind].plural).returncode != 0:
            assert time.monotonic() < deadline, f"{kind} is not served"
            time.sleep(0.1)
