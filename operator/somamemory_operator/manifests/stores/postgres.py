"""Postgres, the truth: the official image's contract, one primary."""

from importlib.resources import files

from somamemory_operator.decide import credentials as keys
from somamemory_operator.manifests.parts import pods, tls, workloads
from somamemory_operator.manifests.parts.context import Context, short_hash
from somamemory_operator.model import names, templates
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj

COMPONENT = Component.POSTGRES
UID = 999
USER = "soma"
DATABASE = "somamemory"
FOLDER = "/var/lib/postgresql/data"
RULES, RULES_FOLDER = "pg_hba.conf", "/etc/postgres"

_SETTINGS = {
    "development": {"shared_buffers": "64MB", "max_connections": "100"},
    "production": {
        "shared_buffers": "512MB",
        "max_connections": "200",
        "effective_cache_size": "1536MB",
        "maintenance_work_mem": "64MB",
        "checkpoint_completion_target": "0.9",
        "wal_buffers": "16MB",
        "random_page_cost": "1.1",
        "effective_io_concurrency": "200",
    },
}


def build(context: Context) -> list[Obj]:
    """ServiceAccount, Services, StatefulSet, which says what it was made from: without a volume no pod may be lost."""
    return [
        workloads.service_account(context, COMPONENT),
        *workloads.services(context, COMPONENT),
        *_rules(context),
        templates.mark(workloads.stateful_set(context, COMPONENT, _template(context)), context.settings.release),
    ]


def settings(context: Context) -> dict[str, str]:
    """The server settings: the profile's, and the spec's over them."""
    return _SETTINGS[context.spec.profile] | context.spec.postgres.config | _tls(context)


def _tls(context: Context) -> dict[str, str]:
    """The settings for TLS, and for nothing else."""
    if not context.certificates.is_on:
        return {}
    return {
        "ssl": "on",
        "ssl_cert_file": tls.CHAIN_FILE,
        "ssl_key_file": tls.KEY_FILE,
        "hba_file": f"{RULES_FOLDER}/{RULES}",
    }


def _rules(context: Context) -> list[Obj]:
    """Who may come in; in plain text what the image has made is left alone."""
    if not context.certificates.is_on:
        return []
    data = {RULES: files("somamemory_operator.manifests.stores").joinpath(RULES).read_text()}
    return [context.obj("v1", "ConfigMap", names.config(context.name, COMPONENT), COMPONENT, data=data)]


def _command(context: Context) -> list[str] | None:
    """The image's own, unless something has to look after the certificate."""
    return ["sh", "-c", tls.reloading("postgres-tls.sh"), "sh"] if context.certificates.is_on else None


def _template(context: Context) -> Obj:
    store = context.spec.postgres
    container = pods.container(
        COMPONENT,
        context.store_image(COMPONENT),
        store.image,
        store,
        command=_command(context),
        args=["postgres", *_options(settings(context))],
        env=pods.env(
            {
                "POSTGRES_USER": USER,
                "POSTGRES_DB": DATABASE,
                "POSTGRES_PASSWORD_FILE": f"{pods.CREDENTIALS_FOLDER}/{keys.POSTGRES_PASSWORD}",
                "PGDATA": f"{FOLDER}/pgdata",  # a folder below the mount, because of lost+found
            }
        ),
        mounts={
            workloads.DATA: FOLDER,
            "credentials": pods.CREDENTIALS_FOLDER,
            "run": "/var/run/postgresql",
            "tmp": "/tmp",  # noqa: S108 - inside the container, an emptyDir of its own
            "shm": "/dev/shm",  # noqa: S108
            **({"config": RULES_FOLDER} if context.certificates.is_on else {}),
            **tls.server_mount(context),
        },
        # A fast shutdown: the smart one, which SIGTERM asks for, waits for clients that never go.
        lifecycle={"preStop": pods.run("sh", "-c", "kill -INT 1")},
        **_probes(),
    )
    volumes = [
        *workloads.data_volumes(store),
        pods.credential_files(context, keys.POSTGRES_PASSWORD),
        pods.scratch("run", "16Mi"),
        pods.scratch("tmp"),
        pods.scratch("shm", "256Mi", medium="Memory"),
        *_rules_volume(context),
        *tls.server_volume(context, COMPONENT),
    ]
    return pods.template(
        context,
        COMPONENT,
        store,
        container=container,
        volumes=volumes,
        uid=UID,
        grace_seconds=60,
        config_hash=_hash_of_birth(context),
    )


def _rules_volume(context: Context) -> list[Obj]:
    if not context.certificates.is_on:
        return []
    return [{"name": "config", "configMap": {"name": names.config(context.name, COMPONENT)}}]


def _hash_of_birth(context: Context) -> str:
    """The password counts when a database is made, and never again: another one must not restart it."""
    digest = context.credentials.digest(keys.POSTGRES_PASSWORD)
    return short_hash(context.credentials.record.get(names.POSTGRES_BIRTH_ANNOTATION, digest))


def _options(values: dict[str, str]) -> list[str]:
    return [part for name in sorted(values) for part in ("-c", f"{name}={values[name]}")]


def _probes() -> Obj:
    """Over TCP, because during initdb a server without TCP answers on the socket and must not count."""
    ready = f"pg_isready -q -h 127.0.0.1 -U {USER} -d {DATABASE}"
    return pods.probes(
        startup=pods.run("sh", "-c", ready),
        readiness=pods.run("sh", "-c", ready),
        # Exit code 1 is "not now" (recovery, shutdown): killing it then would only prolong that.
        liveness=pods.run("sh", "-c", f"{ready} || [ $? -eq 1 ]"),
        startup_seconds=600,
    )
