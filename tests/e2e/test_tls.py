"""Certificates that live for two minutes are renewed while the API is used, and nobody gets in without trust."""

import json
import os
import ssl
import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.cluster import Cluster, Memory, eventually, recalled, store
from tests.e2e.conftest import NODE_PORT, SMALL_VOLUMES
from tests.e2e.load import REQUESTS_PER_SECOND, load
from tests.e2e.test_rotation import credentials, revisions, rotated

LIFE = "2m"
SECONDS = float(os.environ.get("E2E_TLS_SECONDS", "150"))
"""How long certificates are renewed under load; longer than one lives."""
PARTS = {"postgres", "redis", "qdrant", "kafka", "api", "grpc"}


@pytest.fixture(scope="module")
def encrypted(cluster: Cluster, namespace: str) -> Memory:
    """A Ready SomaMemory that was plain at first, with volumes and short-lived certificates of its own authority."""
    memory = Memory(cluster, "soma", namespace)
    memory.apply({**SMALL_VOLUMES, **NODE_PORT})
    cluster.wait_ready(memory)
    with memory.api() as api:
        store(api, "0.5", "stored in plain text")
    tls = {"source": "operator", "duration": LIFE, "names": [cluster.node_address()]}
    memory.patch({"tls": tls})
    eventually("TlsReady", lambda: memory.condition("TlsReady").get("status") == "True", 60)
    cluster.wait_ready(memory)
    return memory


def probe(memory: Memory) -> dict[str, dict[str, str]]:
    """How each part answers, asked from inside a pod of the API."""
    pods = memory.cluster.list("pods", memory.namespace, "app.kubernetes.io/component=api")
    pod = next(p["metadata"]["name"] for p in pods if "deletionTimestamp" not in p["metadata"])
    script = (Path(__file__).parent / "tlsprobe.py").read_text()
    where = ("-i", "-n", memory.namespace, pod, "-c", "api")
    command = ("env", f"NAMESPACE={memory.namespace}", "python3", "-", memory.name)
    found: dict[str, dict[str, str]] = json.loads(memory.cluster.kubectl("exec", *where, "--", *command, text=script))
    return found


@pytest.mark.timeout(900)
def test_what_was_plain_is_encrypted_and_nothing_is_lost(encrypted: Memory) -> None:
    found = probe(encrypted)

    assert found.keys() == PARTS
    for part, met in found.items():
        assert met["stranger"].startswith("refused: SSLCertVerificationError"), (part, met)
        assert met["plain"].startswith("refused"), (part, met)
    where = ("-n", encrypted.namespace, "deployment/soma-api", "-c", "api")
    said = encrypted.cluster.kubectl("exec", *where, "--", "soma", "stats", "-o", "json")
    assert json.loads(said)["total_memories"] == 1  # the command in the pod asks by TLS
    with encrypted.api() as api:
        assert api.base_url.scheme == "https"
        assert recalled(api, "stored in plain text")
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"{api.base_url}/healthz", verify=ssl.create_default_context(), trust_env=False)


@pytest.mark.timeout(1500)
def test_certificates_are_renewed_under_load_without_a_failed_request(encrypted: Memory) -> None:
    before, pods = probe(encrypted), revisions(encrypted)
    seen = {part: {before[part]["shown"]} for part in PARTS}

    with load(encrypted) as found:
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            time.sleep(10)
            for part, met in probe(encrypted).items():
                seen[part].add(met["shown"])
        # What is shown now was signed since; new pods have to trust all of it.
        name = f"{encrypted.name}-api"
        encrypted.cluster.kubectl("rollout", "restart", f"deployment/{name}", "-n", encrypted.namespace)
        where = ("-n", encrypted.namespace, "--timeout=180s")
        encrypted.cluster.kubectl("rollout", "status", f"deployment/{name}", *where)
        time.sleep(3)

    renewals = {part: len(serials) - 1 for part, serials in seen.items()}
    print(f"{found.sent} requests in {found.seconds:.0f} s, {len(found.failed)} failed; renewals seen: {renewals}")
    assert found.failed == []
    assert found.sent / found.seconds >= REQUESTS_PER_SECOND / 2
    assert min(renewals.values()) >= SECONDS // 120
    after = revisions(encrypted)
    stores = {name: uid for name, uid in after.items() if name.endswith("-0")}
    assert stores == {name: pods[name] for name in stores}
    status = (encrypted.get() or {})["status"]
    assert status["tls"]["source"] == "operator"
    assert encrypted.condition("TlsReady")["status"] == "True"


@pytest.mark.timeout(900)
def test_another_authority_comes_without_a_failed_request(encrypted: Memory) -> None:
    pods, trusted = revisions(encrypted), authorities(encrypted)

    with load(encrypted) as found:
        encrypted.patch({"tls": {"rotate": "once"}})
        eventually("both are trusted", lambda: authorities(encrypted) - trusted, 60)
        eventually("nothing is being replaced", lambda: signed_by_others(encrypted), 300)
        probe(encrypted)
        time.sleep(3)

    print(f"{found.sent} requests in {found.seconds:.0f} s, {len(found.failed)} failed")
    assert found.failed == []
    after = revisions(encrypted)
    assert {name: after[name] for name in after if name.endswith("-0")} == {
        name: pods[name] for name in pods if name.endswith("-0")
    }
    assert {name: int(after[name]) - int(pods[name]) for name in ("soma-api", "soma-consumer")} == {
        "soma-api": 1,
        "soma-consumer": 1,
    }


@pytest.mark.timeout(900)
def test_every_password_is_replaced_behind_tls_kafkas_too(encrypted: Memory) -> None:
    old, pods = credentials(encrypted), revisions(encrypted)
    assert login_at_kafka(encrypted, old["KAFKA_LOGIN"]) == "let in"
    assert login_at_kafka(encrypted, "soma-nobody:wrong").startswith("refused")

    with load(encrypted) as found:
        encrypted.patch({"secrets": {"rotate": "once", "tokenOverlapSeconds": 20}})
        rotated(encrypted, old)
        time.sleep(3)
        # The kubelet brings the file without the old login to Kafka's pod within a minute or two.
        is_refused = lambda: login_at_kafka(encrypted, old["KAFKA_LOGIN"]).startswith("refused")  # noqa: E731
        eventually("the old login is refused", is_refused, 180)

    print(f"{found.sent} requests in {found.seconds:.0f} s, {len(found.failed)} failed")
    assert found.failed == []
    new = credentials(encrypted)["KAFKA_LOGIN"]
    assert new != old["KAFKA_LOGIN"]
    assert login_at_kafka(encrypted, new) == "let in"
    after = revisions(encrypted)
    assert after["soma-kafka-0"] == pods["soma-kafka-0"]
    assert int(after["soma-api"]) - int(pods["soma-api"]) == 1
    encrypted.cluster.kubectl("delete", "pod", "soma-kafka-0", "-n", encrypted.namespace, "--wait=true")
    encrypted.cluster.wait_ready(encrypted)
    # Kafka may forget users at a start after one was deleted; its pod has it learn them again.
    eventually("the login is taken again", lambda: login_at_kafka(encrypted, new) == "let in", 60)


def login_at_kafka(memory: Memory, login: str) -> str:
    """What becomes of a client with this login, asked from inside a pod of the API."""
    where = ("-i", "-n", memory.namespace, "deployment/soma-api", "-c", "api")
    script = (Path(__file__).parent / "kafkalogin.py").read_text() + f"\nmain({memory.name!r}, {login!r})\n"
    return memory.cluster.kubectl("exec", *where, "--", "python3", "-", text=script).strip()


def authorities(memory: Memory) -> set[str]:
    end = "-----END CERTIFICATE-----"
    return {each.strip() for each in memory.authorities().split(end) if each.strip()}


def signed_by_others(memory: Memory) -> bool:
    """Whether the authority that was to come is in force."""
    annotations = (memory.cluster.get("configmap", f"{memory.name}-ca", memory.namespace) or {})["metadata"][
        "annotations"
    ]
    is_ready = memory.condition("TlsReady").get("status") == "True"
    return "somatechlat.github.io/coming" not in annotations and is_ready
