"""Each capability that the service promises, and each fault of the original that it must not have, has its test.

Docstrings of tests name them: `(S-83)` and `(X-01)` are capabilities, `(core defect 12)` is a fault.
"""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
DEFECTS = {"http": 24, "core": 29, "gRPC": 13, "events": 15, "cli": 9, "config": 10}
SEED = (*range(11, 14), *range(52, 66), *range(67, 73), *range(83, 108))
PROMISES = {
    *(f"S-{number}" for number in SEED),
    *(f"X-{number:02}" for number in range(1, 11)),
    *(f"{face} defect {number}" for face, last in DEFECTS.items() for number in range(1, last + 1)),
    "cli defect 0",
}


def named(file: Path) -> set[str]:
    """What the tests of a file say they are for."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and "test" in node.name.lower():
            found |= set(re.findall(r"\(([SX]-\d+|\w+ defect \d+)\)", ast.get_docstring(node) or ""))
    return found


def test_every_promise_is_named_by_a_test() -> None:
    found = set().union(*(named(file) for file in TESTS.rglob("*.py")))

    assert sorted(PROMISES - found) == []
