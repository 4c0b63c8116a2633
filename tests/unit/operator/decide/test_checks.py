"""Each refusal: what is wrong, and a sentence that says what to do."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from somamemory_operator.decide.checks import first_refusal
from somamemory_operator.decide.credentials import KEYS, Credentials
from somamemory_operator.decide.reserved import VARIABLES
from somamemory_operator.manifests.clients import api, consumer
from somamemory_operator.manifests.parts.context import Context
from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj, World
from somamemory_operator.model.reasons import Reason
from tests.unit.operator.fakes import SETTINGS, FakeCluster, claim_of, memory, world_of


@dataclass(frozen=True)
class Case:
    """A spec that must be refused in a world, and why."""

    name: str
    reason: Reason
    words: str
    spec: Obj = field(default_factory=dict)
    objects: tuple[Obj, ...] = ()
    storage_classes: dict[str, Obj] | None = None
    memory_name: str = "demo"


def volume(store: str, **persistence: Any) -> Obj:
    return {store: {"persistence": {"enabled": True, **persistence}}}


def secret() -> Obj:
    data = {"POSTGRES_PASSWORD": "c2VjcmV0"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "demo-credentials"}, "data": data}


def running_api(version: str = "0.2.0") -> Obj:
    metadata = {"name": "demo-api", "labels": {names.VERSION_LABEL: version}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}


CASES = [
    Case(
        "a name that leaves no room for names made from it", Reason.NAME_TOO_LONG, "shorter name", memory_name="a" * 44
    ),
    Case("a name that no Service can have", Reason.INVALID_SPEC, "start with a letter", memory_name="1st"),
    Case(
        "a setting that would cut Postgres off",
        Reason.RESERVED_SETTING,
        "spec.postgres.config sets Port",
        {"postgres": {"config": {"Port": "1", "work_mem": "8MB"}}},
    ),
    Case(
        "a password in the configuration of Redis",
        Reason.RESERVED_SETTING,
        "spec.redis.config sets requirepass",
        {"redis": {"config": {"requirepass": "x"}}},
    ),
    Case(
        "a setting of Qdrant that is none",
        Reason.RESERVED_SETTING,
        "spec.qdrant.config sets PATH",
        {"qdrant": {"config": {"PATH": "/"}}},
    ),
    Case(
        "a listener of Kafka",
        Reason.RESERVED_SETTING,
        "spec.kafka.config sets listeners",
        {"kafka": {"config": {"listeners": "PLAINTEXT://:1"}}},
    ),
    Case(
        "a variable that the operator sets",
        Reason.RESERVED_SETTING,
        "spec.api.env sets POSTGRES_URL",
        {"api": {"env": [{"name": "POSTGRES_URL", "value": "x"}]}},
    ),
    Case(
        "a volume that the spec no longer wants",
        Reason.PERSISTENCE_REMOVED,
        "persistence.enabled to true, or delete the claim",
        {},
        (claim_of("redis"),),
    ),
    Case(
        "a volume made smaller",
        Reason.VOLUME_SHRINK,
        "data-demo-postgres-0 has 5Gi and cannot shrink to 500Mi: set spec.postgres.persistence.size to 5Gi or more",
        volume("postgres", size="500Mi"),
        (claim_of("postgres"),),
    ),
    Case(
        "a volume that would change its storage class",
        Reason.STORAGE_CLASS_CHANGED,
        "set spec.kafka.persistence.storageClassName to standard",
        volume("kafka", size="10Gi", storageClassName="fast"),
        (claim_of("kafka"),),
    ),
    Case(
        "a volume without a class that would get one",
        Reason.STORAGE_CLASS_CHANGED,
        "is of no storage class and cannot become fast: take spec.kafka.persistence.storageClassName away",
        volume("kafka", size="10Gi", storageClassName="fast"),
        (claim_of("kafka", storage_class=""),),
    ),
    Case(
        "a volume for dumps made smaller",
        Reason.VOLUME_SHRINK,
        "demo-backup has 5Gi and cannot shrink to 1Gi: set spec.backup.volume.size to 5Gi or more",
        {"backup": {"volume": {"size": "1Gi"}}},
        (claim_of("backup", name="demo-backup"),),
    ),
    Case(
        "a size below what was asked for and got, although somebody has enlarged the volume since",
        Reason.VOLUME_SHRINK,
        "data-demo-postgres-0 has 20Gi and cannot shrink to 6Gi: set spec.postgres.persistence.size to 8Gi or more",
        volume("postgres", size="6Gi"),
        (claim_of("postgres", "20Gi", asked="8Gi"), secret()),
    ),
    Case(
        "a database restored without its password",
        Reason.CREDENTIALS_LOST,
        "restore one of them from a backup",
        volume("postgres"),
        (claim_of("postgres", labels={}),),
    ),
    Case(
        "a storage class that does not exist",
        Reason.STORAGE_CLASS_UNKNOWN,
        "no storage class fast (it has: standard)",
        volume("kafka", storageClassName="fast"),
        (),
        {"standard": {}},
    ),
    Case(
        "a database without its password",
        Reason.CREDENTIALS_LOST,
        "restore one of them from a backup",
        volume("postgres"),
        (claim_of("postgres"),),
    ),
    Case("an older release", Reason.DOWNGRADE, "set spec.version to 0.2.0", {"version": "v0.1.9"}, (running_api(),)),
    Case(
        "an operator that was rolled back",
        Reason.DOWNGRADE,
        "bring the operator back to release 0.2.0 or newer, or set spec.version to 0.2.0",
        {},
        (running_api(),),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_is_refused(case: Case) -> None:
    problem = first_refusal(
        memory(case.spec, name=case.memory_name),
        world_of(*case.objects, storage_classes=case.storage_classes),
        SETTINGS,
    )

    assert problem is not None
    assert problem.reason is case.reason
    assert case.words in problem.message
    assert problem.message.endswith((".", "it."))


ALLOWED = {
    "an empty spec in an empty world": ({}, ()),
    "a volume of the size it has": (volume("postgres", size="5Gi"), (claim_of("postgres"), secret())),
    "a volume that grows": (volume("postgres", size="6Gi"), (claim_of("postgres"), secret())),
    "a size written in another unit": (volume("postgres", size="5120Mi"), (claim_of("postgres"), secret())),
    "a volume that somebody has enlarged": (volume("postgres"), (claim_of("postgres", "9Gi", asked="5Gi"), secret())),
    "a restored volume that is larger": (volume("postgres"), (claim_of("postgres", "9Gi", labels={}), secret())),
    "a size less than a growth that failed": (
        volume("postgres", size="6Gi"),
        (claim_of("postgres", "50Gi", asked="50Gi", capacity="5Gi"), secret()),
    ),
    "a growth that failed, given up": (
        volume("postgres", size="5Gi"),
        (claim_of("postgres", "50Gi", asked="50Gi", capacity="5Gi"), secret()),
    ),
    "a growth that the class cannot give": (volume("postgres", size="6Gi"), (claim_of("postgres"), secret())),
    "a volume that is not bound yet, made smaller": (
        volume("postgres", size="1Gi"),
        (claim_of("postgres", asked="5Gi", capacity=None), secret()),
    ),
    "a volume on the way out": ({}, (claim_of("redis", deletionTimestamp="2026-01-01T00:00:00Z"),)),
    "a retained volume without a class": (volume("redis"), (claim_of("redis", storage_class=None),)),
    "the release that runs": ({"version": "0.2.0"}, (running_api(),)),
    "a newer release": ({"version": "0.10.0"}, (running_api("0.9.0"),)),
    "a branch instead of a release": ({"version": "main"}, (running_api(),)),
    "a log level": ({"api": {"env": [{"name": "LOG_LEVEL", "value": "DEBUG"}]}}, ()),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_is_allowed(case: str) -> None:
    spec, objects = ALLOWED[case]
    classes: dict[str, Obj] = {"standard": {"allowVolumeExpansion": False}}

    assert first_refusal(memory(spec), world_of(*objects, storage_classes=classes), SETTINGS) is None


def test_without_the_right_to_list_storage_classes_they_are_not_judged() -> None:
    assert first_refusal(memory(volume("kafka", storageClassName="fast")), world_of(), SETTINGS) is None


def test_a_settled_world_is_never_refused() -> None:
    cluster = FakeCluster()
    cluster.settle(memory({"profile": "production"}))

    assert first_refusal(memory({"profile": "production"}), cluster.world, SETTINGS) is None


def test_every_variable_that_we_set_is_reserved_unless_it_is_harmless() -> None:
    context = Context(memory(), SETTINGS, World(), Credentials(dict.fromkeys(KEYS, "x")))
    ours = set(api.environment(context)) | set(consumer.environment(context))

    assert ours - VARIABLES == {"LOG_LEVEL", "EVENTING_ENABLED", "KAFKA_MEMORY_EVENTS_TOPIC"}
