# The broker is told by the listener that only this pod can reach. Passwords go by pipes: no file, no argument list.
configs() {
    KAFKA_HEAP_OPTS="-Xmx64m" KAFKA_JVM_PERFORMANCE_OPTS="-XX:+UseSerialGC -XX:TieredStopAtLevel=1" EXTRA_ARGS="" \
        timeout 90 /opt/kafka/bin/kafka-configs.sh --bootstrap-server localhost:9094 "$@"
}
use_certificate() {
    configs --entity-type brokers --entity-name 0 --alter \
        --add-config "listener.name.sasl_ssl.ssl.keystore.location=$folder/tls.pem" </dev/null
}
# Lines of USER:PASSWORD: the login in force, and the one that is coming.
logins() {
    cat /run/credentials/KAFKA_LOGIN && echo || return 1
    [ ! -f /run/credentials/KAFKA_LOGIN_NEXT ] || { cat /run/credentials/KAFKA_LOGIN_NEXT && echo; }
}
# What is done is done by one reading of them: `wanted`, which is never empty.
admit() {
    printf '%s\n' "$wanted" | while IFS=: read -r user password; do
        printf 'SCRAM-SHA-512=iterations=4096,password=%s\n' "$password" |
            configs --entity-type users --entity-name "$user" --alter --add-config-file /dev/stdin || exit 1
    done
}
dismiss() {
    found="$(configs --entity-type users --describe </dev/null)" || return 1
    names="$(printf '%s\n' "$found" | sed -n "s/^SCRAM credential configs for user-principal '\(.*\)' are .*/\1/p")"
    for user in $names; do
        printf '%s\n' "$wanted" | grep -q "^$user:" ||
            configs --entity-type users --entity-name "$user" --alter --delete-config SCRAM-SHA-512 </dev/null || return 1
    done
}
use_logins() {
    wanted="$(logins)" && [ -n "$wanted" ] && admit && dismiss
}
begin() {
    known="$(logins | cksum)"
    until wanted="$(logins)" && [ -n "$wanted" ] && admit; do sleep 1; done
    touch /tmp/admitted
    watch certificate "$shown" &
    dismiss || known=unfinished
    watch logins "$known"
}
rm -f /tmp/admitted
/opt/kafka/bin/kafka-storage.sh format --ignore-formatted --cluster-id "$KAFKA_CLUSTER_ID" \
    --config /etc/kafka-config/server.properties || exit
shown="$(certificate | cksum)"
begin &
exec /opt/kafka/bin/kafka-server-start.sh /etc/kafka-config/server.properties
