"""Stores that somebody else runs: here, those of another SomaMemory in another namespace."""

import base64
from collections.abc import Iterator

import pytest

from tests.e2e.cluster import Cluster, Memory, eventually, recalled, store
from tests.e2e.conftest import make_namespace

PLAIN = {"tls": {"enabled": False}}


@pytest.fixture(scope="module")
def provider(cluster: Cluster) -> Iterator[Memory]:
    """Four real servers with their passwords."""
    make_namespace(cluster, "e2e-provider")
    memory = Memory(cluster, "theirs", "e2e-provider")
    memory.apply({"api": {"replicas": 0}, "consumer": {"enabled": False}})
    eventually("its stores run", lambda: _stores_run(memory), 180)
    yield memory
    cluster.kubectl("delete", "somamemory", "--all", "-n", memory.namespace, "--timeout=60s")
    cluster.kubectl("delete", "namespace", memory.namespace, "--timeout=120s")


def _stores_run(memory: Memory) -> bool:
    conditions = (memory.condition(f"{store}Ready") for store in ("Postgres", "Redis", "Qdrant", "Kafka"))
    return all(condition.get("status") == "True" for condition in conditions)


def bring(provider: Memory, namespace: str) -> None:
    """Copy what opens the provider's stores, as a person or External Secrets does."""
    secret = provider.cluster.get("secret", f"{provider.name}-credentials", provider.namespace)
    assert secret is not None
    kept = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "QDRANT_API_KEY")
    data = {key: secret["data"][key] for key in kept}
    metadata = {"name": "stores", "namespace": namespace}
    provider.cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})


def spec_of(provider: Memory) -> dict[str, object]:
    def host(component: str) -> str:
        return f"{provider.name}-{component}.{provider.namespace}.svc"

    def secret(key: str) -> dict[str, object]:
        return {"secretRef": {"name": "stores", "key": key}}

    return {
        "postgres": {"external": {"host": host("postgres"), **secret("POSTGRES_PASSWORD"), **PLAIN}},
        "redis": {"external": {"host": host("redis"), **secret("REDIS_PASSWORD"), **PLAIN}},
        "qdrant": {"external": {"host": host("qdrant"), **secret("QDRANT_API_KEY"), **PLAIN}},
        "kafka": {"external": {"bootstrapServers": f"{host('kafka')}:9092", "replication": 1, **PLAIN}},
    }


def test_all_stores_are_somebody_elses(cluster: Cluster, provider: Memory, namespace: str) -> None:
    memory = Memory(cluster, "ours", namespace)
    bring(provider, namespace)

    memory.apply({**spec_of(provider), "api": {"service": {"type": "NodePort"}, "rateLimit": {"max": 100_000}}})
    seconds = cluster.wait_ready(memory)

    print(f"Ready after {seconds:.0f} s")
    assert memory.children("statefulsets") == []
    with memory.api() as api:
        store(api, "1,2", "kept by somebody else")
        assert recalled(api, "kept by somebody else")
        assert set(api.get("/readyz").json()["components"]) >= {"postgres", "redis", "qdrant", "kafka"}
    assert "kept by somebody else" in provider.sql("select payload from memories")
    eventually("the event was consumed", lambda: provider.sql("select count(*) from memory_events") != "0")


def test_a_wrong_password_is_told_and_what_runs_goes_on(cluster: Cluster, provider: Memory, namespace: str) -> None:
    memory = Memory(cluster, "ours", namespace)
    wrong = base64.b64encode(b"not-the-password").decode()
    patch = f'{{"data": {{"POSTGRES_PASSWORD": "{wrong}"}}}}'
    cluster.kubectl("patch", "secret", "stores", "-n", namespace, "--type=merge", "-p", patch)

    eventually("it is told", lambda: memory.condition("PostgresReady").get("reason") == "LoginFailed", 180)
    with memory.api() as api:
        assert recalled(api, "kept by somebody else")

    bring(provider, namespace)
    cluster.wait_ready(memory)
