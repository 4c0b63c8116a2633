"""The consumer in the compose stack: a service of its own, which can be built, started and read alone."""

from pathlib import Path
from typing import Any

import yaml

COMPOSE = Path(__file__).parents[3] / "api_server" / "compose.yaml"


def consumer() -> dict[str, Any]:
    service: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]["somafractalmemory_kube"]
    return service


def test_the_consumer_has_a_build_of_its_own() -> None:
    """(S-20)"""
    assert consumer()["build"]["dockerfile"].endswith("Dockerfile")
    assert consumer()["container_name"] == "somafractalmemory_consumer"


def test_the_consumer_is_in_the_profile_consumer() -> None:
    """(S-22)"""
    assert "consumer" in consumer()["profiles"]


def test_the_consumer_runs_from_the_installed_package_and_not_from_a_script() -> None:
    """(events defect 14)"""
    assert consumer()["command"] == ["soma", "consume"]
