"""The clusters' names and addresses, what all API servers here audit, and the folders below the node's state."""

from dataclasses import dataclass
from pathlib import Path

from localcluster.paths import NODE_STATE

NAME = "somamemory"
HOST_LINK = "somanode0"
NODE_LINK = "eth0"
NODE_PORT = 30797  # of the example's API
KIND_CLUSTER = "soma-fractal-memory"
KIND_NODE = f"{KIND_CLUSTER}-control-plane"
HOST_ADDRESS = "10.123.0.1"
NODE_ADDRESS = "10.123.0.2"
POD_RANGE = "10.244.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
FIRST_SERVICE = "10.96.0.1"
API = f"https://{NODE_ADDRESS}:6443"
CGROUP = "k8s.io"  # where containerd puts containers whose pod has no group of its own
SOCKET = "/run/containerd/containerd.sock"
PROVISIONER_NAMESPACE = "local-path-storage"
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}
"""Who did what to which object, for every request; no bodies, hence no secrets."""


@dataclass(frozen=True)
class Layout:
    """Where the node keeps what."""

    state: Path = NODE_STATE

    @property
    def certificates(self) -> Path:
        """Return the folder of keys and certificates."""
        return self.state / "certificates"

    @property
    def config(self) -> Path:
        """Return the folder of the programs' configuration."""
        return self.state / "config"

    @property
    def logs(self) -> Path:
        """Return the folder of logs: one file per program, and those of the pods."""
        return self.state / "logs"

    @property
    def volumes(self) -> Path:
        """Return the folder of the pods' persistent volumes."""
        return self.state / "volumes"

    @property
    def scratch(self) -> Path:
        """Return the folder of short-lived files."""
        return self.state / "scratch"

    @property
    def kubeconfig(self) -> Path:
        """Return the administrator's kubeconfig."""
        return self.state / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        """Return the API server's audit log."""
        return self.logs / "audit.log"

    @property
    def plan(self) -> Path:
        """Return the file that tells the supervisor what to run; its path identifies the supervisor's process."""
        return self.state / "run/plan.json"

    @property
    def report(self) -> Path:
        """Return the file in which the supervisor tells how its programs fare."""
        return self.state / "run/programs.json"

    @property
    def applied(self) -> Path:
        """Return the mark that the objects exist without which some programs cannot start."""
        return self.state / "run/applied"

    @property
    def complete(self) -> Path:
        """Return the mark that `up` leaves when it got to its end."""
        return self.state / "run/complete"

    def folders(self) -> list[Path]:
        """Return every folder that has to exist."""
        names = "certificates config/cni run/cgroup logs volumes etcd containerd kubelet cni plugins scratch"
        return [self.state / name for name in names.split()]
