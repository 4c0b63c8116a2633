"""What Argo CD shows of a SomaMemory, by the very script that the documents hand out, in a Lua interpreter."""

from pathlib import Path
from typing import Any

import lupa
import pytest
import yaml

from somamemory_operator.model.errors import Problem
from somamemory_operator.model.observed import Obj
from somamemory_operator.model.reasons import Reason
from tests.unit.operator.fakes import memory
from tests.unit.operator.status.test_kstatus import REDIS, report, settled, unparsable, waiting

ROOT = Path(__file__).parents[4]
SCRIPT = ROOT / "kind/argocd/health.lua"
GENERATION = 4


def health(status: Obj | None, **metadata: object) -> tuple[str, str]:
    """Status and message, as Argo CD gets them: it binds the object as `obj`, without Lua's own libraries of files."""
    lua = lupa.LuaRuntime(register_eval=False)
    obj: dict[str, Any] = {"metadata": {"name": "demo", "generation": GENERATION, **metadata}}
    if status is not None:
        obj["status"] = status
    lua.globals().obj = lua.table_from(obj, recursive=True)
    found = lua.execute(SCRIPT.read_text())
    return found["status"], found["message"]


def test_what_is_ready_is_healthy() -> None:
    assert health(report(settled()))[0] == "Healthy"


def test_what_is_on_its_way_is_progressing() -> None:
    cluster = settled()
    cluster.objects[REDIS]["status"] |= {"readyReplicas": 0, "availableReplicas": 0}

    status, message = health(report(cluster))

    assert status == "Progressing"
    assert "redis" in message


def test_what_needs_a_person_is_degraded() -> None:
    for status in (report(waiting("ErrImageNeverPull")), unparsable()):
        assert health(status)[0] == "Degraded"
    refused = Problem(Reason.INVALID_SPEC, "spec.postgres.persistence.size: volumes never shrink.")
    assert health(report(settled(), problem=refused)) == ("Degraded", refused.message)


@pytest.mark.parametrize("spec", [{"paused": True}, {"hibernated": True, "allowDataLoss": True}])
def test_what_a_person_has_stopped_is_suspended(spec: Obj) -> None:
    cluster = settled()
    if "hibernated" in spec:
        cluster.settle(memory(spec))

    assert health(report(cluster, spec))[0] == "Suspended"


def test_what_the_operator_has_not_seen_is_never_healthy() -> None:
    seen = report(settled())

    assert health(None)[0] == health({})[0] == health({"conditions": []})[0] == "Progressing"
    assert health(seen, generation=GENERATION + 1) == (
        "Progressing",
        "The operator has not seen the last change yet.",
    )
    assert health(seen, deletionTimestamp="2026-11-28T12:00:00Z") == ("Progressing", "It is being deleted.")


def test_the_documents_hand_out_this_script() -> None:
    blocks = (ROOT / "docs/argocd.md").read_text().split("```yaml\n")[1:]
    config = next(text for block in blocks if "health.somatechlat" in (text := block.partition("```")[0]))

    [script] = yaml.safe_load(config)["data"].values()

    assert script == SCRIPT.read_text()
