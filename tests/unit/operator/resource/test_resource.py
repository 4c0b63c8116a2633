"""The custom resource: defaults, profiles, strictness, and the CRD that is made from it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from somamemory_operator.model.errors import InvalidSpec
from somamemory_operator.model.names import LONGEST_NAME
from somamemory_operator.model.quantities import quantity_bytes
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource import crd
from somamemory_operator.resource.somamemory import merge
from tests.unit.operator.fakes import memory

ROOT = Path(__file__).parents[4]
EXAMPLES = sorted((ROOT / "kind/examples").glob("*.yaml"))
CLIENT_SIDE_APPLY_LIMIT = 262_144


def schema() -> dict[str, Any]:
    [version] = crd.crd()["spec"]["versions"]
    found: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return found


def nodes(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every part of a schema with its path."""
    yield path, schema
    for name, part in schema.get("properties", {}).items():
        yield from nodes(part, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from nodes(schema[key], f"{path}.{key}")


SPEC = list(nodes(schema()["properties"]["spec"], "spec"))
ALL = [*SPEC, *nodes(schema()["properties"]["status"], "status")]


def test_the_crd_is_current() -> None:
    assert (ROOT / "crds/somamemory.yaml").read_text() == crd.as_yaml(), "run: make crds"


def test_the_crd_of_the_chart_is_current() -> None:
    chart = ROOT / "charts/somamemory-operator/templates/crd.yaml"

    assert chart.read_text() == crd.as_helm_template(), "run: make crds"


def test_plain_client_side_apply_can_carry_the_crd() -> None:
    """kubectl keeps the whole object in an annotation, as JSON without blanks, and annotations have a limit."""
    assert len(json.dumps(crd.crd(), separators=(",", ":"))) < CLIENT_SIDE_APPLY_LIMIT * 0.9


def test_every_field_has_a_description() -> None:
    silent = [
        path
        for path, part in ALL
        if not part.get("description") and not path.endswith((".items", ".additionalProperties"))
    ]

    assert silent == []


def test_the_schema_is_structural_and_has_no_defaults_in_the_spec() -> None:
    words = set(re.findall(r'"([$a-zA-Z-]+)":', json.dumps([part for _, part in SPEC])))

    assert not words & {"$ref", "$defs", "anyOf", "oneOf", "title", "default", "const"}


def test_everything_is_bounded_so_that_rules_can_be_priced() -> None:
    unbounded = [
        path
        for path, part in ALL
        if (part.get("type") == "string" and not ({"maxLength", "enum"} & part.keys()))
        or (part.get("type") == "array" and "maxItems" not in part)
        or ("additionalProperties" in part and "maxProperties" not in part)
    ]

    assert unbounded == []


def test_a_new_object_is_never_current() -> None:
    assert schema()["properties"]["status"]["default"] == {"observedGeneration": -1}


def test_rules_are_sentences() -> None:
    messages = [rule["message"] for _, part in ALL for rule in part.get("x-kubernetes-validations", ())]

    assert len(messages) >= 10
    assert all(" " in message and not message.endswith(".") for message in messages)


def test_the_longest_name_is_said_in_the_rule() -> None:
    assert any(str(LONGEST_NAME) in rule["rule"] for rule in schema()["x-kubernetes-validations"])


def test_an_empty_spec_has_every_value() -> None:
    spec = memory().spec

    assert (spec.profile, spec.api.replicas, spec.deletion_policy) == ("development", 1, "Retain")
    assert not spec.postgres.persistence.enabled
    assert spec.postgres.resources.requests == {"cpu": "25m", "memory": "96Mi"}


def test_production_is_a_real_service_and_the_spec_wins_over_it() -> None:
    spec = memory({"profile": "production", "redis": {"persistence": {"size": "1Gi"}}, "api": {"replicas": 5}}).spec

    assert spec.postgres.persistence.size == "50Gi"
    assert spec.redis.persistence.enabled
    assert (spec.redis.persistence.size, spec.api.replicas, spec.consumer.replicas) == ("1Gi", 5, 2)


def test_everything_of_development_fits_on_a_small_node() -> None:
    spec = memory().spec
    parts = (spec.api, spec.consumer, spec.postgres, spec.redis, spec.qdrant, spec.kafka)

    assert sum(int(part.resources.requests["cpu"].removesuffix("m")) for part in parts) <= 250
    assert sum(quantity_bytes(part.resources.requests["memory"]) for part in parts) <= quantity_bytes("1Gi")


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ({"replicas": 3}, "spec.replicas"),
        ({"api": {"replica": 3}}, "spec.api.replica"),
        ({"profile": "huge"}, "spec.profile"),
        ({"postgres": {"persistence": {"size": "big"}}}, "spec.postgres.persistence.size"),
        ({"redis": {"config": {"maxmemory": "1gb\nrequirepass x"}}}, "spec.redis.config.maxmemory"),
        ({"api": {"env": [{"name": "9"}]}}, "spec.api.env.0.name"),
    ],
)
def test_what_cannot_be_is_named_with_its_place(spec: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidSpec, match=f"^{re.escape(place)}: ") as caught:
        memory(spec)

    assert caught.value.reason is Reason.INVALID_SPEC


def test_a_refused_value_is_not_repeated() -> None:
    """It could be a secret in the wrong place, and conditions are read by many."""
    with pytest.raises(InvalidSpec) as caught:
        memory({"secrets": {"source": "hunter2"}})

    assert "hunter2" not in caught.value.message


def test_null_means_unset() -> None:
    assert merge({"a": {"b": 1, "c": 2}}, {"a": {"b": None, "c": 3}, "d": None}) == {"a": {"b": 1, "c": 3}}


@pytest.mark.parametrize(
    ("text", "size"), [("1Gi", 2**30), ("1G", 10**9), ("1.5Ki", 1536), ("7", 7), ("2k", 2000), ("1Ei", 2**60)]
)
def test_quantities_are_understood(text: str, size: int) -> None:
    assert quantity_bytes(text) == size


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_valid(path: Path) -> None:
    for document in yaml.safe_load_all(path.read_text()):
        if document["kind"] == "SomaMemory":
            assert memory(document["spec"]).spec


def test_the_documented_resource_is_valid() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/resource.md").read_text(), re.DOTALL)

    specs = [yaml.safe_load(block).get("spec", {}) for block in blocks]

    assert len(specs) == 2
    assert set(specs[1]) == set(schema()["properties"]["spec"]["properties"])
    assert [memory(spec) for spec in specs]


HOSTS = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        pytest.param({"imagePullSecrets": ["a", "a"]}, "names a Secret twice", id="one pull secret twice"),
        pytest.param(
            {"kafka": {"topologySpreadConstraints": [HOSTS, HOSTS | {"maxSkew": 2}]}},
            "two of one topologyKey and whenUnsatisfiable",
            id="two spreads of one kind",
        ),
        pytest.param(
            {"consumer": {"env": [{"name": "A"}, {"name": "A"}]}}, "two variables of one name", id="one variable"
        ),
        pytest.param({"api": {"grpc": {"port": 9595}}}, "ports of one Service", id="one port for HTTP and gRPC"),
    ],
)
def test_two_entries_that_kubernetes_could_not_tell_apart_are_refused_without_a_cluster(spec: Any, words: str) -> None:
    """The API server answers an apply of such a list with a fault of its own."""
    with pytest.raises(InvalidSpec, match=words):
        memory(spec)


def test_two_spreads_of_one_key_that_differ_in_what_happens_are_two() -> None:
    soft = HOSTS | {"whenUnsatisfiable": "ScheduleAnyway"}

    found = memory({"api": {"topologySpreadConstraints": [HOSTS, soft]}})

    assert len(found.spec.api.topology_spread_constraints) == 2
