"""`kubectl soma` on a real cluster, as a plugin of a real kubectl: a way to the API, a dump, logs."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster, Memory

Soma = Callable[..., "subprocess.CompletedProcess[str]"]
SPEC = {"backup": {"volume": {"size": "1Gi"}}, "tls": {"source": "operator"}}


@pytest.fixture(scope="module")
def soma(cluster: Cluster, namespace: str) -> Soma:
    """The plugin, beside a Ready SomaMemory that speaks TLS and makes dumps."""
    memory = Memory(cluster, "soma", namespace)
    memory.apply(SPEC)
    cluster.wait_ready(memory)
    tools = cluster.tools
    own = [str(tools.folder)] if tools.folder else []
    path = os.pathsep.join([str(Path(sys.executable).parent), *own, os.environ["PATH"]])

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        environment = os.environ | {"PATH": path, "KUBECONFIG": str(tools.kubeconfig)}
        command = ["env", "kubectl", "soma", "-n", namespace, *words]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, env=environment)

    return run


def test_a_command_finds_the_api_and_what_opens_it(soma: Soma) -> None:
    stored = soma("connect", "soma", "--", "soma", "store", "--coord", "1,2", "--payload", '{"fact": "it is kept"}')
    assert stored.returncode == 0, stored.stderr

    told = soma("connect", "soma", "--", "soma", "stats", "-o", "json")
    assert json.loads(told.stdout)["total_memories"] == 1
    failed = soma("connect", "soma", "--", "sh", "-c", "exit 7")
    assert failed.returncode == 7


def test_a_dump_is_made_and_named(soma: Soma) -> None:
    made = soma("backup")

    assert made.returncode == 0, made.stderr
    assert ".dump" in made.stdout


def test_it_tells_what_pods_say(soma: Soma) -> None:
    said = soma("logs", "api", "--tail", "5")

    assert said.returncode == 0, said.stderr
    assert "soma-api-" in said.stdout
    assert soma("status").stdout.partition("\n")[0].endswith("/soma: Ready")
