#!/bin/sh
# kafka-server-start.sh SERVER.PROPERTIES [--override NAME=VALUE]…: as Kafka's own script, in the foreground.
set -eu
export KAFKA_HEAP_OPTS="${KAFKA_HEAP_OPTS:--Xmx1G -Xms1G}"
exec "$(dirname "$0")/kafka-run-class.sh" kafka.Kafka "$@"
