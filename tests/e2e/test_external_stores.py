"""Stores that somebody else runs, by TLS and with logins: of another SomaMemory, and a Kafka that asks for SASL."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from somamemory_operator.decide.tls.mint import X509Mint
from tests.e2e.cluster import Cluster, Memory, eventually, recalled, store
from tests.e2e.conftest import SMALL_VOLUMES, make_namespace
from tests.e2e.test_no_acknowledged_write_is_lost import WRITES, recalls, writing

SPACE = "e2e-provider"
KAFKA = "guarded-kafka"
TMP = "/tmp"  # noqa: S108 - in the container, an emptyDir of its own
PASSWORD = "by-scram-only-1234567890"
_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
_CONFIGURATION = f"""
process.roles=broker,controller
node.id=0
controller.quorum.voters=0@localhost:9093
controller.listener.names=CONTROLLER
inter.broker.listener.name=LOCAL
listeners=SASL_SSL://:9092,LOCAL://localhost:9094,CONTROLLER://localhost:9093
advertised.listeners=SASL_SSL://{KAFKA}.{SPACE}.svc:9092,LOCAL://localhost:9094
listener.security.protocol.map=SASL_SSL:SASL_SSL,LOCAL:PLAINTEXT,CONTROLLER:PLAINTEXT
listener.name.sasl_ssl.ssl.keystore.type=PEM
listener.name.sasl_ssl.ssl.keystore.location=/etc/guarded/tls.pem
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={_LOGIN}
sasl.enabled.mechanisms=SCRAM-SHA-512
log.dirs=/var/lib/kafka/data/log
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""
_START = """
/opt/kafka/bin/kafka-storage.sh format --ignore-formatted --cluster-id SGuardedKafkaOfTestsAA \\
    --config /etc/guarded/server.properties --add-scram "SCRAM-SHA-512=[name=soma,password=$PASSWORD]"
exec /opt/kafka/bin/kafka-server-start.sh /etc/guarded/server.properties
"""


@pytest.fixture(scope="module")
def provider(cluster: Cluster) -> Iterator[Memory]:
    """Real servers with their passwords and certificates, on volumes."""
    make_namespace(cluster, SPACE)
    memory = Memory(cluster, "theirs", SPACE)
    tls = {"source": "operator"}
    memory.apply({**SMALL_VOLUMES, "tls": tls, "api": {"replicas": 0}, "consumer": {"enabled": False}})
    eventually("its stores run", lambda: _stores_run(memory), 180)
    guard_kafka(memory)
    yield memory
    cluster.kubectl("delete", "somamemory", "--all", "-n", memory.namespace, "--timeout=60s")
    cluster.kubectl("delete", "namespace", memory.namespace, "--timeout=120s")


def _stores_run(memory: Memory) -> bool:
    conditions = (memory.condition(f"{store}Ready") for store in ("Postgres", "Redis", "Qdrant", "Kafka"))
    return all(condition.get("status") == "True" for condition in conditions)


def guard_kafka(provider: Memory) -> None:
    """A Kafka of the same image that speaks SASL_SSL only, with an authority of its own, and a volume."""
    mint = X509Mint()
    authority = mint.authority(KAFKA)
    signed = mint.sign(authority, KAFKA, [f"{KAFKA}.{SPACE}.svc"], timedelta(days=1))
    files = {"server.properties": _CONFIGURATION, "tls.pem": signed.key + signed.chain, "ca.crt": authority.chain}
    live = provider.cluster.get("statefulset", f"{provider.name}-kafka", SPACE)
    assert live is not None
    pod = live["spec"]["template"]["spec"]
    container = pod["containers"][0]
    labels, about = {"app": KAFKA}, {"name": KAFKA, "namespace": SPACE}
    kept = {key: container[key] for key in ("image", "imagePullPolicy", "securityContext", "resources")}
    template: dict[str, Any] = {
        "securityContext": pod["securityContext"],
        "containers": [
            {
                **kept,
                "name": "kafka",
                "command": ["sh", "-ec", _START],
                "env": [
                    {"name": "KAFKA_HEAP_OPTS", "value": "-Xms128m -Xmx256m"},
                    {"name": "LOG_DIR", "value": f"{TMP}/kafka"},
                    {"name": "PASSWORD", "value": PASSWORD},
                ],
                "volumeMounts": [
                    {"name": "files", "mountPath": "/etc/guarded", "readOnly": True},
                    {"name": "data", "mountPath": "/var/lib/kafka/data"},
                    {"name": "tmp", "mountPath": TMP},
                ],
                "readinessProbe": {"tcpSocket": {"port": 9092}, "periodSeconds": 1},
            }
        ],
        "volumes": [
            {"name": "files", "secret": {"secretName": KAFKA, "defaultMode": 0o440}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    spec = {
        "serviceName": KAFKA,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": template},
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
    }
    provider.cluster.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": about, "data": {k: encoded(v) for k, v in files.items()}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": about,
            "spec": {"selector": labels, "ports": [{"port": 9092}]},
        },
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": about, "spec": spec},
    )
    provider.cluster.kubectl("rollout", "status", f"statefulset/{KAFKA}", "-n", SPACE, "--timeout=120s")


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def bring(provider: Memory, namespace: str) -> None:
    """Copy what opens the provider's stores, and whom to trust, as a person or External Secrets does."""
    secret = provider.cluster.get("secret", f"{provider.name}-credentials", SPACE)
    trust = provider.cluster.get("configmap", f"{provider.name}-ca", SPACE)
    kafka = provider.cluster.get("secret", KAFKA, SPACE)
    assert secret is not None
    assert trust is not None
    assert kafka is not None
    data = {key: secret["data"][key] for key in ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "QDRANT_API_KEY")}
    data |= {"ca.crt": encoded(trust["data"]["ca.crt"]), "kafka-ca.crt": kafka["data"]["ca.crt"]}
    data |= {"KAFKA_PASSWORD": encoded(PASSWORD)}
    metadata = {"name": "stores", "namespace": namespace}
    provider.cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})


def spec_of(provider: Memory) -> dict[str, object]:
    def of(component: str, key: str) -> dict[str, object]:
        tls = {"caSecret": {"name": "stores"}}
        host = f"{provider.name}-{component}.{SPACE}.svc"
        return {"external": {"host": host, "secretRef": {"name": "stores", "key": key}, "tls": tls}}

    sasl = {"mechanism": "SCRAM-SHA-512", "username": "soma", "secretRef": {"name": "stores", "key": "KAFKA_PASSWORD"}}
    kafka = {
        "bootstrapServers": f"{KAFKA}.{SPACE}.svc:9092",
        "replication": 1,
        "sasl": sasl,
        "tls": {"caSecret": {"name": "stores", "key": "kafka-ca.crt"}},
    }
    return {
        "postgres": of("postgres", "POSTGRES_PASSWORD"),
        "redis": of("redis", "REDIS_PASSWORD"),
        "qdrant": of("qdrant", "QDRANT_API_KEY"),
        "kafka": {"external": kafka},
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


@pytest.mark.timeout(900)
def test_no_acknowledged_write_is_lost_while_every_pod_is_deleted(
    cluster: Cluster, provider: Memory, namespace: str
) -> None:
    memory = Memory(cluster, "ours", namespace)
    theirs = [f"theirs-{part}-0" for part in ("postgres", "redis", "qdrant")]
    with memory.api() as api:
        store(api, "3,2,1", "this line outlives the pods")
        with writing(api) as writer:
            for pod in (*theirs, f"{KAFKA}-0"):
                cluster.kubectl("delete", "pod", pod, "-n", SPACE)
                eventually("recalled again", lambda: recalls(api, "this line outlives the pods"), 120)
            for part in ("api", "consumer"):
                selector = f"app.kubernetes.io/component={part}"
                cluster.kubectl("delete", "pod", "-n", namespace, "-l", selector)
                eventually("recalled again", lambda: recalls(api, "this line outlives the pods"), 120)

        print(f"{len(writer.acknowledged)} acknowledged, {writer.refused} refused")
        assert len(writer.acknowledged) >= WRITES
        answers = {at: api.get(f"/memories/{at}").status_code for at in writer.acknowledged}
        assert [at for at, status in answers.items() if status != httpx.codes.OK] == []
        eventually("every event went through Kafka", lambda: consumed(provider) >= len(writer.acknowledged), 120)


def consumed(provider: Memory) -> int:
    return int(provider.sql("select count(distinct id) from memory_events"))


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
