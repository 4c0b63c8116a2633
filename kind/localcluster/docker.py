"""A cluster by kind, where a Docker engine answers."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from localcluster import compiling, programs
from localcluster.commands import run, succeeds
from localcluster.errors import CannotRunError, CommandFailedError
from localcluster.layout import AUDIT_POLICY, KIND_CLUSTER, KIND_NODE
from localcluster.lock import only_one
from localcluster.paths import KIND, cache
from localcluster.progress import Progress
from localcluster.provider import Say, Status

CONFIG = KIND / "kind-config.yaml"
OLDEST_KIND = (0, 23)
CREATE_SECONDS = 900.0
LOAD_SECONDS = 600.0
GET_KIND = "install kind 0.23 or newer: https://kind.sigs.k8s.io/docs/user/quick-start/#installation"
GET_TOOLS = "install kubectl and helm: https://kubernetes.io/docs/tasks/tools/ and https://helm.sh/docs/intro/install/"


class DockerCluster:
    """Calls kind, and keeps its kubeconfig apart from the user's own."""

    name = "docker"

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or cache() / "docker"

    def up(self, progress: Progress) -> None:
        """Create the cluster, unless it is there."""
        with only_one(self._folder / "lock"):
            self._require_tools(progress)
            if self._exists():
                progress.note("  The cluster runs already")
            else:
                self._create(progress)
            run([self._kind(), "export", "kubeconfig", "--name", KIND_CLUSTER, "--kubeconfig", self.kubeconfig()])

    def down(self, progress: Progress) -> None:
        """Delete the cluster."""
        with only_one(self._folder / "lock"), progress.step("Remove the cluster"):
            run(
                [self._kind(), "delete", "cluster", "--name", KIND_CLUSTER, "--kubeconfig", self.kubeconfig()],
                timeout=120,
            )
            shutil.rmtree(self._folder / "audit", ignore_errors=True)
            self.kubeconfig().unlink(missing_ok=True)

    def status(self) -> Status:
        """Ask Docker and the API."""
        if not self._exists():
            return Status(self.name, "down")
        answers = succeeds(["kubectl", "--kubeconfig", self.kubeconfig(), "get", "--raw", "/readyz"])
        return Status(self.name, "up" if answers else "broken", str(self.kubeconfig()))

    def load(self, archives: Mapping[str, Path], say: Say) -> None:
        """Load archives into the cluster's node; those that are there by name are skipped."""
        present = set(run(["docker", "exec", KIND_NODE, "ctr", "--namespace=k8s.io", "images", "ls", "-q"]).split())
        for name, archive in archives.items():
            if name not in present:
                say(f"  Load {name}")
                run([self._kind(), "load", "image-archive", archive, "--name", KIND_CLUSTER], timeout=LOAD_SECONDS)

    def kubeconfig(self) -> Path:
        """Return the administrator's kubeconfig."""
        return self._folder / "kubeconfig"

    def audit_log(self) -> Path:
        """Return the audit log, which the node writes through a mount."""
        return self._folder / "audit/audit.log"

    def programs(self) -> Path | None:
        """Return None: kubectl and helm are the user's own."""
        return None

    def node_port_url(self, port: int) -> str:
        """Return the URL of a NodePort; only those that kind-config.yaml maps can be reached on every system.

        Raises:
            CannotRunError: this one is not mapped.
        """
        if port not in mapped_ports(CONFIG.read_text()):
            raise CannotRunError(f"NodePort {port} is not mapped to this host", "add it to kind/kind-config.yaml")
        return f"http://127.0.0.1:{port}"

    def _exists(self) -> bool:
        return succeeds(["docker", "container", "inspect", KIND_NODE])

    def _kind(self) -> str:
        return shutil.which("kind") or str(programs.KIND_PROGRAM.binary("kind"))

    def _require_tools(self, progress: Progress) -> None:
        if not shutil.which("kind"):
            try:
                compiling.ensure(progress, programs.KIND_PROGRAM)
            except CommandFailedError as error:
                raise CannotRunError("kind is needed and could not be built", GET_KIND) from error
        version = run([self._kind(), "version", "--quiet"])
        if kind_version(version) < OLDEST_KIND:
            raise CannotRunError(f"kind {version.strip()} is too old", GET_KIND)
        if not (shutil.which("kubectl") and shutil.which("helm")):
            raise CannotRunError("kubectl and helm are needed", GET_TOOLS)

    def _create(self, progress: Progress) -> None:
        audit = self._folder / "audit"
        audit.mkdir(parents=True, exist_ok=True)
        config = self._folder / "kind-config.yaml"
        config.write_text(with_audit(CONFIG.read_text(), self._folder))
        (self._folder / "audit-policy.yaml").write_text(yaml.safe_dump(AUDIT_POLICY))
        argv: list[str | Path] = [self._kind(), "create", "cluster", "--name", KIND_CLUSTER, "--config", config]
        with progress.step(f"Create the kind cluster {KIND_CLUSTER}"):
            run([*argv, "--kubeconfig", self.kubeconfig(), "--wait", "180s"], timeout=CREATE_SECONDS)
        if os.geteuid() != 0:
            succeeds(["docker", "exec", KIND_NODE, "chmod", "-R", "a+rX", "/var/log/kubernetes"])


def kind_version(text: str) -> tuple[int, int]:
    """Return major and minor version from the answer of `kind version --quiet`, such as 0.30.0."""
    major, minor, *_ = text.strip().removeprefix("v").split(".")
    return int(major), int(minor)


def mapped_ports(config: str) -> set[int]:
    """Return the NodePorts that a kind configuration maps to this host."""
    nodes: list[dict[str, Any]] = yaml.safe_load(config)["nodes"]
    return {mapping["containerPort"] for node in nodes for mapping in node.get("extraPortMappings", ())}


def with_audit(config: str, folder: Path) -> str:
    """Return the kind configuration with the audit policy mounted into the node, and the audit log out of it."""
    document = yaml.safe_load(config)
    mounts = document["nodes"][0].setdefault("extraMounts", [])
    policy = {"hostPath": str(folder / "audit-policy.yaml"), "containerPath": "/etc/kubernetes/audit/policy.yaml"}
    mounts.append({**policy, "readOnly": True})
    mounts.append({"hostPath": str(folder / "audit"), "containerPath": "/var/log/kubernetes"})
    patches = document["nodes"][0].setdefault("kubeadmConfigPatches", [])
    patches.append(yaml.safe_dump(_audited_apiserver()))
    return yaml.safe_dump(document, sort_keys=False)


def _audited_apiserver() -> dict[str, Any]:
    """Return the patch of kubeadm's configuration, in the form (v1beta3) that kind writes it in."""
    arguments = {
        "audit-policy-file": "/etc/kubernetes/audit/policy.yaml",
        "audit-log-path": "/var/log/kubernetes/audit.log",
    }
    volumes = [
        {"name": "audit-policy", "hostPath": "/etc/kubernetes/audit", "mountPath": "/etc/kubernetes/audit"},
        {"name": "audit-log", "hostPath": "/var/log/kubernetes", "mountPath": "/var/log/kubernetes"},
    ]
    read_only = {**volumes[0], "readOnly": True}
    return {
        "kind": "ClusterConfiguration",
        "apiServer": {"extraArgs": arguments, "extraVolumes": [read_only, volumes[1]]},
    }
