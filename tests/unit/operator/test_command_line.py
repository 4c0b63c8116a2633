"""The command line, without a cluster."""

from pathlib import Path

import yaml
from typer.testing import CliRunner

from somamemory_operator.__main__ import app
from somamemory_operator.resource import crd

EXAMPLE = Path(__file__).parents[3] / "kind/examples/somamemory.yaml"
RUNNER = CliRunner()


def test_render_prints_the_manifests_of_a_file() -> None:
    done = RUNNER.invoke(app, ["render", str(EXAMPLE)])

    objects = list(yaml.safe_load_all(done.output))
    assert done.exit_code == 0
    assert {obj["metadata"]["namespace"] for obj in objects} == {"soma-memory"}
    assert "soma-api" in {obj["metadata"]["name"] for obj in objects if obj["kind"] == "Deployment"}
    assert not any("ownerReferences" in obj["metadata"] for obj in objects)


def test_render_reads_standard_input() -> None:
    done = RUNNER.invoke(app, ["render", "-", "-n", "elsewhere"], input="{kind: SomaMemory, metadata: {name: x}}")

    assert done.exit_code == 0
    assert {obj["metadata"]["namespace"] for obj in yaml.safe_load_all(done.output)} == {"elsewhere"}


def test_render_leaves_no_password_empty_where_only_a_cluster_knows_it() -> None:
    spec = "{secrets: {source: existing, existing: {name: mine}}}"
    done = RUNNER.invoke(app, ["render", "-"], input=f"{{kind: SomaMemory, metadata: {{name: x}}, spec: {spec}}}")

    secrets = [obj for obj in yaml.safe_load_all(done.output) if obj["kind"] == "Secret"]
    assert done.exit_code == 0
    assert secrets
    assert all(value for secret in secrets for value in secret["data"].values())


def test_render_names_what_is_wrong() -> None:
    wrong = {
        "{kind: SomaMemory, metadata: {name: x}, spec: {replica: 1}}": "spec.replica",
        "{kind: SomaMemory, metadata: {name: x}, spec: {redis: {config: {port: '1'}}}}": "spec.redis.config sets port",
        "{kind: ConfigMap, metadata: {name: x}}": "holds no SomaMemory",
    }
    for text, words in wrong.items():
        done = RUNNER.invoke(app, ["render", "-"], input=text)

        assert done.exit_code == 1
        assert words in done.output


def test_crd_prints_what_the_repository_holds() -> None:
    assert RUNNER.invoke(app, ["crd"]).output == crd.as_yaml()
    assert RUNNER.invoke(app, ["crd", "--helm"]).output == crd.as_helm_template()
