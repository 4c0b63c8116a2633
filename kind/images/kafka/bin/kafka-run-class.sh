#!/bin/sh
# kafka-run-class.sh CLASS ARGUMENTS…: run a class of Kafka with the memory of KAFKA_HEAP_OPTS.
# The serial collector: these brokers have small heaps, and its threads and tables cost least.
set -eu
folder=$(dirname "$(dirname "$(readlink -f "$0")")")
mkdir -p "${LOG_DIR:=$folder/logs}" 2>/dev/null || true
# shellcheck disable=SC2086  # the variables are lists of words
exec java ${KAFKA_HEAP_OPTS:--Xmx256M} ${KAFKA_JVM_PERFORMANCE_OPTS:--XX:+UseSerialGC -XX:-UsePerfData} \
  -Djava.awt.headless=true -Dkafka.logs.dir="$LOG_DIR" ${KAFKA_OPTS:-} -cp "$folder/libs/*" "$@"
