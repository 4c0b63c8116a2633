#!/bin/sh
# kafka-storage.sh format|info|random-uuid …: as Kafka's own script.
exec "$(dirname "$0")/kafka-run-class.sh" kafka.tools.StorageTool "$@"
