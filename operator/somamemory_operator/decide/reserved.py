"""Settings of the stores and variables of the API that belong to the operator: changing them would cut a wire."""

from somamemory_operator.model.names import Component

SETTINGS: dict[Component, frozenset[str]] = {
    Component.POSTGRES: frozenset(
        {
            "config_file",
            "data_directory",
            "external_pid_file",
            "hba_file",
            "ident_file",
            "listen_addresses",
            "port",
            "ssl",
            "ssl_cert_file",
            "ssl_key_file",
            "unix_socket_directories",
        }
    ),
    Component.REDIS: frozenset(
        {
            "aclfile",
            "bind",
            "daemonize",
            "dir",
            "include",
            "loadmodule",
            "port",
            "rename-command",
            "requirepass",
            "tls-auth-clients",
            "tls-cert-file",
            "tls-key-file",
            "tls-port",
            "user",
        }
    ),
    Component.QDRANT: frozenset(
        {
            "QDRANT_INIT_FILE_PATH",
            "QDRANT__CLUSTER__ENABLED",
            "QDRANT__SERVICE__API_KEY",
            "QDRANT__SERVICE__ENABLE_TLS",
            "QDRANT__SERVICE__GRPC_PORT",
            "QDRANT__SERVICE__HOST",
            "QDRANT__SERVICE__HTTP_PORT",
            "QDRANT__STORAGE__SNAPSHOTS_PATH",
            "QDRANT__STORAGE__STORAGE_PATH",
            "QDRANT__TLS__CERT",
            "QDRANT__TLS__CERT_TTL",
            "QDRANT__TLS__KEY",
        }
    ),
    Component.KAFKA: frozenset(
        {
            "advertised.listeners",
            "controller.listener.names",
            "controller.quorum.bootstrap.servers",
            "controller.quorum.voters",
            "inter.broker.listener.name",
            "listener.security.protocol.map",
            "listeners",
            "log.dir",
            "log.dirs",
            "node.id",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config",
            "listener.name.sasl_ssl.ssl.allow.dn.changes",
            "listener.name.sasl_ssl.ssl.allow.san.changes",
            "listener.name.sasl_ssl.ssl.keystore.location",
            "listener.name.sasl_ssl.ssl.keystore.type",
            "process.roles",
            "sasl.enabled.mechanisms",
        }
    ),
}

VARIABLES = frozenset(
    {
        "CONSUMER_METRICS_PORT",
        "KAFKA_BOOTSTRAP_SERVERS",
        "KAFKA_CONSUMER_GROUP",
        "MEMORY_MODE",
        "POSTGRES_PASSWORD",
        "POSTGRES_PASSWORD_FILE",
        "POSTGRES_URL",
        "QDRANT_API_KEY",
        "QDRANT_API_KEY_FILE",
        "QDRANT_URL",
        "REDIS_PASSWORD",
        "REDIS_PASSWORD_FILE",
        "REDIS_URL",
        "SOMA_API_TOKEN",
        "SOMA_API_TOKEN_FILE",
        "SOMA_DECAYABLE_KEYS_BY_LEVEL",
        "SOMA_DECAY_THRESHOLDS_SECONDS",
        "SOMA_GRPC_ENABLED",
        "SOMA_GRPC_PORT",
        "SOMA_MAX_MEMORY_SIZE",
        "SOMA_MEMORY_NAMESPACE",
        "SOMA_RATE_LIMIT_MAX",
        "SOMA_RATE_LIMIT_WINDOW_SECONDS",
        "SOMA_TLS_CERT",
        "SOMA_TLS_KEY",
        "SOMA_VECTOR_DIM",
        "UVICORN_PORT",
        "UVICORN_WORKERS",
    }
)
"""Variables that the operator sets on API and consumer, or that would win over those: use the field of the spec."""
