"""What `kubectl soma status` tells, out of statuses that the operator writes."""

import json

from somamemory_operator.model.observed import Obj
from somamemory_operator.plugin.report import redacted
from somamemory_operator.plugin.summary import summary, tree
from tests.unit.operator.fakes import memory
from tests.unit.operator.status.test_kstatus import report, settled, unparsable, waiting


def seen(status: Obj | None, generation: int = 4) -> Obj:
    metadata = {"name": "demo", "namespace": "space", "generation": generation}
    return {"metadata": metadata, "spec": {}, **({"status": status} if status is not None else {})}


def test_what_is_ready_is_one_line_for_each_component() -> None:
    told = summary(seen(report(settled())))

    first, *lines = tree(told).splitlines()
    assert told["ready"]
    assert first == "space/demo: Ready"
    assert [line.split()[1] for line in lines[:6]] == ["postgres", "redis", "qdrant", "kafka", "api", "consumer"]
    assert all(line.split()[2:4] == ["1/1", "Ready"] for line in lines[:6] if "api" not in line)
    assert lines[6].startswith("└─ Durable: NoVolumes")
    assert lines[-1].startswith("API: http://")
    assert json.loads(json.dumps(told)) == told


def test_what_is_wrong_stands_below_its_component() -> None:
    told = summary(seen(report(waiting("ErrImageNeverPull"))))

    lines = tree(told).splitlines()
    assert told["stalled"]
    assert lines[0].startswith("space/demo: needs you (")
    at = next(number for number, line in enumerate(lines) if "redis" in line and line.startswith("├─"))
    [redis] = [each for each in told["components"] if each["name"] == "redis"]
    assert lines[at + 1].endswith(redis["message"])


def test_what_is_refused_is_told_first() -> None:
    told = summary(seen(unparsable()))

    assert tree(told).splitlines()[:2] == ["space/demo: needs you (InvalidSpec)", f"│  {told['message']}"]


def test_what_rests_is_told() -> None:
    cluster, spec = settled(), {"hibernated": True, "allowDataLoss": True}
    cluster.settle(memory(spec))

    told = summary(seen(report(cluster, spec)))

    assert (told["ready"], told["reason"]) == (False, "Hibernated")


def test_nothing_is_ready_that_the_operator_has_not_looked_at() -> None:
    assert summary(seen(None))["reason"] == "NotSeen"
    assert "is one running?" in tree(summary(seen(None)))
    assert not summary(seen(report(settled()), generation=5))["ready"]


def test_a_report_holds_no_value_of_a_secret() -> None:
    applied = {"kubectl.kubernetes.io/last-applied-configuration": '{"data": {"KEY": "c2VjcmV0"}}', "theirs": "x"}
    secret = {
        "kind": "Secret",
        "metadata": {"name": "a", "annotations": applied, "managedFields": [{}]},
        "data": {"KEY": "c2VjcmV0"},
        "stringData": {"KEY": "secret"},
    }

    found = redacted(secret)

    assert "c2VjcmV0" not in str(found)
    assert "'secret'" not in str(found)
    assert (found["keys"], found["metadata"]) == (["KEY"], {"name": "a", "annotations": {"theirs": "x"}})
