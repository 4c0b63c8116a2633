reload() {
    kill -HUP 1
}
watch &
exec docker-entrypoint.sh "$@"
