# Finalises what this release of Kafka can do, one feature after another, as far as the release itself says that it
# should be: until then metadata stays in the format of the release before. kraft.version is left alone: it would turn
# the fixed quorum of the configuration into one that is kept in the metadata (KAFKA-21426), which is another decision.
set -eu
: >"$LOG_DIR.properties"
if [ -n "${TRUST:-}" ]; then
    printf '%s\n' security.protocol=SSL ssl.truststore.type=PEM "ssl.truststore.location=$TRUST" >"$LOG_DIR.properties"
fi
features() {
    /opt/kafka/bin/kafka-features.sh --bootstrap-server "$SERVER" --command-config "$LOG_DIR.properties" "$@" \
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
