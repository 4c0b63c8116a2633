"""What the node without Docker runs and where it is kept: Go programs, in the cache, under names that tell content."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from localcluster.paths import KIND, cache, content_key

KUBERNETES_VERSION = "v1.34.4"
HELM_VERSION = "v3.19.5"
MODULE = KIND / "node" / "programs"
OLDEST_GO = (1, 24)
OLDEST_SWITCHING_GO = (1, 21)  # from then on a Go fetches the newer one that a module asks for, unless forbidden
PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
GET_GO = "install Go 1.24 or newer from https://go.dev/dl/ (Debian 12's own golang is too old) and put it on PATH"


@dataclass(frozen=True)
class Programs:
    """Binaries that one run of Go makes, so that it compiles once what they share.

    They are packages of a module of ours (`source`), or somebody else's at `version`.
    """

    name: str
    title: str
    packages: Sequence[str]
    apart: Sequence[str] = ()
    """Packages that Go refuses to load beside the others, and takes from its cache what they share."""
    source: Path | None = None
    version: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    """Further names of a binary."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables that the linker sets, so that the programs tell their version."""

    @property
    def ldflags(self) -> str:
        """Return the linker's flags: no debug tables, and the variables."""
        return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in self.variables.items())])

    @property
    def folder(self) -> Path:
        """Return the folder in the cache that holds exactly these programs."""
        files = sorted(path for path in self.source.rglob("*") if path.is_file()) if self.source else []
        links = [f"{name}={target}" for name, target in self.links.items()]
        key = content_key(*files, *self.packages, *self.apart, self.version, self.ldflags, *links)
        return cache() / f"{self.name}-{key}"

    def binary(self, name: str) -> Path:
        """Return one of the programs; it exists once they were built."""
        return self.folder / "bin" / name

    @property
    def built(self) -> bool:
        """Say whether they are in the cache; the folder gets its name when it is complete."""
        return self.folder.exists()


def _kubernetes_variables(version: str) -> dict[str, str]:
    major, minor, _ = version.removeprefix("v").split(".")
    values = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return {f"{package}.{name}": value for package in packages for name, value in values.items()}


NODE = Programs(
    "programs",
    f"Kubernetes {KUBERNETES_VERSION}, CoreDNS, Helm and local-path-provisioner",
    ("./kubernetes", "./coredns", "helm.sh/helm/v3/cmd/helm"),
    ("github.com/rancher/local-path-provisioner",),  # imports logrus by a name that others write in lower case
    source=MODULE,
    links=dict.fromkeys(PARTS, "kubernetes"),
    variables={**_kubernetes_variables(KUBERNETES_VERSION), "helm.sh/helm/v3/internal/version.version": HELM_VERSION},
)
KIND_PROGRAM = Programs("kind", "kind v0.30.0", ("sigs.k8s.io/kind",), version="v0.30.0")


def bin_folder() -> Path:
    """Return the folder with the node's programs, kubectl and helm among them; it exists once they were built."""
    return NODE.folder / "bin"


def go_is_new_enough(version: str, toolchain: str = "local") -> bool:
    """Say whether a Go can build everything here, from the answers of `go env GOVERSION` and `go env GOTOOLCHAIN`."""
    found = re.match(r"go(\d+)\.(\d+)", version.strip())
    if not found:
        return False
    oldest = OLDEST_GO if toolchain.strip() in ("", "local", "path") else OLDEST_SWITCHING_GO
    return (int(found[1]), int(found[2])) >= oldest
