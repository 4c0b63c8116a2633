"""Qdrant, the index: one node with an API key, storage and snapshots on one volume."""

from somamemory_operator.decide import credentials as keys
from somamemory_operator.manifests.parts import pods, tls, workloads
from somamemory_operator.manifests.parts.context import Context, short_hash
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj

COMPONENT = Component.QDRANT
UID = 1000
API_KEY = "QDRANT__SERVICE__API_KEY"

_FIXED = {
    "QDRANT__STORAGE__STORAGE_PATH": "/qdrant/storage",
    "QDRANT__STORAGE__SNAPSHOTS_PATH": "/qdrant/storage/snapshots",
    "QDRANT__SERVICE__HTTP_PORT": "6333",
    "QDRANT__SERVICE__GRPC_PORT": "6334",
    # The image marks its start in its own folder, which is read-only here.
    "QDRANT_INIT_FILE_PATH": "/qdrant/init/.qdrant-initialized",
}
_DEFAULTS = {"QDRANT__TELEMETRY_DISABLED": "true"}


def build(context: Context) -> list[Obj]:
    """ServiceAccount, Services, StatefulSet."""
    return [
        workloads.service_account(context, COMPONENT),
        *workloads.services(context, COMPONENT),
        workloads.stateful_set(context, COMPONENT, _template(context)),
    ]


def _template(context: Context) -> Obj:
    store = context.spec.qdrant
    container = pods.container(
        COMPONENT,
        context.store_image(COMPONENT),
        store.image,
        store,
        env=pods.env(
            _DEFAULTS | store.config | _FIXED | _tls(context),
            pods.credential_env(context, keys.QDRANT_API_KEY, API_KEY),
        ),
        mounts={
            workloads.DATA: "/qdrant/storage",
            "init": "/qdrant/init",
            "tmp": "/tmp",  # noqa: S108 - inside the container, an emptyDir of its own
            **tls.server_mount(context),
        },
        **_probes(context),
    )
    volumes = [
        *workloads.data_volumes(store),
        pods.scratch("init", "1Mi"),
        pods.scratch("tmp"),
        *tls.server_volume(context, COMPONENT),
    ]
    return pods.template(
        context,
        COMPONENT,
        store,
        container=container,
        volumes=volumes,
        uid=UID,
        grace_seconds=30,
        config_hash=short_hash(context.credentials.digest(keys.QDRANT_API_KEY)),
    )


def _tls(context: Context) -> dict[str, str]:
    """Qdrant reads its certificate again by itself; only that of its gRPC, which is not used here, it keeps."""
    if not context.certificates.is_on:
        return {}
    return {
        "QDRANT__SERVICE__ENABLE_TLS": "true",
        "QDRANT__TLS__CERT": tls.CHAIN_FILE,
        "QDRANT__TLS__KEY": tls.KEY_FILE,
        "QDRANT__TLS__CERT_TTL": "10",
    }


def _probes(context: Context) -> Obj:
    """Qdrant's health paths need no API key."""
    secure = context.certificates.is_on
    return pods.probes(
        startup=pods.http_get("/readyz", "http", tls=secure),
        readiness=pods.http_get("/readyz", "http", tls=secure),
        liveness=pods.http_get("/livez", "http", tls=secure),
        startup_seconds=600,
    )
