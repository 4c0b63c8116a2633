"""The pods of a SomaMemory that the release before this one made do not restart when the operator is upgraded.

`previous/` holds the golden manifests of that release, frozen: they are never rewritten, only replaced as a whole when
a release has been made. What would restart a pod, or cannot be changed at all, is compared with what this code builds
from the same specs and for the same images (another default image is another matter: see decide/versions.py).
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from somamemory_operator.decide.credentials import credentials
from somamemory_operator.manifests import build
from somamemory_operator.model.observed import Obj, World
from somamemory_operator.resource.somamemory import SomaMemory
from tests.unit.operator.fakes import SETTINGS, made

PREVIOUS = Path(__file__).parent / "previous"
CASES = sorted(path.name.removesuffix(".in.yaml") for path in PREVIOUS.glob("*.in.yaml"))
RELEASE = SETTINGS.model_copy(
    update={
        "version": "0.1.0",
        "image_api": "docker.io/somatechlat/soma-memory-api:0.1.0",
        "image_postgres": "docker.io/library/postgres:16",
        "image_redis": "docker.io/library/redis:7",
        "image_qdrant": "docker.io/qdrant/qdrant:v1.16.3-unprivileged",
        "image_kafka": "docker.io/apache/kafka:4.1.0",
    }
)
"""What the release before this one deployed by default."""

_PROGRAMS = (
    "They hold new passwords beside old ones now, from a Secret of their own; their image is another one anyway."
)
INTENDED = {"demo-api": _PROGRAMS, "demo-consumer": _PROGRAMS}
"""Workloads whose pods this release restarts on purpose, by name (`demo-kafka`), and why there was no way around it.

Every entry is a promise broken to everybody who upgrades: it belongs into docs/operations.md and the changelog too.
"""

PARTS = ("template", "selector", "serviceName", "podManagementPolicy")
"""What restarts pods when it changes, or cannot be changed."""


def test_an_upgrade_of_the_operator_restarts_no_pod_unmeant() -> None:
    changed = {name for case in CASES for name in differing(case)}

    assert changed == INTENDED.keys(), "these pods would restart: take the change back, or explain it in INTENDED"


@pytest.mark.parametrize("case", CASES)
def test_the_frozen_manifests_hold_every_workload_that_is_made_today(case: str) -> None:
    """Or a workload would be compared with nothing."""
    assert before(case).keys() == now(case).keys()


def differing(case: str) -> Iterator[str]:
    then = before(case)
    yield from (name for name, workload in now(case).items() if workload != then.get(name))


def before(case: str) -> dict[str, Obj]:
    return workloads(yaml.safe_load_all((PREVIOUS / f"{case}.out.yaml").read_text()))


def now(case: str) -> dict[str, Obj]:
    memory, world = SomaMemory.parse(yaml.safe_load((PREVIOUS / f"{case}.in.yaml").read_text())), World()
    return workloads(wanted.obj for wanted in build(memory, RELEASE, world, credentials(world, memory, made)))


def workloads(objects: Iterator[Obj]) -> dict[str, Obj]:
    found = (obj for obj in objects if obj["kind"] in ("StatefulSet", "Deployment"))
    return {obj["metadata"]["name"]: {part: obj["spec"].get(part) for part in PARTS} for obj in found}
