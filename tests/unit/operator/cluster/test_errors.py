"""What is told about a failed call: the server's reason and causes, nothing secret, nothing that moves."""

import pytest

from somamemory_operator.cluster.errors import ApiError, words
from somamemory_operator.cluster.problems import problem_of
from somamemory_operator.model.observed import Key, Obj
from somamemory_operator.model.reasons import Reason

SERVICE = Key("Service", "demo-api")


def answer(message: str, *causes: tuple[str, str, str]) -> Obj:
    found = [{"field": field, "reason": reason, "message": said} for field, reason, said in causes]
    return {"reason": "Invalid", "message": message, "details": {"causes": found}}


def test_causes_that_the_message_leaves_out_are_told() -> None:
    said = words(answer("Invalid.", ("spec.ports[1].port", "FieldValueDuplicate", 'Duplicate value: "80"')), "Service")

    assert said == 'Invalid.; spec.ports[1].port: Duplicate value: "80"'


def test_what_the_message_says_already_is_not_told_twice() -> None:
    text = 'Service "demo-api" is invalid: spec.ports[1].port: Duplicate value: 80'

    assert words(answer(text, ("spec.ports[1].port", "FieldValueDuplicate", "Duplicate value: 80")), "Service") == text


def test_of_a_secret_only_the_fields_are_told() -> None:
    cause = ("data[POSTGRES_PASSWORD]", "FieldValueInvalid", 'Invalid value: "hunter2": no')

    said = words(answer('Secret "demo" is invalid: data: Invalid value: "hunter2"', cause), "Secret")

    assert said == "Invalid: data[POSTGRES_PASSWORD] (FieldValueInvalid)"


@pytest.mark.parametrize(
    ("status", "slow", "message", "reason", "stalls"),
    [
        pytest.param(422, False, "is invalid", Reason.APPLY_REFUSED, True, id="the server refuses the object"),
        pytest.param(403, False, "is forbidden", Reason.FORBIDDEN, True, id="a right is missing"),
        pytest.param(500, False, "failed calling webhook", Reason.SERVER_ERROR, False, id="a webhook is away"),
        pytest.param(
            500, False, "failed to create typed patch object", Reason.APPLY_REFUSED, True, id="it does not fit"
        ),
        pytest.param(503, False, "busy", Reason.SERVER_ERROR, False, id="the server is busy"),
        pytest.param(0, True, "no answer", Reason.SERVER_ERROR, False, id="one call takes too long"),
        pytest.param(0, False, "no answer", Reason.CLUSTER_UNAVAILABLE, False, id="nobody is there"),
        pytest.param(409, False, "the object has been modified", Reason.CONFLICT, False, id="somebody was faster"),
    ],
)
def test_a_failed_call_is_a_problem(status: int, slow: bool, message: str, reason: Reason, stalls: bool) -> None:
    problem = problem_of(ApiError("PATCH /api", status, "Why", message, slow=slow), SERVICE)

    assert (problem.reason, problem.stalls, problem.retry) == (reason, stalls, True)
    assert reason in (Reason.CONFLICT, Reason.CLUSTER_UNAVAILABLE) or message in problem.message
    assert reason is Reason.CLUSTER_UNAVAILABLE or "Service demo-api" in problem.message
