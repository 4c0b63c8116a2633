# Finalises what this release of Kafka can do, one feature after another, as far as the release itself says that it
# should be: until then metadata stays in the format of the release before. kraft.version is left alone: it would turn
# the fixed quorum of the configuration into one that is kept in the metadata (KAFKA-21426), which is another decision.
set -eu
# By a pipe, so that the password is in no file and no argument list.
connection() {
    [ -n "${TRUST:-}" ] || return 0
    printf '%s\n' security.protocol=SASL_SSL ssl.truststore.type=PEM "ssl.truststore.location=$TRUST" \
        "sasl.mechanism=$MECHANISM"
    IFS=: read -r user password <"$LOGIN" || [ -n "$password" ]
    printf 'sasl.jaas.config=%s required username="%s" password="%s";\n' \
        org.apache.kafka.common.security.scram.ScramLoginModule "$user" "$password"
}
features() {
    connection | /opt/kafka/bin/kafka-features.sh --bootstrap-server "$SERVER" --command-config /dev/stdin "$@" \
        2>"$LOG_DIR.log"
}
fail() {
    echo "$*" >&2
    tail -n 20 "$LOG_DIR.log" >&2
    exit 1
}

mapping="$(features version-mapping)" || fail "Kafka does not say which features belong to its release."
# Lines such as `metadata.version=27 (4.1-IV1)`; a feature at 0 is off.
wanted="$(echo "$mapping" | sed -n 's/^\([a-z.]*\)=\([1-9][0-9]*\).*$/\1=\2/p')"
[ -n "$wanted" ] || fail "Kafka names no feature of its release: $mapping"
for feature in $wanted; do
    case "$feature" in kraft.version=*) continue ;; esac
    if said="$(features upgrade --feature "$feature")"; then
        echo "$said"
    else
        case "$said" in
            *"Can't downgrade"*) echo "$feature: is ahead of that already" ;;
            *) fail "$feature cannot be finalised: $said" ;;
        esac
    fi
done
