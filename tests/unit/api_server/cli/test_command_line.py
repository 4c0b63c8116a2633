"""The `soma` command: what it prints, and how it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

from pydantic import AliasChoices

from somafractalmemory.cli.programs import openapi_text
from somafractalmemory.settings import SECRETS, Settings, load_settings

ROOT = Path(__file__).parents[4]


def soma(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run it without any variable of ours."""
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "api_server"), **environment}
    return subprocess.run(
        [sys.executable, "-m", "somafractalmemory", *arguments],
        env=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_committed_openapi_document_is_current() -> None:
    assert (ROOT / "openapi.json").read_text() == openapi_text() + "\n", "run `make openapi` and review the change"


def test_the_openapi_document_describes_every_route_of_the_page() -> None:
    document = json.loads(openapi_text())
    page = (ROOT / "docs" / "api.md").read_text()

    for path, operations in document["paths"].items():
        for method in operations:
            assert f"{method.upper()} {path}" in page
    for number in ("401", "403", "404", "413", "422", "429", "503"):
        assert number in page


def test_a_wrong_configuration_ends_with_2_and_every_problem() -> None:
    done = soma("consume", CONSUMER_METRICS_PORT="0", LOG_LEVEL="loud")

    assert done.returncode == 2
    for name in ("CONSUMER_METRICS_PORT", "LOG_LEVEL", "POSTGRES_URL", "QDRANT_URL", "KAFKA_BOOTSTRAP_SERVERS"):
        assert f"  - {name}: " in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_example_environment_is_complete_and_understood() -> None:
    lines = (ROOT / "api_server" / ".env.example").read_text().splitlines()
    environment = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    for command in ("serve", "consume", "migrate"):
        assert load_settings(environment, for_command=command).postgres_password is not None
    known = set(SECRETS)
    for field in Settings.model_fields.values():
        assert isinstance(field.validation_alias, AliasChoices)
        known |= {str(choice) for choice in field.validation_alias.choices}
    assert set(environment) <= known
