"""The cluster of the current kubeconfig, used only when asked for and never removed."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from localcluster.commands import run, succeeds
from localcluster.errors import CannotRunError
from localcluster.progress import Progress
from localcluster.provider import Say, Status

REACH = "check `kubectl config current-context` and that its cluster answers"


class CurrentCluster:
    """Looks at a cluster that belongs to somebody else."""

    name = "current"

    def __init__(self, kubeconfig: Path | None = None) -> None:
        first = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
        self._kubeconfig = kubeconfig or Path(first or Path.home() / ".kube/config")

    def up(self, progress: Progress) -> None:
        """Check that the cluster answers.

        Raises:
            CommandFailedError: it does not.
        """
        with progress.step("Ask the cluster for its version"):
            run(["kubectl", "--kubeconfig", self._kubeconfig, "get", "--raw", "/readyz"], remedy=REACH)

    def down(self, progress: Progress) -> None:
        """Leave the cluster as it is."""
        progress.note("  The cluster is not ours: it stays. Remove the example with `kubectl delete ns soma-memory`.")

    def status(self) -> Status:
        """Ask the API."""
        answers = succeeds(["kubectl", "--kubeconfig", self._kubeconfig, "get", "--raw", "/readyz"])
        return Status(self.name, "up" if answers else "broken", str(self._kubeconfig))

    def load(self, archives: Mapping[str, Path], say: Say) -> None:  # noqa: ARG002 - part of the interface
        """Refuse: images get to such a cluster by a registry.

        Raises:
            CannotRunError: there is something to load.
        """
        if archives:
            names = " ".join(archives)
            raise CannotRunError(
                f"Images cannot be loaded into an existing cluster: {names}", "push them to a registry"
            )

    def kubeconfig(self) -> Path:
        """Return the first file of KUBECONFIG, or the usual one."""
        return self._kubeconfig

    def audit_log(self) -> Path:
        """Refuse: only the cluster's owner knows.

        Raises:
            CannotRunError: always.
        """
        raise CannotRunError("The audit log of an existing cluster is not known", "ask whoever runs the cluster")

    def programs(self) -> Path | None:
        """Return None: kubectl and helm are the user's own."""
        return None

    def node_port_url(self, port: int) -> str:
        """Return the URL of a NodePort at the first node's address."""
        nodes = json.loads(run(["kubectl", "--kubeconfig", self._kubeconfig, "get", "nodes", "-o", "json"]))
        addresses = [address for node in nodes["items"] for address in node["status"]["addresses"]]
        order = {"ExternalIP": 0, "InternalIP": 1}
        best = min(addresses, key=lambda address: order.get(address["type"], 2))
        return f"http://{best['address']}:{port}"
