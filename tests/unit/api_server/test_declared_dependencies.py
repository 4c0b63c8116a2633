"""What the programs import is declared, so that an installation of an extra is complete."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "api_server" / "somafractalmemory"
PROJECTS = {
    "grpc": "grpcio",
    "grpc_health": "grpcio-health-checking",
    "grpc_reflection": "grpcio-reflection",
    "jwt": "pyjwt",
    "yaml": "pyyaml",
    "google": "grpcio-health-checking",
}
COME_ALONG = {"starlette": "fastapi", "psycopg_pool": "psycopg", "qdrant_edge": "qdrant-edge-py", "uvloop": "uvicorn"}


def imported(file: Path) -> Iterator[str]:
    """The top names of everything a module imports, wherever it does so."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module).partition(".")[0]


def declared(*extras: str) -> set[str]:
    """The projects that an installation with these extras asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return {re.split(r"[\[<>=~! ]", line)[0].lower() for line in lines}


def test_every_import_of_the_service_is_declared_by_its_extra() -> None:
    """(config defect 10)"""
    projects = declared("api")
    for file in PACKAGE.rglob("*.py"):
        for name in set(imported(file)) - sys.stdlib_module_names - {"somafractalmemory", "opentelemetry"}:
            project = COME_ALONG.get(name) or PROJECTS.get(name) or name.replace("_", "-")
            assert project in projects, f"{file.name} imports {name}"


def test_only_tracing_imports_what_the_extra_otel_brings() -> None:
    users = {file.name for file in PACKAGE.rglob("*.py") if "opentelemetry" in set(imported(file))}

    assert users == {"tracing.py"}
    assert {"opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"} <= declared("otel")
