#!/bin/sh
# kafka-configs.sh --bootstrap-server … --alter …: as Kafka's own script.
exec "$(dirname "$0")/kafka-run-class.sh" kafka.admin.ConfigCommand "$@"
