"""The node's files and processes, as data."""

import json
import tomllib
from pathlib import Path
from typing import Any

import yaml

from localcluster import config, docker
from localcluster.layout import AUDIT_POLICY, KIND_CLUSTER, Layout
from localcluster.units import units

LAYOUT = Layout(Path("/state"))
UNITS = units(LAYOUT, Path("/bin/k8s"), "localhost/busybox:1")


def test_every_file_lies_below_the_state() -> None:
    paths = config.files(LAYOUT, "localhost/busybox:1")

    assert all(path.is_relative_to("/state/config") for path in paths)
    assert {path.parent for path in paths} <= set(LAYOUT.folders()) | {LAYOUT.config}


def test_containerd_keeps_its_data_in_the_state_and_its_sockets_in_the_nodes_own_run() -> None:
    settings = tomllib.loads(config.containerd(LAYOUT, "localhost/busybox:1"))

    assert (settings["root"], settings["state"]) == ("/state/containerd", "/run/containerd")
    assert settings["plugins"]["io.containerd.grpc.v1.cri"]["sandbox_image"] == "localhost/busybox:1"


def test_the_storage_class_is_the_default_and_waits_for_its_pod() -> None:
    found = [item for item in config.manifests(LAYOUT, "image") if item["kind"] == "StorageClass"]

    assert [item["metadata"]["name"] for item in found] == ["standard"]
    assert found[0]["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
    assert found[0]["volumeBindingMode"] == "WaitForFirstConsumer"


def test_volumes_can_be_written_without_root() -> None:
    settings = next(item for item in config.manifests(LAYOUT, "image") if item["kind"] == "ConfigMap")

    assert "mkdir -m 0777" in settings["data"]["setup"]
    assert json.loads(settings["data"]["helperPod.yaml"])["spec"]["containers"][0]["image"] == "image"


def test_what_a_unit_needs_is_another_unit_or_a_file() -> None:
    names = {unit.name for unit in UNITS}

    assert all(need in names or need.startswith("file:/state/") for unit in UNITS for need in unit.needs)


def test_the_plan_survives_its_trip_through_json() -> None:
    assert [json.loads(json.dumps(vars(unit)))["name"] for unit in UNITS] == [unit.name for unit in UNITS]


def test_the_api_server_audits_metadata_outside_of_any_checkout() -> None:
    argv = next(unit.argv for unit in UNITS if unit.name == "kube-apiserver")

    assert "--audit-log-path=/state/logs/audit.log" in argv
    assert AUDIT_POLICY["rules"] == [{"level": "Metadata"}]


def test_kind_maps_the_examples_port_to_this_host_only() -> None:
    text = docker.CONFIG.read_text()

    assert docker.mapped_ports(text) == {30797}
    assert yaml.safe_load(text)["name"] == KIND_CLUSTER
    assert yaml.safe_load(text)["nodes"][0]["extraPortMappings"][0]["listenAddress"] == "127.0.0.1"


def test_an_image_of_ones_own_is_loaded_by_the_name_that_others_know(tmp_path: Path, monkeypatch: Any) -> None:
    """(S-108) `kind load docker-image … --name soma-fractal-memory` finds the cluster, and so does our own loading."""
    assert yaml.safe_load(docker.CONFIG.read_text())["name"] == "soma-fractal-memory"
    said: list[list[object]] = []

    def run(command: list[object], **_: object) -> str:
        said.append(command)
        return ""

    monkeypatch.setattr(docker, "run", run)
    monkeypatch.setattr(docker.DockerCluster, "_kind", lambda _: "kind")

    docker.DockerCluster(tmp_path).load({"example.org/api:1": tmp_path / "api.tar"}, lambda _: None)

    assert said[-1][-2:] == ["--name", "soma-fractal-memory"]


def test_kind_gets_the_audit_policy_and_gives_its_log() -> None:
    document = yaml.safe_load(docker.with_audit(docker.CONFIG.read_text(), Path("/cache")))

    mounts = {mount["containerPath"]: mount["hostPath"] for mount in document["nodes"][0]["extraMounts"]}
    assert mounts == {
        "/etc/kubernetes/audit/policy.yaml": "/cache/audit-policy.yaml",
        "/var/log/kubernetes": "/cache/audit",
    }
    assert any("audit-log-path" in patch for patch in document["nodes"][0]["kubeadmConfigPatches"])


def test_kinds_version_is_read() -> None:
    assert docker.kind_version("0.30.0\n") == (0, 30)
