"""Every password and the token are replaced while the API is used: nobody is refused, and the old ones end."""

import base64
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.cluster import Cluster, Memory, eventually, recalled, store
from tests.e2e.conftest import NODE_PORT, SMALL_VOLUMES
from tests.e2e.load import REQUESTS_PER_SECOND, load
from tests.integration.optionalkinds import definition as definition_of

STORES = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "QDRANT_API_KEY")
OVERLAP_SECONDS = 20


def secret(memory: Memory, name: str) -> dict[str, str]:
    found = memory.cluster.get("secret", name, memory.namespace) or {"data": {}}
    return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}


def credentials(memory: Memory) -> dict[str, str]:
    return secret(memory, f"{memory.name}-credentials")


def revisions(memory: Memory) -> dict[str, str]:
    """How often each Deployment was rolled out, and the pods of the stores."""
    rolled = {
        d["metadata"]["name"]: d["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
        for d in memory.children("deployments")
    }
    return rolled | {p["metadata"]["name"]: p["metadata"]["uid"] for p in memory.children("pods") if _is_store(p)}


def _is_store(pod: dict[str, Any]) -> bool:
    return pod["metadata"]["labels"]["app.kubernetes.io/component"] in ("postgres", "redis", "qdrant", "kafka")


def rotated(memory: Memory, before: dict[str, str]) -> None:
    """Wait until nothing is being replaced any more, the old token included, and everything is Ready."""
    eventually("all values are others", lambda: all(credentials(memory)[k] != before[k] for k in STORES), 300)
    eventually("the old token has ended", lambda: _token_has_ended(memory), 300)
    eventually("SecretsReady", lambda: memory.condition("SecretsReady").get("status") == "True", 120)
    memory.cluster.wait_ready(memory)


def _token_has_ended(memory: Memory) -> bool:
    told = ((memory.get() or {}).get("status") or {}).get("secrets") or {}
    return "previousTokenUntil" not in told and not told.get("rotating")


def refused(memory: Memory, old: dict[str, str]) -> dict[str, bool]:
    """Whether stores, asked in their own pods, refuse what was valid before; waits until the API does."""
    name, where = memory.name, ("-n", memory.namespace)

    def fails(pod: str, container: str, script: str, value: str) -> bool:
        run = memory.cluster.kubectl
        told = run("exec", "-i", *where, pod, "-c", container, "--", "sh", "-c", script, text=value)
        return "refused" in told

    postgres, redis = old["POSTGRES_PASSWORD"], old["REDIS_PASSWORD"]
    log_in = 'read -r PGPASSWORD; export PGPASSWORD; psql -h "$(hostname -i)" -U soma -d somamemory -c "select 1"'
    log_in += " >/dev/null 2>&1 || echo refused"
    ping = "read -r REDISCLI_AUTH; export REDISCLI_AUTH; redis-cli ping 2>/dev/null | grep -q PONG || echo refused"
    with memory.api() as api:
        headers = {"Authorization": f"Bearer {old['SOMA_API_TOKEN']}"}
        is_refused = lambda: api.get("/stats", headers=headers).status_code == httpx.codes.FORBIDDEN  # noqa: E731
        # The kubelet brings the file without the old token to running pods within a minute or two.
        eventually("the old token is refused", is_refused, 180)
    return {
        "postgres": fails(f"{name}-postgres-0", "postgres", log_in, f"{postgres}\n"),
        "redis": fails(f"{name}-redis-0", "redis", ping, f"{redis}\n"),
    }


@pytest.fixture(scope="module")
def own(cluster: Cluster, namespace: str) -> Memory:
    """A Ready SomaMemory with volumes and a short overlap of tokens."""
    memory = Memory(cluster, "soma", namespace)
    memory.apply({**SMALL_VOLUMES, **NODE_PORT, "secrets": {"tokenOverlapSeconds": OVERLAP_SECONDS}})
    cluster.wait_ready(memory)
    return memory


def test_a_rotation_on_request_fails_no_request_and_restarts_once(own: Memory) -> None:
    old, before = credentials(own), revisions(own)
    with own.api() as api:
        store(api, "0.5", "stored before the rotation")

    with load(own) as found:
        own.patch({"secrets": {"rotate": "once"}})
        rotated(own, old)
        time.sleep(3)

    print(f"{found.sent} requests in {found.seconds:.0f} s, {len(found.failed)} failed")
    assert found.failed == []
    assert found.sent / found.seconds >= REQUESTS_PER_SECOND / 2
    after = revisions(own)
    assert {name: int(after[name]) - int(before[name]) for name in ("soma-api", "soma-consumer")} == {
        "soma-api": 1,
        "soma-consumer": 1,
    }
    assert after["soma-postgres-0"] == before["soma-postgres-0"]
    assert after["soma-kafka-0"] == before["soma-kafka-0"]
    assert refused(own, old) == {"postgres": True, "redis": True}
    with own.api() as api:
        assert recalled(api, "stored before the rotation")


def test_values_of_an_existing_secret_are_taken_over_without_a_failed_request(own: Memory) -> None:
    old = credentials(own)
    brought = {key: f"brought-{key.lower().replace('_', '-')}" for key in (*STORES, "SOMA_API_TOKEN")}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in brought.items()}
    own.cluster.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mine", "namespace": own.namespace}, "data": data}
    )

    with load(own) as found:
        own.apply(
            {
                **SMALL_VOLUMES,
                **NODE_PORT,
                "secrets": {
                    "tokenOverlapSeconds": OVERLAP_SECONDS,
                    "source": "existing",
                    "existing": {"name": "mine"},
                },
            }
        )
        rotated(own, old)
        time.sleep(3)

    print(f"{found.sent} requests in {found.seconds:.0f} s, {len(found.failed)} failed")
    assert found.failed == []
    assert brought.items() <= credentials(own).items()
    assert refused(own, old) == {"postgres": True, "redis": True}


@pytest.fixture
def external_secrets(cluster: Cluster) -> Iterator[None]:
    """The kind of External Secrets; its controller has no image here, so a test writes the Secret."""
    definition = definition_of("ExternalSecret")
    cluster.apply(definition)
    yield
    cluster.kubectl("delete", "crd", definition["metadata"]["name"], "--timeout=60s")


def test_a_refreshed_external_secret_is_taken_over_without_a_failed_request(
    own: Memory, external_secrets: None
) -> None:
    old = credentials(own)
    own.apply({**SMALL_VOLUMES, **NODE_PORT, "secrets": {"tokenOverlapSeconds": OVERLAP_SECONDS, **FETCHED}})
    name = f"{own.name}-external-secrets"
    made = eventually("it is asked for", lambda: own.cluster.get("externalsecret", name, own.namespace), 120)
    labels = made["spec"]["target"]["template"]["metadata"]["labels"]
    fetched = {key: f"fetched-{key.lower().replace('_', '-')}" for key in (*STORES, "SOMA_API_TOKEN")}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in fetched.items()}
    metadata = {"name": name, "namespace": own.namespace, "labels": labels}

    with load(own) as found:
        own.cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
        rotated(own, old)
        time.sleep(3)

    print(f"{found.sent} requests in {found.seconds:.0f} s, {len(found.failed)} failed")
    assert found.failed == []
    assert fetched.items() <= credentials(own).items()


FETCHED = {
    "source": "externalSecret",
    "externalSecret": {"secretStoreRef": {"name": "vault"}, "dataFrom": [{"extract": {"key": "soma"}}]},
}
