"""Which turns of a status are worth a Kubernetes Event."""

import pytest

from somamemory_operator.model.observed import Obj
from somamemory_operator.reconcile.reporter import Transition, transitions


def status(**conditions: tuple[str, str]) -> Obj:
    return {
        "conditions": [
            {"type": kind, "status": value, "reason": reason, "message": f"says {reason}"}
            for kind, (value, reason) in conditions.items()
        ]
    }


def test_becoming_ready_is_told() -> None:
    told = transitions(status(Ready=("False", "RollingOut")), status(Ready=("True", "Ready")))

    assert list(told) == [Transition("Ready", "Ready is True: says Ready", warning=False)]


def test_stalling_is_a_warning() -> None:
    told = transitions(status(Stalled=("False", "NothingToDo")), status(Stalled=("True", "InvalidSpec")))

    assert list(told) == [Transition("InvalidSpec", "Stalled is True: says InvalidSpec", warning=True)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({}, status(Ready=("False", "Waiting")), id="a new resource that is not ready yet"),
        pytest.param({}, status(Stalled=("False", "NothingToDo")), id="a new resource that does not stall"),
        pytest.param(status(Ready=("True", "Ready")), status(Ready=("True", "Ready")), id="nothing turned"),
        pytest.param(
            status(PostgresReady=("False", "Waiting")), status(PostgresReady=("True", "Ready")), id="one component"
        ),
        pytest.param(
            status(Stalled=("True", "InvalidSpec")), status(Stalled=("False", "Ready")), id="the end of a stall"
        ),
    ],
)
def test_the_rest_is_not_told(before: Obj, after: Obj) -> None:
    assert list(transitions(before, after)) == []
