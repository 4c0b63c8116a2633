"""Kafka's features: a Job that finalises them after another version of Kafka has shown that it runs."""

from importlib.resources import files

from somamemory_operator.decide.sources import KAFKA_LOGIN
from somamemory_operator.manifests.parts import pods, tls, workloads
from somamemory_operator.manifests.parts.context import Context, short_hash
from somamemory_operator.manifests.stores import kafka
from somamemory_operator.model import names
from somamemory_operator.model.desired import Gate, Wanted
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj
from somamemory_operator.model.reasons import Reason
from somamemory_operator.model.rollout import is_rolled_out
from somamemory_operator.resource.workload import Resources, Workload

COMPONENT = Component.FEATURES
SCRIPT = "features.sh"
_SMALL = Resources(requests={"cpu": "25m", "memory": "128Mi"}, limits={"memory": "512Mi"})


def build(context: Context) -> list[Wanted]:
    """ServiceAccount and Job, as long as there is something to finalise."""
    image = context.versions.unfinalized
    if image is None or context.spec.hibernated or context.is_external(Component.KAFKA):
        return []
    live = context.world.get("StatefulSet", names.child(context.name, Component.KAFKA))
    gate = Gate(
        live is not None and is_rolled_out(live),
        Reason.FINALIZING_FEATURES,
        "Kafka's features are finalised once it is ready.",
    )
    return [Wanted(workloads.service_account(context, COMPONENT)), Wanted(_job(context, image), gate)]


def _job(context: Context, image: str) -> Obj:
    template = _template(context, image)
    spec = {"backoffLimit": 6, "activeDeadlineSeconds": 1800, "template": template}
    name = f"{names.child(context.name, COMPONENT)}-{short_hash(template)}"
    obj = context.obj("batch/v1", "Job", name, COMPONENT, spec=spec)
    obj["metadata"]["annotations"] = {names.FINALIZED_ANNOTATION: image}
    return obj


def _template(context: Context, image: str) -> Obj:
    """It runs where Kafka runs: its nodes, its users; but it is small."""
    store = context.spec.kafka
    workload = Workload(
        resources=_SMALL,
        node_selector=store.node_selector,
        tolerations=store.tolerations,
        priority_class_name=store.priority_class_name,
        pod_security_context=store.pod_security_context,
        container_security_context=store.container_security_context,
    )
    port = names.PORTS[Component.KAFKA]["kafka"]
    container = pods.container(
        COMPONENT,
        image,
        store.image,
        workload,
        command=["sh", "-c", files("somamemory_operator.manifests.stores").joinpath(SCRIPT).read_text()],
        env=pods.env(
            {
                "SERVER": f"{names.child(context.name, Component.KAFKA)}:{port}",
                "KAFKA_HEAP_OPTS": "-Xmx256m",
                "LOG_DIR": "/tmp/kafka",  # noqa: S108 - inside the container, an emptyDir of its own
                **_login(context),
            }
        ),
        mounts={
            "tmp": "/tmp",  # noqa: S108
            **tls.trust_mount(context),
            **({"credentials": pods.CREDENTIALS_FOLDER} if context.certificates.is_on else {}),
        },
        terminationMessagePolicy="FallbackToLogsOnError",
    )
    return pods.template(
        context,
        COMPONENT,
        workload,
        container=container,
        volumes=[
            pods.scratch("tmp"),
            *tls.trust_volume(context),
            *([pods.credential_files(context, KAFKA_LOGIN)] if context.certificates.is_on else []),
        ],
        uid=kafka.UID,
        grace_seconds=10,
        config_hash=short_hash(image),
        restart_policy="Never",
    )


def _login(context: Context) -> dict[str, str]:
    if not context.certificates.is_on:
        return {}
    file = f"{pods.CREDENTIALS_FOLDER}/{KAFKA_LOGIN}"
    return {"TRUST": tls.TRUST_FILE, "MECHANISM": kafka.MECHANISM, "LOGIN": file}
