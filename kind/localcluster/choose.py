"""Decides which provider to use, from plain facts."""

from dataclasses import dataclass
from typing import Literal

from localcluster.errors import CannotRunError

ProviderName = Literal["docker", "node", "current"]


@dataclass(frozen=True)
class Facts:
    """What the decision depends on."""

    forced: str = ""
    docker_answers: bool = False
    node_runs: bool = False
    linux: bool = True
    root: bool = True


@dataclass(frozen=True)
class Choice:
    """A provider and the sentence that says why."""

    provider: ProviderName
    reason: str

    def __str__(self) -> str:
        what = {"docker": "kind on Docker", "node": "a node without Docker", "current": "the current kubeconfig"}
        return f"Cluster: {what[self.provider]} ({self.reason})"


def choose(facts: Facts) -> Choice:
    """Return the provider for this machine.

    An existing cluster is used only when asked for, never because a kubeconfig happens to be there.

    Raises:
        CannotRunError: none can run here, or CLUSTER names no provider.
    """
    if facts.forced:
        return _forced(facts.forced)
    if facts.node_runs:
        return Choice("node", "it runs already")
    if facts.docker_answers:
        return Choice("docker", "a Docker engine answers")
    if facts.linux and facts.root:
        return Choice("node", "no Docker engine answers, and this is Linux with root")
    if facts.linux:
        problem = "No Docker engine answers, and a node without Docker needs root"
        remedy = "start Docker, or run as root"
    else:
        problem = "No Docker engine answers, and a node without Docker needs Linux"
        remedy = "start Docker"
    raise CannotRunError(problem, remedy)


def _forced(name: str) -> Choice:
    match name:
        case "docker" | "node" | "current":
            return Choice(name, f"CLUSTER={name}")
        case _:
            raise CannotRunError(f"CLUSTER={name} names no provider", "set CLUSTER to docker, node or current")
