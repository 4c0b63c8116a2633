"""The API, over HTTP and gRPC: a Deployment, its Service, its ServiceAccount, and the ways to it."""

from somamemory_operator.manifests.clients import ingress, program, scaling
from somamemory_operator.manifests.parts import pods, tls, workloads
from somamemory_operator.manifests.parts.context import Context, compact
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj

COMPONENT = Component.API


def build(context: Context) -> list[Obj]:
    """ServiceAccount, Service, Deployment; autoscaler and Ingress, where they are wanted."""
    return [
        workloads.service_account(context, COMPONENT),
        _service(context),
        program.deployment(
            context, COMPONENT, replicas=scaling.replicas(context, COMPONENT), template=_template(context)
        ),
        *scaling.autoscalers(context, COMPONENT),
        *ingress.build(context),
    ]


def environment(context: Context) -> dict[str, str]:
    """The variables of the API, without those that the spec adds."""
    api = context.spec.api
    return (
        program.environment(context)
        | _lifecycle(context)
        | {
            **program.TOKEN_FILE,
            "UVICORN_PORT": str(names.PORTS[COMPONENT]["http"]),
            "UVICORN_WORKERS": str(api.workers),
            "SOMA_GRPC_ENABLED": str(api.grpc.enabled).lower(),
            "SOMA_GRPC_PORT": str(names.PORTS[COMPONENT]["grpc"]),
            "SOMA_RATE_LIMIT_MAX": str(api.rate_limit.max),
            "SOMA_RATE_LIMIT_WINDOW_SECONDS": str(api.rate_limit.window_seconds),
        }
        | _tls(context)
    )


def _tls(context: Context) -> dict[str, str]:
    """HTTP and gRPC show the same certificate; the `soma` command in the pod knows how to ask them."""
    if not context.certificates.is_on:
        return {}
    return {
        "SOMA_TLS_CERT": tls.CHAIN_FILE,
        "SOMA_TLS_KEY": tls.KEY_FILE,
        "SOMA_API_URL": f"https://localhost:{names.PORTS[COMPONENT]['http']}",
        "SOMA_API_CA": tls.TRUST_FILE,
    }


def _lifecycle(context: Context) -> dict[str, str]:
    """What the API does with memories as time goes by; nothing unless the spec says so."""
    memory = context.spec.memory
    variables: dict[str, str] = {}
    if memory.max_memories:
        variables["SOMA_MAX_MEMORY_SIZE"] = str(memory.max_memories)
    if memory.decay:
        variables["SOMA_DECAY_THRESHOLDS_SECONDS"] = ",".join(str(level.after_seconds) for level in memory.decay)
        variables["SOMA_DECAYABLE_KEYS_BY_LEVEL"] = ";".join(",".join(level.keys) for level in memory.decay)
    return variables


def _service(context: Context) -> Obj:
    service = context.spec.api.service
    port = {"name": "http", "port": service.port, "targetPort": "http", "protocol": "TCP"}
    if service.node_port is not None and service.type != "ClusterIP":
        port["nodePort"] = service.node_port
    grpc = context.spec.api.grpc
    ports = [port, {"name": "grpc", "port": grpc.port, "targetPort": "grpc", "protocol": "TCP"}]
    spec = {
        "type": service.type,
        "selector": names.selector(context.name, COMPONENT),
        "ports": ports if grpc.enabled else [port],
    }
    obj = context.obj("v1", "Service", names.child(context.name, COMPONENT), COMPONENT, spec=spec)
    obj["metadata"] = compact(obj["metadata"] | {"annotations": _annotations(context)})
    return obj


def _annotations(context: Context) -> dict[str, str]:
    ingress, own = context.spec.api.ingress, dict(context.spec.api.service.annotations)
    if context.certificates.is_on and ingress is not None and ingress.enabled:
        return {"traefik.ingress.kubernetes.io/service.serversscheme": "https"} | own
    return own


def _template(context: Context) -> Obj:
    api = context.spec.api
    container = pods.container(
        COMPONENT,
        context.api_image(),
        context.spec.image,
        api,
        command=["soma", "serve"],
        env=pods.env(environment(context), *pods.user_env(api.env)),
        mounts=program.mounts(context) | tls.server_mount(context),
        ports=context.ports(COMPONENT),
        # Kubernetes takes a pod out of the Service while it stops it: wait until nobody sends new requests.
        lifecycle={"preStop": pods.run("sleep", "3")},
        **program.probes("http", secure=context.certificates.is_on),
    )
    return pods.template(
        context,
        COMPONENT,
        api,
        container=container,
        volumes=[*program.volumes(context, tokens=True), *tls.server_volume(context, COMPONENT)],
        uid=program.UID,
        grace_seconds=30,
        config_hash=program.CONFIG_HASH,
        marks=program.marks(context),
    )
