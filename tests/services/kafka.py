"""One Kafka broker in KRaft mode, from the jars that Maven fetched."""

import base64
import os
import uuid
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from localimages.kafka_jars import ensure

from .server import LocalServer, free_port, port_answers


class KafkaServer(LocalServer):
    """Broker and controller in one process, topics only by request, as the operator configures it."""

    name = "kafka"
    start_seconds = 60
    format_options: tuple[str, ...] = ()
    """Further options with which the log folder is formatted."""

    def __init__(self, port: int | None = None) -> None:
        super().__init__(port)
        self._controller_port = free_port()

    @property
    def bootstrap(self) -> str:
        """For clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def configuration(self) -> Path:
        """server.properties."""
        return self.folder / "server.properties"

    def prepare(self) -> None:
        """Write the configuration and format the log folder."""
        self.configuration.write_text("".join(f"{name}={value}\n" for name, value in self._settings().items()))
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "x")
        arguments = ["format", "--ignore-formatted", "--cluster-id", cluster_id, "--config", str(self.configuration)]
        arguments += self.format_options
        self.run([*_java(), "kafka.tools.StorageTool", *arguments])

    def command(self) -> list[str]:
        """As in a pod."""
        return [*_java(), "kafka.Kafka", str(self.configuration)]

    def answers(self) -> bool:
        """Ask for the brokers: the port is open some time before they are known."""
        if not port_answers(self.port):
            return False
        client = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        try:
            return bool(client.list_topics(timeout=5).brokers)
        except KafkaException:
            return False

    def _settings(self) -> dict[str, object]:
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self.folder / "data",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "broker.heartbeat.interval.ms": 500,
            "broker.session.timeout.ms": 3000,  # a killed broker cannot register again before this is over
            "group.initial.rebalance.delay.ms": 0,
            "log.cleaner.dedupe.buffer.size": 4 << 20,  # instead of 128 MiB: it is allocated at the start
        }  # fmt: skip


def _java() -> list[str]:
    machine = ["-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]  # as the operator's development profile
    return ["java", *machine, "-cp", os.path.join(ensure(), "*")]  # noqa: PTH118  (a wildcard)
