"""Kafka, the events: one broker that is its own KRaft controller."""

from somamemory_operator.decide import credentials as keys
from somamemory_operator.decide.rotation import COMING
from somamemory_operator.decide.sources import KAFKA_LOGIN
from somamemory_operator.manifests.parts import pods, tls, workloads
from somamemory_operator.manifests.parts.context import Context, short_hash
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj

COMPONENT = Component.KAFKA
UID = 1000
FILE = "server.properties"
FOLDER = "/etc/kafka-config"
MECHANISM = "SCRAM-SHA-512"
ADMITTED = "/tmp/admitted"  # noqa: S108 - inside the container, an emptyDir of its own

_DEFAULTS = {
    "auto.create.topics.enable": "false",
    "num.partitions": "3",
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "10",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "log.retention.hours": "168",
    "message.max.bytes": "10485760",
}
_HEAP = {"development": "-Xms128m -Xmx256m", "production": "-Xms4g -Xmx4g"}
_JVM = {
    # A small broker starts in half the time without the second compiler, and needs no parallel collector.
    "development": "-server -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Djava.awt.headless=true",
    "production": "-server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 "
    "-XX:+ExplicitGCInvokesConcurrent -Djava.awt.headless=true",
}
_START = (
    f'/opt/kafka/bin/kafka-storage.sh format --ignore-formatted --cluster-id "$KAFKA_CLUSTER_ID"'
    f" --config {FOLDER}/{FILE} && exec /opt/kafka/bin/kafka-server-start.sh {FOLDER}/{FILE}"
)


def build(context: Context) -> list[Obj]:
    """ServiceAccount, Services, configuration, StatefulSet."""
    return [
        workloads.service_account(context, COMPONENT),
        *workloads.services(context, COMPONENT),
        _config(context),
        workloads.stateful_set(context, COMPONENT, _template(context)),
    ]


def configuration(context: Context) -> str:
    """The text of server.properties."""
    pod, service = names.pod(context.name, COMPONENT), names.headless(context.name, COMPONENT)
    fixed = {
        "process.roles": "broker,controller",
        "node.id": "0",
        # By its own address: the pod's name may be unknown to the cluster's DNS for a while after the start.
        "controller.quorum.voters": f"0@localhost:{names.KAFKA_CONTROLLER_PORT}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listeners": f"PLAINTEXT://:9092,CONTROLLER://:{names.KAFKA_CONTROLLER_PORT}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "advertised.listeners": f"PLAINTEXT://{pod}.{service}.{context.memory.namespace}.svc:9092",
        "log.dirs": "/var/lib/kafka/data/log",  # a folder below the mount, because of lost+found
    }
    lines = _DEFAULTS | context.spec.kafka.config | fixed | _tls(context)
    return "".join(f"{name}={lines[name]}\n" for name in sorted(lines))


def _tls(context: Context) -> dict[str, str]:
    """Clients come by TLS and log in; what the pod says to itself stays on its loopback, in plain text."""
    if not context.certificates.is_on:
        return {}
    pod, service = names.pod(context.name, COMPONENT), names.headless(context.name, COMPONENT)
    clients, host = "listener.name.sasl_ssl", f"{pod}.{service}.{context.memory.namespace}.svc"
    return {
        "inter.broker.listener.name": "LOCAL",
        "listeners": f"SASL_SSL://:9092,LOCAL://localhost:9094,CONTROLLER://localhost:{names.KAFKA_CONTROLLER_PORT}",
        "listener.security.protocol.map": "SASL_SSL:SASL_SSL,LOCAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "advertised.listeners": f"SASL_SSL://{host}:9092,LOCAL://localhost:9094",
        "sasl.enabled.mechanisms": MECHANISM,
        f"{clients}.{MECHANISM.lower()}.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        f"{clients}.ssl.keystore.type": "PEM",
        # Or a certificate of another source, whose subject and names differ, would not be taken without a restart.
        f"{clients}.ssl.allow.dn.changes": "true",
        f"{clients}.ssl.allow.san.changes": "true",
        f"{clients}.ssl.keystore.location": tls.BOTH_FILE,
    }


def _command(context: Context) -> list[str]:
    if context.certificates.is_on:
        return ["sh", "-c", tls.reloading("kafka-tls.sh")]
    return ["sh", "-ec", _START]


def _config(context: Context) -> Obj:
    name = names.config(context.name, COMPONENT)
    return context.obj("v1", "ConfigMap", name, COMPONENT, data={FILE: configuration(context)})


def _template(context: Context) -> Obj:
    store = context.spec.kafka
    container = pods.container(
        COMPONENT,
        context.store_image(COMPONENT),
        store.image,
        store,
        command=_command(context),
        env=pods.env(
            {
                "KAFKA_HEAP_OPTS": _HEAP[context.spec.profile],
                "KAFKA_JVM_PERFORMANCE_OPTS": _JVM[context.spec.profile],
                "EXTRA_ARGS": "-name kafkaServer",  # without the log of the garbage collector
                "LOG_DIR": "/tmp/kafka",  # noqa: S108 - inside the container, an emptyDir of its own
            },
            pods.credential_env(context, keys.KAFKA_CLUSTER_ID, "KAFKA_CLUSTER_ID"),
        ),
        mounts={
            workloads.DATA: "/var/lib/kafka/data",
            "config": FOLDER,
            "tmp": "/tmp",  # noqa: S108
            **tls.server_mount(context),
            **({"credentials": pods.CREDENTIALS_FOLDER} if context.certificates.is_on else {}),
        },
        **_probes(context),
    )
    volumes = [
        *workloads.data_volumes(store),
        {"name": "config", "configMap": {"name": names.config(context.name, COMPONENT)}},
        pods.scratch("tmp", "512Mi"),
        *tls.server_volume(context, COMPONENT),
        *_logins(context),
    ]
    return pods.template(
        context,
        COMPONENT,
        store,
        container=container,
        volumes=volumes,
        uid=UID,
        grace_seconds=30,
        config_hash=short_hash(configuration(context), context.credentials.digest(keys.KAFKA_CLUSTER_ID)),
    )


def _logins(context: Context) -> list[Obj]:
    """The login in force, and beside it the one that is coming, if there is one: both are taken."""
    if not context.certificates.is_on:
        return []
    keys = {KAFKA_LOGIN: {}, f"{KAFKA_LOGIN}{COMING}": {"optional": True}}
    name = names.credentials(context.name)
    sources = [{"secret": {"name": name, "items": [{"key": key, "path": key}], **more}} for key, more in keys.items()]
    return [{"name": "credentials", "projected": {"defaultMode": pods.GROUP_READABLE, "sources": sources}}]


def _probes(context: Context) -> Obj:
    """It has started once its clients can log in."""
    is_guarded = context.certificates.is_on
    return pods.probes(
        startup=pods.run("test", "-f", ADMITTED) if is_guarded else pods.tcp("kafka"),
        readiness=pods.tcp("kafka"),
        liveness=pods.tcp("kafka"),
        startup_seconds=300,
    )
