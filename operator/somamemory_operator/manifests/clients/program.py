"""What API, consumer and migration have in common: one image, one environment, the same credentials."""

from somamemory_operator.decide import credentials as keys
from somamemory_operator.manifests.clients import access
from somamemory_operator.manifests.parts import marks as metadata_marks
from somamemory_operator.manifests.parts import pods, tls
from somamemory_operator.manifests.parts.context import Context, compact, short_hash
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, at
from somamemory_operator.resource.workload import Resources, Workload

UID = 10001
_SMALL = Resources(requests={"cpu": "25m", "memory": "96Mi"}, limits={"memory": "512Mi"})
CONFIG_HASH = short_hash("")
"""They mount no configuration, and read passwords again; what rolls them stands beside it."""
TMP = {"tmp": "/tmp"}  # noqa: S108 - inside the container, an emptyDir of its own


def environment(context: Context) -> dict[str, str]:
    """The variables that lead to the stores; the settings of the API server read exactly these."""
    return {
        "MEMORY_MODE": "evented_enterprise",
        "SOMA_MEMORY_NAMESPACE": context.spec.memory.namespace,
        "SOMA_VECTOR_DIM": str(context.spec.memory.vector_dim),
        "EVENTING_ENABLED": "true",
        "LOG_LEVEL": "INFO",
        **access.environment(context, pods.CREDENTIALS_FOLDER),
    }


def marks(context: Context) -> dict[str, str]:
    """Rolls the pods when a password changes, where that is the operator's affair, and says what they know.

    Only once the programs' Secret holds it: pods that came before would have to be replaced again. Tokens are read
    again by themselves.
    """
    told = _trust_mark(context)
    live = context.world.get("Secret", names.program_credentials(context.name))
    held = at(live, "metadata", "annotations", names.ROTATION_ANNOTATION) if live else context.credentials.ordinal
    if context.spec.secrets.rollout != "operator":
        return {}
    known = {names.REVISION_ANNOTATION: context.revision} if context.revision else {}
    return told | known | ({names.ROTATION_ANNOTATION: held} if held not in (None, "0") else {})


def _trust_mark(context: Context) -> dict[str, str]:
    """Which authorities the pods have begun with, as the live bundle says: they read them at their start."""
    if not context.certificates.is_on:
        return {}
    live = context.world.get("ConfigMap", names.trust(context.name))
    written = at(live, "metadata", "annotations", names.TRUST_ANNOTATION)
    return {names.TRUST_ANNOTATION: str(written or context.certificates.ordinal)}


def volumes(context: Context, *, tokens: bool = False) -> list[Obj]:
    """The credentials, whom to trust, and a writable /tmp."""
    return [pods.program_files(context, tokens=tokens), pods.scratch("tmp"), *tls.trust_volume(context)]


def mounts(context: Context) -> dict[str, str]:
    """Where the volumes go."""
    return {"credentials": pods.CREDENTIALS_FOLDER, **TMP, **tls.trust_mount(context)}


def probes(port: str, *, secure: bool = False) -> Obj:
    """API and consumer answer for their health in the same way, at the port of this name."""
    return pods.probes(
        startup=pods.http_get("/healthz", port, tls=secure),
        readiness=pods.http_get("/readyz", port, tls=secure),
        liveness=pods.http_get("/healthz", port, tls=secure),
        startup_seconds=180,
        readiness_seconds=3,
    )


def deployment(context: Context, component: Component, *, replicas: int | None, template: Obj) -> Obj:
    """A Deployment that never has fewer pods than wanted while it rolls; `replicas` None leaves their number alone."""
    spec = {
        "replicas": replicas,
        "revisionHistoryLimit": 2,
        "progressDeadlineSeconds": 600,
        "selector": {"matchLabels": names.selector(context.name, component)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": template,
    }
    obj = context.obj("apps/v1", "Deployment", names.child(context.name, component), component, spec=compact(spec))
    obj["metadata"]["labels"][names.VERSION_LABEL] = context.version
    part = context.spec.api if component is Component.API else context.spec.consumer
    return metadata_marks.of_program(context, obj, part)


def one_off(context: Context, component: Component, command: list[str]) -> Obj:
    """The pod of a Job with our own programs. It runs where the API runs: its nodes, its users; but it is small."""
    api = context.spec.api
    workload = Workload(
        resources=_SMALL,
        node_selector=api.node_selector,
        tolerations=api.tolerations,
        priority_class_name=api.priority_class_name,
        pod_security_context=api.pod_security_context,
        container_security_context=api.container_security_context,
    )
    container = pods.container(
        component,
        context.api_image(),
        context.spec.image,
        workload,
        command=command,
        env=pods.env(environment(context)),
        mounts=mounts(context),
    )
    return pods.template(
        context,
        component,
        workload,
        container=container,
        volumes=volumes(context),
        uid=UID,
        grace_seconds=30,
        config_hash=CONFIG_HASH,
        restart_policy="OnFailure",
    )


TOKEN_FILE = {f"{keys.API_TOKEN}_FILE": f"{pods.CREDENTIALS_FOLDER}/{keys.API_TOKEN}"}
