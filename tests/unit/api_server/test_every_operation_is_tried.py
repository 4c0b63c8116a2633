"""An operation that is added is also tried by the suites that promise to try all of them."""

import json
from pathlib import Path

from tests.integration.api.tenantcalls import READS, WRITES, called

DOCUMENT = json.loads((Path(__file__).parents[3] / "openapi.json").read_text())
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
