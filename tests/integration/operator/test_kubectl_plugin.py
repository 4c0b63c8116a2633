"""`kubectl soma` against a real API server, by a real kubectl."""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from localcluster.programs import bin_folder
from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj
from tests.integration.operator.world import Api, Kubelet, Operator, RestartableApiServer, eventually

Soma = Callable[..., "subprocess.CompletedProcess[str]"]
VOLUMES = {store.value: {"persistence": {"enabled": True, "size": "1Gi"}} for store in names.STORES}


@pytest.fixture
def memory(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> str:
    """The namespace of a Ready SomaMemory whose data is on volumes, with dumps."""
    api.make_memory(namespace, spec={**VOLUMES, "backup": {"volume": {"size": "1Gi"}}})
    api.wait_ready(namespace)
    return namespace


@pytest.fixture
def soma(api_server: RestartableApiServer, memory: str, tmp_path: Path) -> Soma:
    """The command, as somebody types it who has kubectl and a kubeconfig."""
    path = f"{bin_folder()}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "KUBECONFIG": str(api_server.kubeconfig)}

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", "from somamemory_operator.plugin.commands import main; main()"]
        return subprocess.run(
            [*command, "-n", memory, *words],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
            env=environment,
            cwd=tmp_path,
        )

    return run


def spec(api: Api, namespace: str) -> Obj:
    found: Obj = (api.get(names.KIND, "demo", namespace) or {})["spec"]
    return found


def test_it_tells_how_a_somamemory_stands_and_does_what_people_do(api: Api, memory: str, soma: Soma) -> None:
    told = soma("status")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith(f"{memory}/demo: Ready\n")
    found = json.loads(soma("status", "demo", "-o", "json").stdout)
    assert {each["name"] for each in found["components"]} >= {"postgres", "api"}

    before = (api.get("StatefulSet", "demo-redis", memory) or {})["metadata"]["generation"]
    assert "demo-redis restarted" in soma("restart", "demo", "redis").stdout
    eventually("redis is rolled", lambda: _generation(api, memory) > before)
    api.wait_ready(memory)

    assert soma("hibernate").returncode == 0
    assert spec(api, memory)["hibernated"] is True
    eventually("it sleeps", lambda: api.condition(memory).get("reason") == "Hibernated", 60)
    asleep = soma("status")
    assert asleep.returncode == 1
    assert "(Hibernated)" in asleep.stdout
    assert soma("resume").returncode == 0
    api.wait_ready(memory)

    made = soma("backup", "--no-wait")
    assert made.stdout.startswith("job/demo-dump-"), made.stderr
    assert soma("restore", "demo", "demo-20260131T020000Z.dump", "--replace-existing").returncode == 0
    assert spec(api, memory)["restore"] == {"from": "demo-20260131T020000Z.dump", "replaceExisting": True, "run": 1}
    assert soma("restore", "demo", "demo-20260131T020000Z.dump").returncode == 0
    assert spec(api, memory)["restore"]["run"] == 2


def test_what_cannot_be_done_is_said(soma: Soma) -> None:
    for words, said in (
        (("status", "other"), "there is no SomaMemory other"),
        (("restart", "demo", "mysql"), "mysql is none of api,"),
        (("logs", "mysql"), "mysql is none of"),
    ):
        done = soma(*words)
        assert done.returncode == 1
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_a_report_tells_everything_but_secrets(api: Api, memory: str, soma: Soma, tmp_path: Path) -> None:
    done = soma("report", "demo", "--file", "all.tar.gz")
    assert done.returncode == 0, done.stderr

    with tarfile.open(tmp_path / "all.tar.gz") as archive:
        members = {member.name.removeprefix("demo/"): archive.extractfile(member) for member in archive}
        held = {name: file.read().decode() for name, file in members.items() if file is not None}
    children = json.loads(held["children.json"])
    assert {each["kind"] for each in children} >= {"Secret", "StatefulSet", "Deployment", "PersistentVolumeClaim"}
    assert json.loads(held["somamemory.json"])["status"]["conditions"]
    assert len(json.loads(held["pods.json"])) >= 6
    secrets = [each for each in api.list("Secret", memory) if each["metadata"]["name"].startswith("demo")]
    assert len(secrets) > 2
    for secret in secrets:
        for value in (secret.get("data") or {}).values():
            assert value not in "".join(held.values())


def _generation(api: Api, namespace: str) -> int:
    live = api.get("StatefulSet", "demo-redis", namespace)
    assert live is not None
    generation: int = live["metadata"]["generation"]
    return generation
