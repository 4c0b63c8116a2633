"""Each program imports only what its own image has: the tests' environment has everything, an image has not."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = {
    "somamemory_operator": ("operator", {"aiohttp"}),  # which kubernetes brings, for its asyncio client
    # protobuf's folder; an extra of its own; what psycopg, fastapi and uvicorn bring by their own extras
    "somafractalmemory": ("api", {"google", "opentelemetry", "psycopg_pool", "starlette", "uvloop"}),
}
"""Package -> its extra in pyproject.toml, and what else may be imported."""


def imported(package: Path) -> Iterator[str]:
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from (name.name.partition(".")[0] for name in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def declared(extra: str) -> set[str]:
    """The modules of the distributions that an image with this extra has because we say so, and what those stand on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"][extra]]
    names = {re.split(r"[\[<>=!~; ]", each)[0].lower().replace("_", "-") for each in wanted}
    by_module = packages_distributions()
    return {
        module
        for module, distributions in by_module.items()
        if names & {distribution.lower().replace("_", "-") for distribution in distributions}
    }


@pytest.mark.parametrize("package", PROGRAMS)
def test_it_imports_what_its_image_has(package: str) -> None:
    extra, more = PROGRAMS[package]
    known = set(sys.stdlib_module_names) | {package, "pydantic_core"} | more | declared(extra)

    [folder] = [path for path in (ROOT / "operator", ROOT / "api_server") if (path / package).is_dir()]
    assert sorted(set(imported(folder / package)) - known) == []
