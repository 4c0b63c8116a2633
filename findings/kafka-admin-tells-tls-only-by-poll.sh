#!/usr/bin/env bash
# confluent-kafka 2.16.1 (librdkafka 2.16.0)
#
# The guess: an AdminClient whose broker shows a certificate that is not trusted says so, in the exception of
#   list_topics or, while that waits, by error_cb.
# What is seen: list_topics waits for its whole timeout and raises _TRANSPORT, which names no cause, and error_cb is not
#   called at all. Only a poll() afterwards calls it, with _SSL and the reason. A refused SASL login behaves likewise.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q confluent-kafka==2.16.1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout "$folder/key.pem" -out "$folder/cert.pem" 2>/dev/null
cat > "$folder/program.py" <<'PY'
import socket
import ssl
import sys
import threading

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{sys.argv[1]}/cert.pem", f"{sys.argv[1]}/key.pem")
listener = socket.create_server(("127.0.0.1", 0))


def serve():
    while True:
        connection, _ = listener.accept()
        try:
            context.wrap_socket(connection, server_side=True).close()
        except (ssl.SSLError, OSError):
            connection.close()


threading.Thread(target=serve, daemon=True).start()
told = []
address = f"localhost:{listener.getsockname()[1]}"
options = {"bootstrap.servers": address, "security.protocol": "SSL", "broker.address.family": "v4", "log_level": 0}
client = AdminClient(options | {"error_cb": told.append})
try:
    client.list_topics(timeout=5)
    print("list_topics: answered")
except KafkaException as error:
    print("list_topics:", error.args[0].name())
print("told while it waited:", sorted({each.name() for each in told}))
while client.poll(0):
    pass
names = {each.name() for each in told}
print("told by poll:", KafkaError(KafkaError._SSL).name() in names)
PY
seen=$("$folder/venv/bin/python" "$folder/program.py" "$folder")
echo "$seen"
expected='list_topics: _TRANSPORT
told while it waited: []
told by poll: True'
[ "$seen" = "$expected" ] || { echo "this has changed; it was: $expected" >&2; exit 1; }
# Output:
#   list_topics: _TRANSPORT
#   told while it waited: []
#   told by poll: True
