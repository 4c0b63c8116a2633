#!/usr/bin/env bash
# redis 8.1.0 (the Python client)
#
# The guess: whatever the client raises because no server answers is a RedisError, for one server and for a cluster.
# What is seen: one server that is away raises ConnectionError, a RedisError. A cluster none of whose servers answers, or
#   lets the client in, raises RedisClusterException, which is an Exception only: `except RedisError` does not see it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q redis==8.1.0
cat > "$folder/program.py" <<'PY'
import asyncio
import socket

from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import RedisError

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]


async def main():
    for kind in (Redis, RedisCluster):
        client = kind(host="127.0.0.1", port=port)
        try:
            await client.get("key")
        except Exception as error:
            print(f"{kind.__name__}: {type(error).__name__}, a RedisError: {isinstance(error, RedisError)}")
        await client.aclose()


asyncio.run(main())
PY
seen=$("$folder/venv/bin/python" "$folder/program.py")
echo "$seen"
expected='Redis: ConnectionError, a RedisError: True
RedisCluster: RedisClusterException, a RedisError: False'
[ "$seen" = "$expected" ] || { echo "this has changed; it was: $expected" >&2; exit 1; }
# Output:
#   Redis: ConnectionError, a RedisError: True
#   RedisCluster: RedisClusterException, a RedisError: False
