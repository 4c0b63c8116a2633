"""Gathers what the choice of a provider depends on, and makes the provider that was chosen."""

import os
import sys

from localcluster.choose import Choice, Facts
from localcluster.commands import succeeds
from localcluster.current import CurrentCluster
from localcluster.docker import DockerCluster
from localcluster.node import Node
from localcluster.provider import Provider

DOCKER_SECONDS = 10.0


def gather() -> Facts:
    """Look at this machine; the slow question to Docker is asked only when its answer matters."""
    forced = os.environ.get("CLUSTER", "")
    node_runs = sys.platform == "linux" and Node().runs()
    return Facts(
        forced=forced,
        node_runs=node_runs,
        docker_answers=not forced and not node_runs and succeeds(["docker", "info"], timeout=DOCKER_SECONDS),
        linux=sys.platform == "linux",
        root=os.geteuid() == 0,
    )


def make(choice: Choice) -> Provider:
    """Return the provider that was chosen."""
    match choice.provider:
        case "docker":
            return DockerCluster()
        case "node":
            return Node()
        case "current":
            return CurrentCluster()
