#!/bin/sh
# kafka-features.sh version-mapping|describe|upgrade …: as Kafka's own script.
exec "$(dirname "$0")/kafka-run-class.sh" org.apache.kafka.tools.FeatureCommand "$@"
