"""Redis, caches and limits: one server with an append-only file and a password."""

import base64

from somamemory_operator.decide import credentials as keys
from somamemory_operator.manifests.parts import pods, tls, workloads
from somamemory_operator.manifests.parts.context import Context, short_hash
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj

COMPONENT = Component.REDIS
UID = 999
FILE = "redis.conf"
FOLDER = "/etc/redis"

_SETTINGS = {
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",
    "save": "60 1",
    "tcp-keepalive": "60",
}


def build(context: Context) -> list[Obj]:
    """ServiceAccount, Services, configuration, StatefulSet."""
    return [
        workloads.service_account(context, COMPONENT),
        *workloads.services(context, COMPONENT),
        _config(context),
        workloads.stateful_set(context, COMPONENT, _template(context)),
    ]


def configuration(context: Context) -> str:
    """The text of redis.conf. It holds the password and therefore lives in a Secret."""
    fixed = {
        "bind": "* -::*",
        "port": "6379",
        "dir": "/data",
        "requirepass": _quoted(context.credentials[keys.REDIS_PASSWORD]),
    }
    lines = _SETTINGS | context.spec.redis.config | fixed | _tls(context)
    return "".join(f"{name} {lines[name]}\n" for name in sorted(lines))


def _tls(context: Context) -> dict[str, str]:
    """Nothing is said in plain text, and clients need no certificate."""
    if not context.certificates.is_on:
        return {}
    return {
        "port": "0",
        "tls-port": "6379",
        "tls-cert-file": tls.CHAIN_FILE,
        "tls-key-file": tls.KEY_FILE,
        "tls-auth-clients": "no",
    }


def _command(context: Context) -> list[str]:
    if context.certificates.is_on:
        return ["sh", "-c", tls.reloading("redis-tls.sh")]
    return ["redis-server", f"{FOLDER}/{FILE}"]


def _quoted(value: str) -> str:
    """A value as redis.conf takes it to the letter; one without special signs needs no quotes."""
    if value and not set(value) & set("\"'\\#"):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _config(context: Context) -> Obj:
    data = {FILE: base64.b64encode(configuration(context).encode()).decode()}
    return context.obj("v1", "Secret", names.config(context.name, COMPONENT), COMPONENT, type="Opaque", data=data)


def _template(context: Context) -> Obj:
    store = context.spec.redis
    container = pods.container(
        COMPONENT,
        context.store_image(COMPONENT),
        store.image,
        store,
        command=_command(context),
        mounts={
            workloads.DATA: "/data",
            "config": FOLDER,
            "credentials": pods.CREDENTIALS_FOLDER,
            "tmp": "/tmp",  # noqa: S108 - inside the container, an emptyDir of its own
            **tls.server_mount(context),
        },
        **_probes(context),
    )
    secret = {"secretName": names.config(context.name, COMPONENT), "defaultMode": pods.GROUP_READABLE}
    volumes = [
        *workloads.data_volumes(store),
        {"name": "config", "secret": secret},
        pods.credential_files(context, keys.REDIS_PASSWORD),
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
        grace_seconds=20,
        config_hash=short_hash(configuration(context)),
    )


def _probes(context: Context) -> Obj:
    """The password goes by the environment of the probe, never on a command line that others can read."""
    file = f"{pods.CREDENTIALS_FOLDER}/{keys.REDIS_PASSWORD}"
    by = f"--tls --cacert {tls.OWN_TRUST_FILE} " if context.certificates.is_on else ""
    ping = f'REDISCLI_AUTH="$(cat {file})" redis-cli {by}ping | grep -q PONG'
    return pods.probes(
        startup=pods.run("sh", "-c", ping),
        readiness=pods.run("sh", "-c", ping),
        liveness=pods.tcp("redis"),
        startup_seconds=600,
    )
