"""Backup: a CronJob that dumps Postgres to a volume, with the programs of the Postgres image and nothing else."""

from importlib.resources import files

from somamemory_operator.decide import credentials as keys
from somamemory_operator.decide import external
from somamemory_operator.manifests.parts import claims, pods, tls, workloads
from somamemory_operator.manifests.parts.context import Context, compact, short_hash
from somamemory_operator.manifests.stores import postgres
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj
from somamemory_operator.resource.backup import START_HOURS, Backup
from somamemory_operator.resource.external import ExternalPostgres

COMPONENT = Component.BACKUP
FOLDER = "/backups"


def build(context: Context) -> list[Obj]:
    """ServiceAccount, the volume unless it is somebody else's, CronJob."""
    backup = context.spec.backup
    if backup is None:
        return []
    own = [claims.of_backup(context, backup.volume)] if backup.volume.existing_claim is None else []
    if not backup.enabled:
        return own
    return [workloads.service_account(context, COMPONENT), *own, _cron_job(context, backup)]


def template(context: Context, component: Component, backup: Backup, script: str, variables: dict[str, str]) -> Obj:
    """A pod with the programs of Postgres, the dumps, and the password in a file, that runs one of our scripts."""
    if not backup.pod_security_context.model_fields_set:  # another user of the image stands with Postgres itself
        backup = backup.model_copy(update={"pod_security_context": context.spec.postgres.pod_security_context})
    container = pods.container(
        component,
        context.store_image(Component.POSTGRES),
        context.spec.postgres.image,
        backup,
        command=["sh", "-c", files("somamemory_operator.manifests.recovery").joinpath(script).read_text()],
        env=pods.env(_environment(context) | variables),
        mounts={
            "backups": FOLDER,
            "credentials": pods.CREDENTIALS_FOLDER,
            "tmp": "/tmp",  # noqa: S108
            **tls.trust_mount(context),
        },
        terminationMessagePolicy="FallbackToLogsOnError",  # so that the status can say why
    )
    claim = {"claimName": backup.volume.existing_claim or names.child(context.name, COMPONENT)}
    return pods.template(
        context,
        component,
        backup,
        container=container,
        volumes=[
            {"name": "backups", "persistentVolumeClaim": claim},
            _credentials(context),
            pods.scratch("tmp"),
            *tls.trust_volume(context),
        ],
        uid=postgres.UID,
        grace_seconds=30,
        config_hash=short_hash(context.credentials.digest(keys.POSTGRES_PASSWORD)),
        restart_policy="Never",
    )


def _environment(context: Context) -> dict[str, str]:
    chosen, folder = context.spec.postgres.external, pods.CREDENTIALS_FOLDER
    common = {"PASSWORD_FILE": f"{folder}/{keys.POSTGRES_PASSWORD}", "FOLDER": FOLDER}
    if chosen is None:
        return common | {
            "PGHOST": names.child(context.name, Component.POSTGRES),
            "PGPORT": str(names.PORTS[Component.POSTGRES]["postgres"]),
            "PGUSER": postgres.USER,
            "PGDATABASE": postgres.DATABASE,
            **({"PGSSLMODE": "verify-full", "PGSSLROOTCERT": tls.TRUST_FILE} if context.certificates.is_on else {}),
        }
    return common | {
        "PGHOST": chosen.host,
        "PGPORT": str(chosen.port),
        "PGUSER": chosen.username,
        "PGDATABASE": chosen.database,
        **_tls(chosen),
    }


def _tls(chosen: ExternalPostgres) -> dict[str, str]:
    """Without an authority of the user's own the image's libpq is told to use the system's."""
    if not chosen.tls.enabled:
        return {"PGSSLMODE": "disable"}
    own = chosen.tls.ca_secret is not None
    trusted = f"{pods.CREDENTIALS_FOLDER}/{external.ca_file(Component.POSTGRES)}" if own else "system"
    verified = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": trusted}
    if external.client_secret(chosen.tls) is None:
        return verified
    files = {"PGSSLCERT": "crt", "PGSSLKEY": "key"}
    place = pods.CREDENTIALS_FOLDER
    return verified | {
        name: f"{place}/{external.client_file(Component.POSTGRES, kind)}" for name, kind in files.items()
    }


def _credentials(context: Context) -> Obj:
    if not context.is_external(Component.POSTGRES):
        return pods.credential_files(context, keys.POSTGRES_PASSWORD)
    secret = {"secretName": names.external_credentials(context.name), "defaultMode": pods.GROUP_READABLE}
    return {"name": "credentials", "secret": secret}


def _cron_job(context: Context, backup: Backup) -> Obj:
    restore, is_restoring = context.spec.restore, context.recovery.is_under_way
    variables = {"PREFIX": context.name, "KEEP": str(backup.keep)}
    if is_restoring:  # also a dump that is asked for by hand must not remove the one that is to be brought back
        variables["RESTORING"] = restore.source if restore is not None else context.recovery.mark
    job = {
        "activeDeadlineSeconds": backup.active_deadline_seconds,
        "backoffLimit": 3,
        "template": template(context, COMPONENT, backup, "backup.sh", variables),
    }
    spec = {
        "schedule": backup.schedule,
        "timeZone": backup.time_zone,
        "suspend": context.spec.hibernated or is_restoring,
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": START_HOURS * 3600,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
        "jobTemplate": {"metadata": {"labels": names.labels(context.name, COMPONENT)}, "spec": job},
    }
    name = names.child(context.name, COMPONENT)
    return context.obj("batch/v1", "CronJob", name, COMPONENT, spec=compact(spec))
