"""Where passwords and tokens come from: what a source says is taken over, what it does not say takes nothing away."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from somamemory_operator.decide import sources
from somamemory_operator.decide.checks import first_refusal
from somamemory_operator.decide.credentials import (
    API_TOKEN,
    POSTGRES_PASSWORD,
    QDRANT_API_KEY,
    REDIS_PASSWORD,
    random_value,
)
from somamemory_operator.model import names
from somamemory_operator.model.observed import Key, Obj, World
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.status.secrets import secrets_ready
from tests.unit.operator.fakes import SETTINGS, FakeCluster, memory

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
EXISTING = {"secrets": {"source": "existing", "existing": {"name": "mine"}}}
FETCHED = {
    "secrets": {
        "source": "externalSecret",
        "externalSecret": {
            "secretStoreRef": {"name": "vault", "kind": "ClusterSecretStore"},
            "data": [{"secretKey": POSTGRES_PASSWORD, "remoteRef": {"key": "soma", "property": "pg"}}],
        },
    }
}
WHOLE = {
    API_TOKEN: "their-token-1",
    POSTGRES_PASSWORD: "their-postgres-1",
    REDIS_PASSWORD: "their-redis-1",
    QDRANT_API_KEY: "their-qdrant-1",
}


def secret(name: str, values: dict[str, str]) -> Obj:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "space"}, "data": data}


def values(cluster: FakeCluster, name: str = "demo-credentials") -> dict[str, str]:
    return sources.decoded(cluster.objects.get(Key("Secret", name)))


def reason(cluster: FakeCluster, wanted: SomaMemory) -> tuple[str, Reason]:
    found = secrets_ready(wanted, cluster.world, None)
    return found.status, found.reason


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster(random_value)
    made.now = NOON
    return made


def test_the_values_of_an_existing_secret_are_those_in_force(cluster: FakeCluster) -> None:
    cluster.brought["mine"] = secret("mine", WHOLE)

    cluster.settle(memory(EXISTING))

    assert WHOLE.items() <= values(cluster).items()
    assert reason(cluster, memory(EXISTING)) == ("True", Reason.READY)


def test_each_part_may_have_a_secret_and_a_key_of_its_own(cluster: FakeCluster) -> None:
    cluster.brought["mine"] = secret("mine", {"pw": "their-postgres-1"})
    spec = {"secrets": {"source": "existing", "existing": {"postgres": {"name": "mine", "key": "pw"}}}}

    cluster.settle(memory(spec))

    assert values(cluster)[POSTGRES_PASSWORD] == "their-postgres-1"
    assert len(values(cluster)[REDIS_PASSWORD]) > 20, "what is not named is generated"


@pytest.mark.parametrize("brought", [None, {}, {**WHOLE, REDIS_PASSWORD: ""}], ids=["no Secret", "no keys", "empty"])
def test_nothing_is_applied_before_the_source_says_everything(
    cluster: FakeCluster, brought: dict[str, str] | None
) -> None:
    wanted = memory(EXISTING)
    if brought is not None:
        cluster.brought["mine"] = secret("mine", brought)

    cluster.step(wanted)

    missing = Reason.SECRET_MISSING if brought is None else Reason.KEY_MISSING
    assert cluster.writes == []
    assert reason(cluster, wanted) == ("False", missing)
    desired, _ = cluster.look(wanted)
    assert {each.held.reason for each in desired if each.held is not None} == {missing}

    cluster.brought["mine"] = secret("mine", WHOLE)
    cluster.settle(wanted)
    assert values(cluster)[REDIS_PASSWORD] == "their-redis-1"


@pytest.mark.parametrize("left", [None, {}, {POSTGRES_PASSWORD: "their-postgres-1"}, {**WHOLE, API_TOKEN: "a b"}])
def test_what_works_is_never_taken_away(cluster: FakeCluster, left: dict[str, str] | None) -> None:
    cluster.brought["mine"] = secret("mine", WHOLE)
    cluster.settle(memory(EXISTING))
    before = values(cluster)

    cluster.brought = {} if left is None else {"mine": secret("mine", left)}
    cluster.settle(memory(EXISTING))

    assert values(cluster) == before
    status, why = reason(cluster, memory(EXISTING))
    assert status == "False"
    assert why in (Reason.SECRET_MISSING, Reason.KEY_MISSING, Reason.KEY_INVALID)


def test_lost_credentials_come_back_from_the_source(cluster: FakeCluster) -> None:
    cluster.brought["mine"] = secret("mine", WHOLE)
    wanted = memory({**EXISTING, "postgres": {"persistence": {"enabled": True}}})
    cluster.settle(wanted)

    for name in ("demo-credentials", "demo-credentials-copy"):
        cluster.delete(Key("Secret", name))

    assert first_refusal(wanted, cluster.world, SETTINGS) is None
    cluster.settle(wanted)
    assert values(cluster)[POSTGRES_PASSWORD] == "their-postgres-1"


@pytest.mark.parametrize("name", ["demo-credentials", "demo-credentials-copy", "demo-program-credentials"])
def test_secrets_of_the_operator_are_no_source(name: str) -> None:
    spec = {"secrets": {"source": "existing", "existing": {"name": name}}}

    refusal = first_refusal(memory(spec), World(), SETTINGS)

    assert refusal is not None
    assert refusal.reason is Reason.SECRET_NAME_TAKEN


def test_an_external_secret_is_made_and_its_secret_read(cluster: FakeCluster) -> None:
    wanted = memory(FETCHED)
    cluster.step(wanted)

    made = cluster.objects[Key("ExternalSecret", "demo-external-secrets")]
    assert made["spec"] == {
        "secretStoreRef": {"name": "vault", "kind": "ClusterSecretStore"},
        "data": [{"secretKey": POSTGRES_PASSWORD, "remoteRef": {"key": "soma", "property": "pg"}}],
        "target": {
            "name": "demo-external-secrets",
            "template": {"metadata": {"labels": names.lasting_labels("demo", names.Component.CREDENTIALS)}},
        },
    }
    assert cluster.writes == ["Apply ExternalSecret demo-external-secrets"]
    assert reason(cluster, wanted) == ("False", Reason.SECRET_MISSING)

    cluster.brought["demo-external-secrets"] = secret("demo-external-secrets", {POSTGRES_PASSWORD: "from-vault"})
    cluster.settle(wanted)
    assert values(cluster)[POSTGRES_PASSWORD] == "from-vault"
    assert reason(cluster, wanted) == ("True", Reason.READY)


def test_a_cluster_without_external_secrets_says_so(cluster: FakeCluster) -> None:
    cluster.unserved = frozenset({"ExternalSecret"})

    cluster.step(memory(FETCHED))

    assert cluster.writes == []
    assert reason(cluster, memory(FETCHED)) == ("False", Reason.KIND_MISSING)


def test_a_deleted_external_secret_is_made_again_and_costs_nothing(cluster: FakeCluster) -> None:
    cluster.brought["demo-external-secrets"] = secret("demo-external-secrets", {POSTGRES_PASSWORD: "from-vault"})
    cluster.settle(memory(FETCHED))
    before = values(cluster)

    cluster.delete(Key("ExternalSecret", "demo-external-secrets"))
    cluster.brought = {}
    cluster.settle(memory(FETCHED))

    assert Key("ExternalSecret", "demo-external-secrets") in cluster.objects
    assert values(cluster) == before


def test_another_source_keeps_what_it_does_not_change(cluster: FakeCluster) -> None:
    cluster.settle(memory())
    before = values(cluster)
    cluster.brought["mine"] = secret("mine", {"pw": before[POSTGRES_PASSWORD]})
    spec = {"secrets": {"source": "existing", "existing": {"postgres": {"name": "mine", "key": "pw"}}}}

    cluster.now = NOON + timedelta(minutes=1)
    cluster.settle(memory(spec))

    assert values(cluster) == before
