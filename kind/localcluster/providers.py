"""Makes the provider that was chosen."""

from localcluster.choose import Choice
from localcluster.current import CurrentCluster
from localcluster.docker import DockerCluster
from localcluster.node import Node
from localcluster.provider import Provider


def make(choice: Choice) -> Provider:
    """Return the provider that was chosen."""
    match choice.provider:
        case "docker":
            return DockerCluster()
        case "node":
            return Node()
        case "current":
            return CurrentCluster()
