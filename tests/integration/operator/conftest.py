"""A real API server with the controllers that workloads need, and a kubelet that is played."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import httpx
import pytest

from localcluster import programs
from localcluster.errors import ProgramsMissingError
from somamemory_operator.model import names
from tests.integration.operator.world import ROOT, Api, Kubelet, Operator, RestartableApiServer, eventually

CONTROLLERS = (
    "garbage-collector-controller",
    "namespace-controller",
    "statefulset-controller",
    "deployment-controller",
    "replicaset-controller",
    "job-controller",
)
_numbers = count(1)


@pytest.fixture(scope="session")
def api_server() -> Iterator[RestartableApiServer]:
    """Skips where Kubernetes has not been built, but fails with REQUIRE_SERVICES=1."""
    try:
        with RestartableApiServer() as server:
            yield server
    except ProgramsMissingError as error:
        if os.environ.get("REQUIRE_SERVICES") == "1":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def api(api_server: RestartableApiServer) -> Iterator[Api]:
    """The CRD is there before the controllers start: the garbage collector learns of later ones only slowly."""
    api = Api(api_server)
    kubectl = str(programs.bin_folder() / "kubectl")
    command = [kubectl, "--kubeconfig", str(api_server.kubeconfig), "apply", "-f", str(ROOT / "crds/somamemory.yaml")]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    eventually("the CRD is served", api.crd_is_served)
    api_server.start_controllers(CONTROLLERS)
    yield api
    api.close()


@pytest.fixture(scope="session")
def running_kubelet(api: Api) -> Iterator[Kubelet]:
    kubelet = Kubelet(api)
    kubelet.start()
    yield kubelet
    kubelet.stop()


@pytest.fixture
def kubelet(running_kubelet: Kubelet) -> Iterator[Kubelet]:
    """What a test holds back is let go after it."""
    yield running_kubelet
    running_kubelet.hold.clear()


@pytest.fixture(scope="module")
def operator(
    api_server: RestartableApiServer, api: Api, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    """One operator for the tests of a module, for the whole cluster, with frequent resyncs."""
    folder: Path = tmp_path_factory.mktemp("operator")
    with Operator(api_server, folder, SOMAMEMORY_RESYNC_SECONDS="5") as operator:
        yield operator
        code, seconds = operator.stop()
        assert (code, seconds < 10) == (0, True), operator.log.read_text()[-4000:]


@pytest.fixture
def namespace(api: Api) -> Iterator[str]:
    """A fresh namespace; its SomaMemories go after the test, so that the operators of later ones have no work of it."""
    name = f"space-{next(_numbers)}"
    api.make_namespace(name)
    yield name
    with suppress(httpx.HTTPError):  # it may have no CRD any more
        for memory in api.list(names.KIND, name):
            api.delete(names.KIND, memory["metadata"]["name"], name)


@pytest.fixture
def frozen_namespace(api: Api) -> Iterator[str]:
    """The namespace of the previous release's frozen manifests (it is part of what they configure), gone afterwards."""
    name = "space"
    api.make_namespace(name)
    yield name
    api.remove_namespace(name)
