"""A class can be named in a sentence, a log or a traceback without saying which of two is meant."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = (ROOT / "api_server" / "somafractalmemory", ROOT / "operator" / "somamemory_operator")


def public_classes(package: Path) -> dict[str, list[str]]:
    """Names and the modules that define them; what protoc writes is named by the contract, which is another name."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(package.rglob("*.py")):
        if file.stem.endswith(("_pb2", "_pb2_grpc")):
            continue
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(file.relative_to(package)))
    return found


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_no_two_public_classes_share_a_name(package: Path) -> None:
    """(core defect 27)"""
    classes = public_classes(package)

    assert len(classes) > 50
    assert {name: files for name, files in classes.items() if len(files) > 1} == {}
