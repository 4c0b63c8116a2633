# Kubernetes swaps the files of a Secret all at once, a while after it has changed. `reload` is said by what follows.
folder=/run/tls
shown() {
    cat "$folder/tls.crt" "$folder/tls.key" | cksum
}
watch() {
    seen="$(shown)"
    while sleep 5; do
        now="$(shown)" || continue
        [ "$now" = "$seen" ] && continue
        if reload; then
            seen="$now"
            echo "the certificate has changed and is shown to new connections"
        else
            echo "the certificate has changed and cannot be used yet: the one before is shown" >&2
        fi
    done
}
