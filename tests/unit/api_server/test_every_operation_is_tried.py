"""An operation that is added is also tried by the suites that promise to try all of them."""

import ast
import json
from pathlib import Path

from tests.integration.api.cliface import Cli
from tests.integration.api.compared import COMPARED, ONLY_HTTP, WITHOUT
from tests.integration.api.coreface import Core
from tests.integration.api.faces import Http
from tests.integration.api.grpcface import Grpc
from tests.integration.api.tenantcalls import READS, WRITES, called

ROOT = Path(__file__).parents[3]
DOCUMENT = json.loads((ROOT / "openapi.json").read_text())
PARITY = ROOT / "tests" / "integration" / "api" / "test_parity.py"
OPERATIONS = {
    (method.upper(), path): operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
GUARDED = {name for name, operation in OPERATIONS.items() if operation.get("security")}


def test_strangers_try_every_operation_that_needs_a_token() -> None:
    """(S-53)"""
    assert called([*WRITES, *READS]) == GUARDED, "add a call to tenantcalls.py"
    assert called(READS).isdisjoint(called(WRITES))


def test_the_faces_are_compared_in_every_operation() -> None:
    """(X-01) (X-02) (X-03) (X-04)"""
    assert COMPARED.keys() | ONLY_HTTP.keys() == OPERATIONS.keys(), "compare it in test_parity.py, or say why not"
    assert COMPARED.keys().isdisjoint(ONLY_HTTP)


def test_a_face_lacks_only_what_has_a_reason() -> None:
    lacking = {
        (face.name, method)
        for face in (Core, Http, Grpc, Cli)
        for method in COMPARED.values()
        if not hasattr(face, method)
    }

    assert lacking == WITHOUT.keys()


def test_each_comparison_is_really_made() -> None:
    """By the parity suite, which asks whatever it calls `face`."""
    asked = {
        node.attr
        for node in ast.walk(ast.parse(PARITY.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "face"
    }

    assert asked >= set(COMPARED.values())
