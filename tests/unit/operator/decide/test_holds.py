"""What waits because a kind cannot be read, or because something that pods stand on is refused."""

import pytest

from somamemory_operator.decide.checks import first_refusal
from somamemory_operator.decide.holds import refused_ground, unknowns
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import OBSERVED_KINDS, OPTIONAL_KINDS, Blindness, Key, Obj, World, key_of
from somamemory_operator.model.reasons import Reason
from tests.unit.operator.fakes import SETTINGS, FakeCluster, claim_of, memory, world_of

FORBIDDEN = Blindness(Reason.FORBIDDEN, "list it: no.")
EVERYTHING = {
    "networkPolicy": {"enabled": True},
    "podDisruptionBudget": {"enabled": True},
    "api": {"autoscaling": {}, "ingress": {"host": "memory.example.org"}},
    "backup": {},
    "postgres": {"persistence": {"enabled": True}},
}


@pytest.mark.parametrize("kind", sorted(set(OBSERVED_KINDS) - OPTIONAL_KINDS))
def test_a_kind_that_cannot_be_read_is_never_made_changed_or_pruned(kind: str) -> None:
    """Nor is anything else pruned, or replaced by another: what is wanted was decided without knowing all."""
    cluster, about = FakeCluster(), memory(EVERYTHING)
    cluster.settle(about)
    cluster.blind(kind)
    cluster.writes.clear()

    todo = cluster.step(about)
    cluster.step(memory({"postgres": EVERYTHING["postgres"]}))

    assert not [key for key in map(key_of, todo.applies) if key.kind == kind]
    assert not [write for write in cluster.writes if kind in write.split() or write.startswith("delete")]


def test_what_needs_no_password_is_made_while_secrets_cannot_be_read() -> None:
    cluster = FakeCluster()
    cluster.settle(memory())
    cluster.blind("Secret")

    todo = cluster.step(memory({"networkPolicy": {"enabled": True}}))

    assert {body["kind"] for body in todo.applies} == {"NetworkPolicy"}
    assert {held.reason for held in todo.held} == {Reason.FORBIDDEN}


def test_credentials_that_cannot_be_read_are_not_lost() -> None:
    world = World({key_of(claim_of("postgres")): claim_of("postgres")}, unread={"Secret": FORBIDDEN})

    assert first_refusal(memory({"postgres": {"persistence": {"enabled": True}}}), world, SETTINGS) is None


def test_only_a_kind_that_matters_is_a_problem() -> None:
    cluster = FakeCluster()
    desired, _ = cluster.look(memory())

    found = list(unknowns(desired, World(unread={"Pod": FORBIDDEN, "CronJob": FORBIDDEN, "Service": FORBIDDEN})))

    assert ["Pod" in problem.message for problem in found] == [True, False]
    assert ["Service" in problem.message for problem in found] == [False, True]
    assert all(problem.stalls for problem in found)


def workload(component: Component, kind: str = "StatefulSet") -> Obj:
    return made(kind, f"demo-{component.value}", component)


def made(kind: str, name: str, component: Component, **content: Obj) -> Obj:
    metadata = {"name": name, "namespace": "space", "labels": names.labels("demo", component)}
    return {"kind": kind, "metadata": metadata, **content}


CONFIG = made("ConfigMap", "demo-kafka-config", Component.KAFKA, data={"a": "new"})
SERVICE = made("Service", "demo-kafka", Component.KAFKA)
CREDENTIALS = made("Secret", "demo-credentials", Component.CREDENTIALS, data={"a": "new"})


@pytest.mark.parametrize(
    ("refused", "there", "component", "waits"),
    [
        pytest.param(CONFIG, None, Component.KAFKA, True, id="its configuration is missing"),
        pytest.param(CONFIG, CONFIG | {"data": {"a": "old"}}, Component.KAFKA, True, id="its configuration is old"),
        pytest.param(CONFIG, CONFIG, Component.KAFKA, False, id="its configuration is the wanted one"),
        pytest.param(CONFIG, None, Component.REDIS, False, id="the configuration of another"),
        pytest.param(SERVICE, None, Component.KAFKA, True, id="its Service is missing"),
        pytest.param(SERVICE, SERVICE, Component.KAFKA, False, id="its Service is there in some form"),
        pytest.param(CREDENTIALS, None, Component.REDIS, True, id="the credentials of all are missing"),
        pytest.param(
            made("NetworkPolicy", "demo-kafka", Component.KAFKA), None, Component.KAFKA, False, id="no ground of pods"
        ),
    ],
)
def test_a_workload_waits_for_what_its_pods_stand_on(
    refused: Obj, there: Obj | None, component: Component, waits: bool
) -> None:
    world = world_of(*([there] if there else []))

    assert refused_ground(workload(component), [refused], world) == (key_of(refused) if waits else None)


def test_a_configuration_with_a_password_waits_until_the_password_is_kept() -> None:
    config = made("Secret", "demo-redis-config", Component.REDIS)

    assert refused_ground(config, [CREDENTIALS], world_of()) == Key("Secret", "demo-credentials")
