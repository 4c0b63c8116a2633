use_certificate() {
    kill -HUP 1
}
watch certificate &
exec docker-entrypoint.sh "$@"
