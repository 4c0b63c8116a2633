"""The operator's chart: renders, and allows exactly what the operator does."""

import json
import os
import shutil
import subprocess
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from localcluster import programs
from somamemory_operator.model.kinds import PLACES
from somamemory_operator.model.names import KIND
from somamemory_operator.model.observed import OBSERVED_KINDS
from somamemory_operator.settings import Settings

CHART = Path(__file__).parents[3] / "charts/somamemory-operator"
WATCHED = {"get", "list", "watch"}
APPLIED = WATCHED | {"create", "patch", "delete"}
ONLY_SEEN = {"Pod": {"list", "watch"}, "PersistentVolumeClaim": WATCHED | {"create", "patch"}}

Obj = dict[str, Any]
Rights = dict[tuple[str, str], set[str]]


def helm() -> str:
    """Helm from the PATH, or the one that the local cluster built."""
    found = shutil.which("helm") or str(programs.bin_folder() / "helm")
    if not Path(found).exists():
        missing = "helm is not installed; `make prepare` builds one"
        pytest.fail(missing) if os.environ.get("REQUIRE_SERVICES") == "1" else pytest.skip(missing)
    return found


def render(*arguments: str) -> list[Obj]:
    """With the loader in C: the CRD alone takes the other one a second."""
    return [document for document in yaml.load_all(rendered(*arguments), yaml.CSafeLoader) if document]


@cache
def rendered(*arguments: str) -> str:
    """What Helm writes; it takes half a second, so that it is asked once for each set of values."""
    command = [helm(), "template", "somamemory-operator", str(CHART), "--kube-version", "1.34.0", "-n", "system"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def only(objects: list[Obj], kind: str, name: str = "somamemory-operator") -> Obj:
    [found] = [obj for obj in objects if obj["kind"] == kind and obj["metadata"]["name"] == name]
    return found


def rights(*roles: Obj) -> Rights:
    found: Rights = defaultdict(set)
    for role in roles:
        for rule in role["rules"]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    found[(group, resource)] |= set(rule["verbs"])
    return dict(found)


def expected_rights() -> Rights:
    """From the kinds that the builders make (a property test keeps them within OBSERVED_KINDS)."""
    children = {kind: ONLY_SEEN.get(kind, APPLIED) for kind in OBSERVED_KINDS}
    direct = {place_of(kind): verbs for kind, verbs in children.items()}
    group, plural = place_of(KIND)
    return direct | {
        (group, plural): WATCHED,
        (group, f"{plural}/status"): {"patch"},
        (group, f"{plural}/finalizers"): {"update"},
        place_of("Event"): {"create"},
    }


def place_of(kind: str) -> tuple[str, str]:
    group, slash, _ = PLACES[kind].api_version.rpartition("/")
    return (group if slash else "", PLACES[kind].plural)


def test_lint_finds_nothing() -> None:
    done = subprocess.run(
        [helm(), "lint", "--strict", str(CHART)], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stdout


def test_the_cluster_role_allows_exactly_what_is_done() -> None:
    assert rights(only(render(), "ClusterRole")) == expected_rights() | {place_of("StorageClass"): {"list"}}


def test_with_namespaces_there_is_a_role_in_each_and_nothing_for_the_cluster() -> None:
    objects = render("--set", "watchNamespaces={one,two}")

    roles = [obj for obj in objects if obj["kind"] == "Role" and obj["metadata"]["name"] == "somamemory-operator"]
    assert [role["metadata"]["namespace"] for role in roles] == ["one", "two"]
    assert all(rights(role) == expected_rights() for role in roles)
    assert not [obj for obj in objects if obj["kind"].startswith("ClusterRole")]
    assert environment(objects)["SOMAMEMORY_WATCH_NAMESPACES"] == "one,two"


def test_the_lease_is_the_only_thing_in_its_own_namespace() -> None:
    objects = render()

    lease = only(objects, "Role", "somamemory-operator-lease")
    assert rights(lease) == {place_of("Lease"): {"create", "get", "update"}}
    assert environment(objects)["SOMAMEMORY_LEASE_NAME"] == lease["rules"][1]["resourceNames"][0]


def environment(objects: list[Obj]) -> dict[str, str]:
    [container] = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    return {variable["name"]: variable.get("value", "") for variable in container["env"]}


def test_the_environment_is_understood_by_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    images = {part: f"localhost/somamemory/{part}:0123" for part in ("api", "postgres", "redis", "qdrant", "kafka")}
    found = environment(render(*[f"--set-string=images.{part}={image}" for part, image in images.items()]))
    for name, value in found.items():
        monkeypatch.setenv(name, value)

    settings = Settings()

    known = {f"SOMAMEMORY_{field.upper()}" for field in Settings.model_fields}
    assert found.keys() <= known
    assert {part: getattr(settings, f"image_{part}") for part in images} == images
    assert settings.watch_namespaces == ()
    assert settings.metrics_port == 8080


def test_the_default_images_are_those_that_the_operator_knows() -> None:
    assert not [name for name in environment(render()) if name.startswith("SOMAMEMORY_IMAGE")]


def test_the_crd_is_kept_and_can_be_left_out() -> None:
    name = "somamemories.somatechlat.github.io"

    crd = only(render(), "CustomResourceDefinition", name)

    assert crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert "CustomResourceDefinition" not in {obj["kind"] for obj in render("--set", "crd.install=false")}


def test_the_pods_meet_pod_security_restricted() -> None:
    pod = only(render(), "Deployment")["spec"]["template"]["spec"]

    [container] = pod["containers"]
    assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["seccompProfile"]["type"]) == (
        True,
        "RuntimeDefault",
    )
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_every_value_is_in_the_schema() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())

    assert values.keys() == schema["properties"].keys() - {"global"}
    assert values["images"].keys() == schema["properties"]["images"]["properties"].keys()


def test_a_misspelt_value_is_refused() -> None:
    command = [helm(), "template", "x", str(CHART), "--kube-version", "1.34.0", "--set", "replica=3"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode != 0
    assert "replica" in done.stderr
