"""What components have in common: ServiceAccount and Service; of a store the StatefulSet of one, and its volume."""

from somamemory_operator.manifests.parts import claims, marks
from somamemory_operator.manifests.parts.context import Context, compact
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj
from somamemory_operator.resource.stores import Store

DATA = names.DATA_VOLUME


def stateful_set(context: Context, component: Component, template: Obj) -> Obj:
    """The StatefulSet of a store; `template` mounts a volume called `data`."""
    spec = {
        "replicas": context.replicas(1),
        "serviceName": names.headless(context.name, component),
        "selector": {"matchLabels": names.selector(context.name, component)},
        # Parallel, or a pod that cannot start would never be replaced by one of a corrected template.
        "podManagementPolicy": "Parallel",
        # Empty, but there: the API server then says the partition. Without one the controller makes a pod that was lost
        # while the template changed of the template before, takes it away in the same look, and so on for ever.
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {}},
        "revisionHistoryLimit": 2,
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": context.spec.deletion_policy, "whenScaled": "Retain"},
        "template": template,
        "volumeClaimTemplates": claims.of_store(context, component, DATA),
    }
    obj = context.obj("apps/v1", "StatefulSet", names.child(context.name, component), component, spec=compact(spec))
    return marks.of_store(context, obj, context.store(component))


def data_volumes(store: Store) -> list[Obj]:
    """Where the data lives when there is no volume claim: with the pod."""
    return [] if store.persistence.enabled else [{"name": DATA, "emptyDir": {}}]


def services(context: Context, component: Component) -> list[Obj]:
    """The Service for clients, and the headless one that gives the pods their names."""
    own = context.obj(
        "v1",
        "Service",
        names.headless(context.name, component),
        component,
        spec={
            "clusterIP": "None",
            # A store must be able to find itself and its peers before it is ready.
            "publishNotReadyAddresses": True,
            "selector": names.selector(context.name, component),
            "ports": ports(component),
        },
    )
    return [service(context, component), own]


def service(context: Context, component: Component) -> Obj:
    """The Service for clients inside the cluster."""
    spec = {"type": "ClusterIP", "selector": names.selector(context.name, component), "ports": ports(component)}
    return context.obj("v1", "Service", names.child(context.name, component), component, spec=spec)


def ports(component: Component) -> list[Obj]:
    """The ports of a component's Service, each led to the container's port of the same name."""
    return [
        {"name": name, "port": port, "targetPort": name, "protocol": "TCP"}
        for name, port in names.PORTS[component].items()
    ]


def service_account(context: Context, component: Component) -> Obj:
    """The ServiceAccount of a component: no rights, no token, but a name to bind policies to."""
    name = names.child(context.name, component)
    return context.obj("v1", "ServiceAccount", name, component, automountServiceAccountToken=False)
