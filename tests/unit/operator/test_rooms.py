"""The import contracts hold the rooms apart: each is broken by the import that it is there for, and by nothing else."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = "somamemory_operator"
CONTRACTS: list[dict[str, Any]] = [
    contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    if PACKAGE in str(contract)
]

CORE = "The operator's core knows no cluster, no framework, no log and no metric"
ROOMS = "The operator has rooms: the rim talks, the core below it decides"
CLUSTER = "The operator's cluster knows the vocabulary and the actions of a plan, and no decision"
WRONG = {
    # module: what it imports, and the contracts that this breaks
    "model/names.py": ("kubernetes", {CORE}),
    "decide/plan.py": (f"{PACKAGE}.manifests.images", {ROOMS}),
    "decide/reserved.py": ("structlog", {CORE}),
    "status/status.py": (f"{PACKAGE}.cluster.client", {CORE, ROOMS}),
    "cluster/client.py": (f"{PACKAGE}.decide.checks", {CLUSTER}),
    "cluster/watches.py": (f"{PACKAGE}.resource.spec", {CLUSTER}),
    "process/program.py": ("kopf", {"Kopf is known to one module"}),
    "process/work_queue.py": (
        f"{PACKAGE}.process.program",
        {"Inside the operator's process: the program over its parts"},
    ),
    "resource/base.py": (
        f"{PACKAGE}.resource.spec",
        {"Inside the operator's resource: one SomaMemory, its spec, the spec's parts"},
    ),
    "settings.py": ("somafractalmemory", {"The two programs do not know each other"}),
    "garage/__init__.py": ("", {ROOMS}),  # a room that nobody has given a place
}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The operator beside a stand-in for the other program, and the contracts that are about it."""
    shutil.copytree(ROOT / "operator" / PACKAGE, tmp_path / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "somafractalmemory").mkdir()
    (tmp_path / "somafractalmemory/__init__.py").touch()
    (tmp_path / ".importlinter").write_text("\n".join(_sections()))
    return tmp_path


def test_the_rooms_are_kept_apart(copied: Path) -> None:
    assert broken(copied) == set()


@pytest.mark.parametrize("module", WRONG)
def test_a_wrong_import_breaks_its_contract(copied: Path, module: str) -> None:
    imported, contracts = WRONG[module]
    path = copied / PACKAGE / module
    path.parent.mkdir(exist_ok=True)
    text = path.read_text() if path.exists() else ""
    path.write_text(f"{text}\nimport {imported}\n" if imported else text)

    assert broken(copied) == contracts


def test_every_contract_has_an_import_that_breaks_it() -> None:
    assert {contract["name"] for contract in CONTRACTS} == set().union(*(names for _, names in WRONG.values()))


def broken(folder: Path) -> set[str]:
    """The names of the contracts that a copy breaks, as the linter tells them."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    environment = os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    judged = dict(re.findall(r"^(.+) (KEPT|BROKEN)(?: \(.*\))?$", done.stdout, re.MULTILINE))
    assert set(judged) == {contract["name"] for contract in CONTRACTS}, done.stdout + done.stderr
    assert done.returncode == ("BROKEN" in judged.values())
    return {name for name, verdict in judged.items() if verdict == "BROKEN"}


def _sections() -> list[str]:
    """The contracts in the other notation that the linter reads: Python can read TOML, and cannot write it."""
    lines = [
        "[importlinter]",
        "include_external_packages = True",
        "root_packages =",
        f"    {PACKAGE}",
        "    somafractalmemory",
    ]
    for number, contract in enumerate(CONTRACTS):
        lines.append(f"[importlinter:contract:{number}]")
        for key, value in contract.items():
            lines += (
                [f"{key} =", *(f"    {each}" for each in value)] if isinstance(value, list) else [f"{key} = {value}"]
            )
    return lines
