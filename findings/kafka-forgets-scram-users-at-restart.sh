#!/usr/bin/env bash
# org.apache.kafka:kafka_2.13 4.1.0 (one broker that is its own controller; confluent-kafka 2.16.1 as the client)
#
# The guess: a SCRAM user that was never touched is still there when a broker starts again after another one was deleted.
# What is seen: it depends on the names. After "s" and "o" were made and "s" was deleted, the broker answers that there
#   is "o"; once it has started again there is nobody. With the names the other way round, "o" deleted, "s" stays.
#   Whoever keeps such users makes sure of them after each start.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "$(cat "$folder/pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q confluent-kafka==2.16.1
cat > "$folder/pom.xml" <<'XML'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId>
  <artifactId>finding</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>4.1.0</version>
    </dependency>
  </dependencies>
</project>
XML
mvn -q -B -Dstyle.color=never -f "$folder/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DoutputDirectory="$folder/jars" -DincludeScope=runtime > /dev/null
cat > "$folder/program.py" <<'PY'
import subprocess
import sys
import time

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

folder, MECHANISM = sys.argv[1], ScramMechanism.SCRAM_SHA_512
JAVA = ["java", "-Xmx256m", "-cp", f"{folder}/jars/*"]


def client():
    return AdminClient({"bootstrap.servers": "127.0.0.1:29192", "log_level": 0})


def started():
    with open(f"{folder}/log", "ab") as log:
        broker = subprocess.Popen([*JAVA, "kafka.Kafka", f"{folder}/server.properties"], stdout=log, stderr=log)
    with open(f"{folder}/pid", "w") as pid:
        pid.write(str(broker.pid))
    for _ in range(60):
        try:
            client().list_topics(timeout=2)
            return broker
        except KafkaException:
            time.sleep(0.5)
    raise SystemExit("it does not start")


def alter(change):
    admin = client()
    for future in admin.alter_user_scram_credentials([change]).values():
        future.result(20)


def users():
    admin = client()
    return sorted(admin.describe_user_scram_credentials().result(20))


def trial(deleted, kept):
    subprocess.run(["rm", "-rf", f"{folder}/data"], check=True)
    arguments = ["format", "--cluster-id", "MkU3OEVBNTcwNTJENDM2Qk", "--config", f"{folder}/server.properties"]
    subprocess.run([*JAVA, "kafka.tools.StorageTool", *arguments], check=True, capture_output=True)
    broker = started()
    for name in (deleted, kept):
        alter(UserScramCredentialUpsertion(name, ScramCredentialInfo(MECHANISM, 4096), b"for-this-only"))
    alter(UserScramCredentialDeletion(deleted, MECHANISM))
    before = users()
    broker.terminate()
    broker.wait(30)
    broker = started()
    print(f"{deleted} deleted: {before}, after a start: {users()}")
    broker.terminate()
    broker.wait(30)


with open(f"{folder}/server.properties", "w") as file:
    file.write(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:29193\n"
        "listeners=PLAINTEXT://127.0.0.1:29192,CONTROLLER://127.0.0.1:29193\ncontroller.listener.names=CONTROLLER\n"
        f"listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\nlog.dirs={folder}/data\n"
    )
trial("s", "o")
trial("o", "s")
PY
seen=$("$folder/venv/bin/python" "$folder/program.py" "$folder")
echo "$seen"
expected="s deleted: ['o'], after a start: []
o deleted: ['s'], after a start: ['s']"
[ "$seen" = "$expected" ] || { echo "this has changed; it was: $expected" >&2; exit 1; }
# Output:
#   s deleted: ['o'], after a start: []
#   o deleted: ['s'], after a start: ['s']
