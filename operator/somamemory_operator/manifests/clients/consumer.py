"""The consumer of memory events: a Deployment, the Service of its metrics, its ServiceAccount."""

from somamemory_operator.manifests.clients import program as clients
from somamemory_operator.manifests.clients import scaling
from somamemory_operator.manifests.parts import pods
from somamemory_operator.manifests.parts import workloads as stores
from somamemory_operator.manifests.parts.context import Context
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj

COMPONENT = Component.CONSUMER
PORT = "http-metrics"


def build(context: Context) -> list[Obj]:
    """ServiceAccount, Service, Deployment; the autoscaler, where one is wanted."""
    return [
        stores.service_account(context, COMPONENT),
        stores.service(context, COMPONENT),
        clients.deployment(
            context, COMPONENT, replicas=scaling.replicas(context, COMPONENT), template=_template(context)
        ),
        *scaling.autoscalers(context, COMPONENT),
    ]


def environment(context: Context) -> dict[str, str]:
    """The variables of the consumer, without those that the spec adds."""
    return clients.environment(context) | {
        "KAFKA_CONSUMER_GROUP": context.spec.consumer.group,
        "CONSUMER_METRICS_PORT": str(names.PORTS[COMPONENT][PORT]),
    }


def _template(context: Context) -> Obj:
    consumer = context.spec.consumer
    container = pods.container(
        COMPONENT,
        context.api_image(),
        context.spec.image,
        consumer,
        command=["soma", "consume"],
        env=pods.env(environment(context), *pods.user_env(consumer.env)),
        mounts=clients.mounts(),
        **pods.probes(
            startup=pods.http_get("/healthz", PORT),
            readiness=pods.http_get("/readyz", PORT),
            liveness=pods.http_get("/healthz", PORT),
            startup_seconds=180,
            readiness_seconds=3,
        ),
    )
    return pods.template(
        context,
        COMPONENT,
        consumer,
        container=container,
        volumes=clients.volumes(context),
        uid=clients.UID,
        grace_seconds=30,
        config_hash=clients.config_hash(context),
    )
