# The listener for clients is told to read the same file again, by the one that only this pod can reach.
reload() {
    KAFKA_HEAP_OPTS="-Xmx64m" KAFKA_JVM_PERFORMANCE_OPTS="-XX:+UseSerialGC -XX:TieredStopAtLevel=1" EXTRA_ARGS="" \
        timeout 60 /opt/kafka/bin/kafka-configs.sh --bootstrap-server localhost:9094 --entity-type brokers \
        --entity-name 0 --alter --add-config "listener.name.ssl.ssl.keystore.location=$folder/tls.pem"
}
/opt/kafka/bin/kafka-storage.sh format --ignore-formatted --cluster-id "$KAFKA_CLUSTER_ID" \
    --config /etc/kafka-config/server.properties || exit
watch &
exec /opt/kafka/bin/kafka-server-start.sh /etc/kafka-config/server.properties
