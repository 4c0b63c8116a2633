"""The consumer of memory events: a Deployment, the Service of its metrics, its ServiceAccount."""

from somamemory_operator.manifests.clients import program, scaling
from somamemory_operator.manifests.parts import pods, workloads
from somamemory_operator.manifests.parts.context import Context
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj

COMPONENT = Component.CONSUMER
PORT = "http-metrics"


def build(context: Context) -> list[Obj]:
    """ServiceAccount, Service, Deployment; the autoscaler, where one is wanted."""
    return [
        workloads.service_account(context, COMPONENT),
        workloads.service(context, COMPONENT),
        program.deployment(
            context, COMPONENT, replicas=scaling.replicas(context, COMPONENT), template=_template(context)
        ),
        *scaling.autoscalers(context, COMPONENT),
    ]


def environment(context: Context) -> dict[str, str]:
    """The variables of the consumer, without those that the spec adds."""
    return program.environment(context) | {
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
        mounts=program.mounts(context),
        **program.probes(PORT),
    )
    return pods.template(
        context,
        COMPONENT,
        consumer,
        container=container,
        volumes=program.volumes(context),
        uid=program.UID,
        grace_seconds=30,
        config_hash=program.CONFIG_HASH,
        marks=program.marks(context),
    )
