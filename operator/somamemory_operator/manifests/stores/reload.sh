# Kubernetes swaps the files of a Secret all at once, a while after it has changed.
folder=/run/tls
certificate() {
    cat "$folder/tls.crt" "$folder/tls.key"
}
# `watch WHAT`: `WHAT` prints what is to be in use, `use_WHAT` has the server use it. Both are said by what follows. What
# is in use now may be said, too: its checksum.
watch() {
    seen="${2:-$("$1" | cksum)}"
    while sleep 5; do
        now="$("$1" | cksum)"
        [ "$now" = "$seen" ] && continue
        if "use_$1"; then
            seen="$now"
            echo "the $1 has changed and is used for new connections"
        else
            echo "the $1 has changed and cannot be used yet: the one before is used" >&2
        fi
    done
}
