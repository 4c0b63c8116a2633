"""When a status has to be written: never when it says the same, always when it says something that is over."""

from typing import Any

import pytest

from somamemory_operator.cluster.reports import STATUS_MANAGER, same_report
from somamemory_operator.model.observed import Obj


def memory(*types: str, ours: tuple[str, ...]) -> Obj:
    fields: Obj = {f'k:{{"type":"{kind}"}}': {".": {}} for kind in ours}
    entry = {"manager": STATUS_MANAGER, "operation": "Apply", "fieldsV1": {"f:status": {"f:conditions": fields}}}
    return {"metadata": {"managedFields": [entry]}, "status": status(*types)}


def status(*types: str) -> dict[str, Any]:
    return {"phase": "Ready", "conditions": [{"type": kind, "status": "True"} for kind in types]}


@pytest.mark.parametrize(
    ("live", "wanted", "same"),
    [
        pytest.param(memory("A", "B", ours=("A", "B")), status("B", "A"), True, id="the same in another order"),
        pytest.param(memory("A", "B", ours=("A",)), status("A"), True, id="a condition of somebody else"),
        pytest.param(memory("A", "B", ours=("A", "B")), status("A"), False, id="a condition that is over"),
        pytest.param(memory("A", ours=("A",)), status("A", "B"), False, id="a condition that is new"),
        pytest.param({"metadata": {}}, status("A"), False, id="nothing is there yet"),
    ],
)
def test_a_status_is_compared_by_what_we_say(live: Obj, wanted: Obj, same: bool) -> None:
    assert same_report(live, wanted) is same
