"""Conditions as Kubernetes wants them: the time moves only when the status of a condition flips."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from somamemory_operator.model.reasons import Reason

Verdict = Literal["True", "False", "Unknown"]


@dataclass(frozen=True)
class Condition:
    """One aspect of how it stands."""

    type: str
    status: Verdict
    reason: Reason
    message: str


def verdict(value: bool) -> Verdict:
    return "True" if value else "False"


def rendered(
    conditions: Iterable[Condition], *, before: Mapping[str, Any], generation: int, now: datetime
) -> list[dict[str, Any]]:
    """The conditions as they go into `.status`, given the status `before`."""
    old = {condition["type"]: condition for condition in before.get("conditions") or ()}
    return [_rendered(condition, old.get(condition.type), generation, now) for condition in conditions]


def _rendered(condition: Condition, old: Mapping[str, Any] | None, generation: int, now: datetime) -> dict[str, Any]:
    same = old is not None and old.get("status") == condition.status and old.get("lastTransitionTime")
    moment = old["lastTransitionTime"] if old and same else now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "type": condition.type,
        "status": condition.status,
        "reason": condition.reason.value,
        "message": condition.message,
        "observedGeneration": generation,
        "lastTransitionTime": moment,
    }
