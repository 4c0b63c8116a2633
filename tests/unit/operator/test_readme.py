"""The operator's README is true: its tree has every room, and its walk goes along real imports."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "operator/somamemory_operator"
TEXT = (ROOT / "operator/README.md").read_text()
WALK = re.findall(r"^\d+\. `([\w/]+)`", TEXT, re.MULTILINE)


def test_the_tree_shows_every_room_with_a_line() -> None:
    shown = re.findall(r"^[│ ]*[├└]── (\w+)/ +(\S.+)$", TEXT, re.MULTILINE)
    rooms = {path.parent.name for path in PACKAGE.rglob("__init__.py")} - {PACKAGE.name}

    assert {name for name, _ in shown} == rooms
    assert len(shown) == len(rooms)


def test_the_walk_of_a_change_takes_few_modules_each_called_by_one_before() -> None:
    assert 0 < len(WALK) <= 14
    for number, step in enumerate(WALK[1:], start=1):
        assert _module(step) in set().union(*(_imports(each) for each in WALK[:number])), step


def test_what_it_names_is_there() -> None:
    named = re.findall(r"`((?:decide|model|resource|status|process|cluster|reconcile|manifests)/[\w/]*)", TEXT)
    files = re.findall(r"`((?:tests|docs)/[\w/.]+|pyproject\.toml)`", TEXT)

    assert len(named) > 12
    assert [name for name in named if not _path(name).exists()] == []
    assert [name for name in files if not (ROOT / name).exists()] == []


def _path(name: str) -> Path:
    folder = PACKAGE / name
    return folder if folder.is_dir() else folder.with_suffix(".py")


def _module(name: str) -> str:
    return f"{PACKAGE.name}.{name.replace('/', '.')}"


def _imports(name: str) -> set[str]:
    path = _path(name)
    tree = ast.parse((path / "__init__.py" if path.is_dir() else path).read_text())
    return {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module is not None}
