"""The API server itself judges our manifests: schemas, Pod Security, ownership of fields."""

import json
from pathlib import Path

import pytest
import yaml

from somamemory_operator.decide.applied import Applied
from somamemory_operator.model.names import FIELD_MANAGER
from tests.integration.operator_manifests.conftest import NAMESPACE, ROOT, Kubectl

GOLDEN = ROOT / "tests/unit/operator/manifests/golden"
CASES = sorted(GOLDEN.glob("*.out.yaml"))
APPLY = ("apply", "--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}", "-f", "-")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_every_manifest_is_accepted_and_meets_pod_security(kubectl: Kubectl, path: Path) -> None:
    done = kubectl.attempt(*APPLY, "--dry-run=server", "--validate=strict", text=path.read_text())

    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "a warning: deprecated, or against Pod Security"


def test_a_second_apply_changes_nothing_and_leaves_the_same_fields(kubectl: Kubectl) -> None:
    """The whole detection of drift rests on this."""
    objects = list(yaml.safe_load_all((GOLDEN / "full.out.yaml").read_text()))
    text = yaml.safe_dump_all(objects)
    kubectl(*APPLY, text=text)
    # The API server stores a new claim once more at its next apply, with nothing else in it.
    kubectl(*APPLY, text=yaml.safe_dump_all([obj for obj in objects if obj["kind"] == "PersistentVolumeClaim"]))
    first = {name(obj): kubectl.get(*name(obj)) for obj in objects}

    kubectl(*APPLY, text=text)
    second = {name(obj): kubectl.get(*name(obj)) for obj in objects}

    assert versions(first) == versions(second)
    assert [Applied.of(obj, first[name(obj)]) for obj in objects] == [
        Applied.of(obj, second[name(obj)]) for obj in objects
    ]


def name(obj: dict[str, dict[str, str]]) -> tuple[str, str, str, str]:
    return (str(obj["kind"]).lower(), obj["metadata"]["name"], "-n", NAMESPACE)


def versions(objects: dict[tuple[str, str, str, str], dict[str, dict[str, str]]]) -> dict[str, str]:
    return {" ".join(key): obj["metadata"]["resourceVersion"] for key, obj in objects.items()}


EDITS = {
    "a label of ours": ("service/demo-redis", {"metadata": {"labels": {"app.kubernetes.io/part-of": "else"}}}, True),
    "a number of pods": ("deployment/demo-consumer", {"spec": {"replicas": 5}}, True),
    "a field of ours that is removed": (
        "service/demo-redis",
        {"spec": {"selector": {"app.kubernetes.io/name": None}}},
        True,
    ),
    "a label of theirs": ("service/demo-redis", {"metadata": {"labels": {"mesh": "on"}}}, False),
    "a field of theirs": ("service/demo-redis", {"spec": {"sessionAffinity": "ClientIP"}}, False),
}


@pytest.mark.parametrize("edit", EDITS)
def test_only_edits_of_our_fields_are_drift(kubectl: Kubectl, edit: str) -> None:
    target, patch, expected = EDITS[edit]
    [body] = [obj for obj in yaml.safe_load_all((GOLDEN / "full.out.yaml").read_text()) if is_target(obj, target)]
    kubectl(*APPLY, text=yaml.safe_dump(body))
    before = Applied.of(body, kubectl.get(target, "-n", NAMESPACE))

    kubectl("patch", target, "-n", NAMESPACE, "--type=merge", "-p", json.dumps(patch))
    after = Applied.of(body, kubectl.get(target, "-n", NAMESPACE))

    assert (after != before) is expected
    kubectl(*APPLY, text=yaml.safe_dump(body))
    assert Applied.of(body, kubectl.get(target, "-n", NAMESPACE)) == before


def is_target(obj: dict[str, dict[str, str]], target: str) -> bool:
    return f"{obj['kind']}/{obj['metadata']['name']}".lower() == target


def test_a_guarded_secret_is_not_applied_onto_a_version_that_was_not_read(kubectl: Kubectl) -> None:
    [body] = [
        obj
        for obj in yaml.safe_load_all((GOLDEN / "full.out.yaml").read_text())
        if is_target(obj, "secret/demo-credentials")
    ]
    kubectl(*APPLY, text=yaml.safe_dump(body))
    body["metadata"]["resourceVersion"] = "1"

    words = kubectl.refusal(*APPLY, text=yaml.safe_dump(body))

    assert "the object has been modified" in words
