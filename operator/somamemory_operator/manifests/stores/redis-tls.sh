use_certificate() {
    said="$(REDISCLI_AUTH="$(cat /run/credentials/REDIS_PASSWORD)" timeout 10 redis-cli --tls --insecure \
        config set tls-cert-file "$folder/tls.crt" tls-key-file "$folder/tls.key")"
    [ "$said" = OK ]
}
watch certificate &
exec redis-server /etc/redis/redis.conf
