"""The chart of one SomaMemory: what its values become, and what it refuses."""

import base64
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from somamemory_operator.resource.somamemory import SomaMemory
from tests.unit.operator.test_chart import helm

CHART = Path(__file__).parents[3] / "charts/somamemory"
PRODUCTION = ("-f", str(CHART / "values-production.yaml"))
Obj = dict[str, Any]


@cache
def templated(*arguments: str) -> tuple[int, str, str]:
    """What Helm writes; asked once for each set of values."""
    command = [helm(), "template", "soma-memory", str(CHART), "--kube-version", "1.34.0", "-n", "soma-memory"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def rendered(*arguments: str) -> list[Obj]:
    code, text, error = templated(*arguments)
    assert code == 0, error
    return [document for document in yaml.safe_load_all(text) if document]


def memory(*arguments: str) -> Obj:
    [found] = [obj for obj in rendered(*arguments) if obj["kind"] == "SomaMemory"]
    SomaMemory.parse(found)
    return found


def spec(*arguments: str) -> Obj:
    found: Obj = memory(*arguments)["spec"]
    return found


def values(*pairs: str) -> tuple[str, ...]:
    return tuple(part for pair in pairs for part in ("--set", pair))


def test_one_release_is_one_somamemory_with_all_components() -> None:
    """(S-101)"""
    found = memory()

    assert [obj["kind"] for obj in rendered()] == ["SomaMemory"]
    assert (found["metadata"]["name"], found["metadata"]["namespace"]) == ("soma-memory", "soma-memory")
    parsed = SomaMemory.parse(found).spec
    assert parsed.consumer.enabled
    assert found["spec"] == {
        "profile": "development",
        "api": {"service": {"type": "ClusterIP", "port": 9595}},
        "consumer": {"enabled": True},
    }


def test_repository_and_tag_of_the_image() -> None:
    """(S-102)"""
    found = spec(*values("image.repository=example.org/soma", "image.tag=2.0.0", "redis.image.tag=7.4"))

    assert found["image"] == {"repository": "example.org/soma", "tag": "2.0.0"}
    assert found["redis"]["image"] == {"tag": "7.4"}


def test_pull_policy_of_the_image() -> None:
    """(S-103)"""
    assert spec(*values("image.pullPolicy=Never"))["image"] == {"pullPolicy": "Never"}


def test_variables_configure_the_api_and_those_that_are_fields_become_them() -> None:
    """(S-104)"""
    pairs = ("LOG_LEVEL=DEBUG", "UVICORN_PORT=9696", "SOMA_RATE_LIMIT_MAX=5000", "UVICORN_WORKERS=2")
    found = spec(*values(*(f"env.{pair}" for pair in pairs), "env.SOMA_MEMORY_NAMESPACE=mine"))

    assert found["api"] == {
        "env": [{"name": "LOG_LEVEL", "value": "DEBUG"}],
        "rateLimit": {"max": 5000},
        "service": {"type": "ClusterIP", "port": 9696},
        "workers": 2,
    }
    assert found["memory"] == {"namespace": "mine"}


def test_the_consumer_can_be_left_out() -> None:
    """(S-105)"""
    assert spec(*values("consumer.enabled=false"))["consumer"] == {"enabled": False}


@pytest.mark.parametrize("store", ["postgres", "redis", "qdrant", "redpanda"])
def test_a_store_can_be_disabled_and_pointed_at_a_managed_service(store: str) -> None:
    """(S-106)"""
    address = "bootstrapServers=a:9092" if store == "redpanda" else "host=db.example.com"
    login = (f"{store}.external.secretRef.name=db",) if store == "postgres" else ()
    found = spec(*PRODUCTION, *values(f"{store}.enabled=false", f"{store}.external.{address}", *login))

    kept = found["kafka" if store == "redpanda" else store]
    assert list(kept) == ["external"]
    assert address.partition("=")[2] in kept["external"].values()


def test_the_broker_keeps_its_other_name_whatever_its_image() -> None:
    """(S-107)"""
    found = spec(*values("redpanda.image.repository=docker.io/confluentinc/cp-kafka", "redpanda.persistence.size=9Gi"))

    assert found["kafka"]["image"] == {"repository": "docker.io/confluentinc/cp-kafka"}
    assert found["kafka"]["persistence"] == {"size": "9Gi"}


def test_production_has_no_inline_secret() -> None:
    """(S-67)"""
    kinds = [obj["kind"] for obj in rendered(*PRODUCTION)]
    inline = rendered(*PRODUCTION, *values("secret.enabled=true", "secret.data.REDIS_PASSWORD=x"))

    assert kinds == ["SomaMemory"]
    assert [obj["kind"] for obj in inline] == ["SomaMemory"], "what is fetched and what is inline exclude each other"


def test_production_fetches_its_secrets_and_the_pods_get_them() -> None:
    """(S-68)"""
    secrets = spec(*PRODUCTION)["secrets"]

    assert secrets["source"] == "externalSecret"
    assert secrets["externalSecret"]["target"]["name"] == "soma-memory-runtime-secrets"
    keys = {entry["secretKey"] for entry in secrets["externalSecret"]["data"]}
    assert keys == {"SOMA_API_TOKEN", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "QDRANT_API_KEY"}


def test_production_leaves_restarts_to_reloader() -> None:
    """(S-69)"""
    assert spec(*PRODUCTION)["secrets"]["rollout"] == "reloader"


def test_production_has_volumes_whose_classes_can_be_set() -> None:
    found = spec(*PRODUCTION, *values("postgres.persistence.storageClass=premium-rwo"))

    sizes = {store: found[store]["persistence"]["size"] for store in ("postgres", "redis", "qdrant", "kafka")}
    assert sizes == {"postgres": "50Gi", "redis": "20Gi", "qdrant": "200Gi", "kafka": "200Gi"}
    assert found["postgres"]["persistence"]["storageClassName"] == "premium-rwo"
    assert "storageClassName" not in found["redis"]["persistence"]


def test_inline_secrets_are_a_secret_that_the_operator_reads() -> None:
    arguments = values("secret.data.REDIS_PASSWORD=chosen", "secret.data.SOMA_API_TOKEN=token")
    [secret] = [obj for obj in rendered(*arguments) if obj["kind"] == "Secret"]
    name = "soma-memory-inline-secrets"

    assert {key: base64.b64decode(value).decode() for key, value in secret["data"].items()} == {
        "REDIS_PASSWORD": "chosen",
        "SOMA_API_TOKEN": "token",
    }
    assert spec(*arguments)["secrets"] == {
        "source": "existing",
        "existing": {"apiToken": {"name": name}, "redis": {"name": name}},
    }


def test_an_existing_secret_is_named() -> None:
    assert spec(*values("secret.existingSecret=mine"))["secrets"] == {
        "source": "existing",
        "existing": {"name": "mine"},
    }


def test_any_field_of_the_spec_can_be_laid_over() -> None:
    found = spec(*values("spec.networkPolicy.enabled=true", "spec.api.replicas=3", "replicaCount=2"))

    assert found["networkPolicy"] == {"enabled": True}
    assert found["api"]["replicas"] == 3


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("postgres.enabled=false", "postgres.enabled is false"),
        ("replicas=2", "replicas"),
        ("profile=huge", "profile"),
        ("externalSecret.enabled=true", "secretStoreRef.name is empty"),
        ("secret.data.OTHER=x", "secret.data.OTHER is no secret of a SomaMemory"),
        ("kafka.persistance.size=5Gi", "persistance"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(wrong: str, words: str) -> None:
    code, _, error = templated(*values(wrong))

    assert code != 0
    assert words in error


def test_lint_finds_nothing() -> None:
    done = subprocess.run([helm(), "lint", "--strict", str(CHART)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
