"""What every way to get a cluster promises."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from localcluster.progress import Progress

Say = Callable[[str], None]


@dataclass(frozen=True)
class Status:
    """How a cluster stands: `state` is up, down, starting or broken; `details` are lines for a person."""

    provider: str
    state: str
    kubeconfig: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


class Provider(Protocol):
    """One way to get a cluster. Everything may be repeated; errors are `LocalClusterError`s that say what to do."""

    name: str

    def up(self, progress: Progress) -> None:
        """Make the cluster run and its API answer; nothing changes when it does already."""

    def down(self, progress: Progress) -> None:
        """Remove the cluster and all that `up` put onto this machine, except for the cache."""

    def status(self) -> Status:
        """Look, without changing anything."""

    def load(self, archives: Mapping[str, Path], say: Say) -> None:
        """Bring images (reference -> archive) onto the nodes; those that are there already cost nothing."""

    def kubeconfig(self) -> Path:
        """Return the path of an administrator's kubeconfig."""

    def audit_log(self) -> Path:
        """Return the path of the API server's audit log."""

    def programs(self) -> Path | None:
        """Return the folder of kubectl and helm, or None when they are found by PATH."""

    def node_port_url(self, port: int) -> str:
        """Return the URL under which a NodePort answers from this host."""
