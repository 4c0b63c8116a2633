"""Gathers what the choice of a provider depends on. Imports nothing that has to be installed first."""

import os
import sys

from localcluster.choose import Facts
from localcluster.commands import succeeds
from localcluster.layout import Layout
from localcluster.processes import find

DOCKER_SECONDS = 10.0


def _docker_matters(forced: str, node_runs: bool) -> bool:
    return forced == "docker" or (not forced and not node_runs)


def gather() -> Facts:
    """Look at this machine; the slow question to Docker is asked only when its answer matters."""
    forced = os.environ.get("CLUSTER", "")
    linux = sys.platform == "linux"
    node_runs = linux and bool(find(Layout().plan)[0])
    return Facts(
        forced=forced,
        node_runs=node_runs,
        docker_answers=_docker_matters(forced, node_runs) and succeeds(["docker", "info"], timeout=DOCKER_SECONDS),
        linux=linux,
        root=os.geteuid() == 0,
    )
