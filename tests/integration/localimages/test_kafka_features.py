"""The script that finalises Kafka's features, with the local image's programs: on a real broker and a played one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcluster.paths import KIND
from localimages.kafka_jars import ensure
from somamemory_operator.manifests.stores import features
from tests.services.fixtures import running
from tests.services.kafka import KafkaServer

SCRIPT = Path(features.__file__).with_name(features.SCRIPT)


class OlderKafka(KafkaServer):
    """A broker whose log was made by Kafka 3.9: everything that came later is still to be finalised."""

    format_options = ("--release-version", "3.9")


@pytest.fixture
def older_kafka() -> Iterator[OlderKafka]:
    yield from running(OlderKafka, "java", "mvn")


@pytest.fixture
def kafka_folder(tmp_path: Path) -> Path:
    """What /opt/kafka is in the local image."""
    shutil.copytree(KIND / "images/kafka/bin", tmp_path / "kafka/bin")
    (tmp_path / "kafka/libs").symlink_to(ensure())
    return tmp_path / "kafka"


def test_all_features_of_the_release_are_finalised_but_the_kind_of_quorum(
    older_kafka: OlderKafka, kafka_folder: Path
) -> None:
    assert levels(kafka_folder, older_kafka.bootstrap)["metadata.version"] == "3.9-IV0"

    done = finalise(kafka_folder, older_kafka.bootstrap)

    assert done.returncode == 0, done.stderr
    assert levels(kafka_folder, older_kafka.bootstrap) == {
        "metadata.version": "4.1-IV1",
        "transaction.version": "2",
        "group.version": "1",
        "eligible.leader.replicas.version": "1",
        "kraft.version": "0",
        "share.version": "0",
    }
    assert finalise(kafka_folder, older_kafka.bootstrap).returncode == 0, "again changes nothing"


def test_a_broker_that_does_not_answer_is_an_error_with_a_reason(kafka_folder: Path) -> None:
    play(kafka_folder, "echo 'no broker' >&2; exit 1")

    done = finalise(kafka_folder, "nowhere:9092")

    assert done.returncode == 1
    assert "does not say which features" in done.stderr
    assert "no broker" in done.stderr


def test_a_feature_that_is_ahead_already_is_left_there(kafka_folder: Path) -> None:
    """Somebody has turned on more than the release does by itself."""
    play(kafka_folder, mapping("share.version=1") + 'echo "Can\'t downgrade the version of this feature"; exit 1')

    done = finalise(kafka_folder, "somewhere:9092")

    assert done.returncode == 0, done.stderr
    assert "share.version=1: is ahead of that already" in done.stdout


def test_a_feature_that_is_refused_is_an_error_and_ends_it(kafka_folder: Path) -> None:
    play(kafka_folder, mapping("metadata.version=30", "group.version=1") + 'echo "$*: not supported"; exit 1')

    done = finalise(kafka_folder, "somewhere:9092")

    assert done.returncode == 1
    assert "metadata.version=30 cannot be finalised" in done.stderr
    assert "group.version" not in done.stderr


def finalise(folder: Path, server: str) -> "subprocess.CompletedProcess[str]":
    """Run the script as the Job does."""
    text = SCRIPT.read_text().replace("/opt/kafka", str(folder))
    variables = environment(folder) | {"SERVER": server}
    return subprocess.run(["sh", "-c", text], env=variables, capture_output=True, text=True, timeout=120, check=False)


def levels(folder: Path, server: str) -> dict[str, str]:
    """What is finalised, by feature."""
    command = [str(folder / "bin/kafka-features.sh"), "--bootstrap-server", server, "describe"]
    told = subprocess.run(command, env=environment(folder), capture_output=True, text=True, timeout=60, check=True)
    lines = [line.split("\t") for line in told.stdout.splitlines()]
    return {
        line[0].removeprefix("Feature: "): value.removeprefix("FinalizedVersionLevel: ")
        for line in lines
        for value in line
        if value.startswith("FinalizedVersionLevel: ")
    }


def environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LOG_DIR": str(folder / "logs"), "KAFKA_HEAP_OPTS": "-Xmx256m"}


def play(folder: Path, script: str) -> None:
    """Have the program do something else."""
    (folder / "bin/kafka-features.sh").write_text(f"#!/bin/sh\n{script}\n")


def mapping(*lines: str) -> str:
    """Answer `version-mapping` with these lines, and go on for everything else."""
    text = "\\n".join(lines)
    return f'case "$*" in *version-mapping*) printf "{text}\\n"; exit 0 ;; esac; '
