"""Credentials survive whatever happens to one of their two Secrets."""

import base64
from collections.abc import Callable

import pytest

from somamemory_operator.decide.credentials import API_TOKEN, KAFKA_CLUSTER_ID, KEYS, POSTGRES_PASSWORD, random_value
from somamemory_operator.model import names
from somamemory_operator.model.observed import Key, Obj
from tests.unit.operator.fakes import FakeCluster, claim_of, memory

PRIMARY, COPY = Key("Secret", names.credentials("demo")), Key("Secret", names.credentials_copy("demo"))


@pytest.fixture
def cluster() -> FakeCluster:
    cluster = FakeCluster(random_value)
    cluster.settle(memory())
    return cluster


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def data(cluster: FakeCluster, key: Key) -> dict[str, str]:
    found: dict[str, str] = cluster.objects[key]["data"]
    return dict(found)


def set_password(live: Obj) -> None:
    live["data"][POSTGRES_PASSWORD] = encoded("chosen-by-hand")


def empty(live: Obj) -> None:
    live["data"] = {}


def drop_password(live: Obj) -> None:
    del live["data"][POSTGRES_PASSWORD]


def drop_token(live: Obj) -> None:
    del live["data"][API_TOKEN]


def garble(live: Obj) -> None:
    live["data"] = {key: base64.b64encode(b"\xff\xfe").decode() for key in live["data"]}


@pytest.mark.parametrize("change", [set_password, empty, drop_password, garble], ids=lambda change: change.__name__)
@pytest.mark.parametrize("key", [PRIMARY, COPY], ids=["primary", "copy"])
def test_a_broken_secret_is_repaired_from_the_other(
    cluster: FakeCluster, key: Key, change: Callable[[Obj], None]
) -> None:
    before = data(cluster, PRIMARY)

    cluster.edit(*key, change)
    cluster.settle(memory())

    assert data(cluster, PRIMARY) == data(cluster, COPY) == before


@pytest.mark.parametrize("key", [PRIMARY, COPY], ids=["primary", "copy"])
def test_a_deleted_secret_comes_back_with_the_same_values(cluster: FakeCluster, key: Key) -> None:
    before = data(cluster, PRIMARY)

    cluster.delete(key)
    cluster.settle(memory())

    assert data(cluster, PRIMARY) == data(cluster, COPY) == before


def test_without_its_token_the_primary_gets_that_of_the_copy(cluster: FakeCluster) -> None:
    before = data(cluster, PRIMARY)

    cluster.edit(*PRIMARY, drop_token)
    cluster.settle(memory())

    assert data(cluster, PRIMARY) == before


def test_a_token_changed_by_hand_is_a_rotation(cluster: FakeCluster) -> None:
    templates = {key: live["spec"]["template"] for key, live in cluster.objects.items() if key.kind == "Deployment"}

    cluster.edit(*PRIMARY, lambda live: live["data"].update({API_TOKEN: encoded("my-own-token")}))
    cluster.settle(memory())

    assert data(cluster, PRIMARY)[API_TOKEN] == data(cluster, COPY)[API_TOKEN] == encoded("my-own-token")
    assert templates == {k: live["spec"]["template"] for k, live in cluster.objects.items() if k.kind == "Deployment"}


def test_a_line_break_at_the_end_of_a_token_is_forgiven(cluster: FakeCluster) -> None:
    cluster.edit(*PRIMARY, lambda live: live["data"].update({API_TOKEN: encoded("my-own-token\n")}))
    cluster.settle(memory())

    assert data(cluster, PRIMARY)[API_TOKEN] == encoded("my-own-token")


def test_secrets_that_are_absent_are_created_and_never_overwritten(cluster: FakeCluster) -> None:
    """A snapshot may be old: then "already exists" stops the pass instead of a new password replacing a good one."""
    fresh = FakeCluster(random_value)

    _, todo = fresh.look(memory())

    assert [obj["metadata"]["name"] for obj in todo.creates] == [PRIMARY.name, COPY.name]
    assert not [body for body in todo.applies if body["metadata"]["name"] in (PRIMARY.name, COPY.name)]


def test_secrets_that_are_there_are_applied_only_onto_the_version_that_was_read(cluster: FakeCluster) -> None:
    cluster.edit(*PRIMARY, set_password)
    version = cluster.objects[PRIMARY]["metadata"]["resourceVersion"]

    _, todo = cluster.look(memory())

    [body] = todo.applies
    assert body["metadata"]["resourceVersion"] == version


def test_credentials_are_owned_by_the_volumes_that_they_unlock() -> None:
    cluster = FakeCluster()
    cluster.settle(memory({"postgres": {"persistence": {"enabled": True}}}))

    owners = cluster.objects[PRIMARY]["metadata"]["ownerReferences"]

    assert [(owner["kind"], owner["name"]) for owner in owners] == [
        ("SomaMemory", "demo"),
        ("PersistentVolumeClaim", "data-demo-postgres-0"),
    ]
    assert [owner.get("controller") for owner in owners] == [True, None]


def test_retained_credentials_are_adopted_by_a_new_resource() -> None:
    cluster = FakeCluster(random_value)
    spec = {"postgres": {"persistence": {"enabled": True}}}
    cluster.settle(memory(spec))
    before = data(cluster, PRIMARY)
    claim = claim_of("postgres")
    kept = {PRIMARY: cluster.objects[PRIMARY], COPY: cluster.objects[COPY]}
    kept[Key("PersistentVolumeClaim", claim["metadata"]["name"])] = claim
    cluster.objects, cluster.applied = kept, {}

    cluster.settle(memory(spec))

    assert data(cluster, PRIMARY) == before


def test_every_key_gets_its_own_random_value_that_the_stores_accept() -> None:
    values = {key: random_value(key) for key in KEYS}

    assert len(set(values.values())) == len(KEYS)
    assert all(len(value) >= 22 and value.isascii() and value.isprintable() for value in values.values())
    for _ in range(50):
        identifier = random_value(KAFKA_CLUSTER_ID)
        assert len(identifier) == 22
        assert len(base64.urlsafe_b64decode(identifier + "==")) == 16
        assert not identifier.startswith("-")
