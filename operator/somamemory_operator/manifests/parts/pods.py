"""The shared parts of pods: security, volumes, probes, environment. Pods meet Pod Security `restricted`."""

from collections.abc import Mapping
from typing import Any

from somamemory_operator.decide import credentials as keys
from somamemory_operator.decide import external
from somamemory_operator.decide.images import PULL_POLICY
from somamemory_operator.decide.rotation import PREVIOUS
from somamemory_operator.decide.sources import KAFKA_LOGIN
from somamemory_operator.manifests.parts.context import Context, compact
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj
from somamemory_operator.resource.image import Image
from somamemory_operator.resource.scheduling import TopologySpread
from somamemory_operator.resource.workload import EnvVar, Workload

CREDENTIALS_FOLDER = "/run/credentials"
GROUP_READABLE = 0o440


def template(
    context: Context,
    component: Component,
    workload: Workload,
    *,
    container: Obj,
    volumes: list[Obj],
    uid: int,
    grace_seconds: int,
    config_hash: str,
    restart_policy: str | None = None,
    marks: Mapping[str, str] | None = None,
) -> Obj:
    """A pod template. The config hash rolls the pods when something that they mount has changed, and only then.

    `marks` are further annotations.
    """
    annotations = workload.pod_annotations | {names.CONFIG_HASH_ANNOTATION: config_hash} | dict(marks or {})
    spec = {
        "serviceAccountName": names.child(context.name, component),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,  # or Kubernetes would set variables such as REDIS_PORT=tcp://...
        "restartPolicy": restart_policy,
        "terminationGracePeriodSeconds": grace_seconds,
        "securityContext": _pod_security(workload, uid),
        "imagePullSecrets": [{"name": name} for name in context.spec.image_pull_secrets],
        "priorityClassName": workload.priority_class_name,
        "nodeSelector": workload.node_selector,
        "tolerations": [toleration.model_dump(by_alias=True, exclude_none=True) for toleration in workload.tolerations],
        "affinity": workload.affinity and workload.affinity.model_dump(by_alias=True, exclude_none=True),
        "topologySpreadConstraints": [
            _spread(context, component, constraint) for constraint in workload.topology_spread_constraints
        ],
        "containers": [container],
        "volumes": volumes,
    }
    labels = workload.pod_labels | names.pod_labels(context.name, component)
    return {"metadata": {"labels": labels, "annotations": annotations}, "spec": compact(spec)}


def container(
    component: Component,
    image: str,
    chosen: Image,
    workload: Workload,
    *,
    mounts: dict[str, str],
    ports: dict[str, int] | None = None,
    **content: Any,
) -> Obj:
    """The one container of a pod; `mounts` says where each volume goes, `ports` only which of its ports are open."""
    read_only = workload.container_security_context.read_only_root_filesystem
    return compact(
        {
            "name": component.value,
            "image": image,
            "imagePullPolicy": chosen.pull_policy or PULL_POLICY,
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True if read_only is None else read_only,
            },
            "resources": compact(workload.resources.model_dump(by_alias=True)),
            "ports": [
                {"name": name, "containerPort": port, "protocol": "TCP"}
                for name, port in (names.PORTS.get(component, {}) if ports is None else ports).items()
            ],
            "volumeMounts": [
                {"name": name, "mountPath": path} | ({"readOnly": True} if path in _READ_ONLY else {})
                for name, path in mounts.items()
            ],
            **content,
        }
    )


_READ_ONLY = frozenset(
    {CREDENTIALS_FOLDER, "/etc/redis", "/etc/kafka-config", "/etc/postgres", "/run/tls", "/run/trust"}
)


def scratch(name: str, size: str = "256Mi", medium: str | None = None) -> Obj:
    """A writable folder that lives as long as the pod."""
    return {"name": name, "emptyDir": compact({"sizeLimit": size, "medium": medium})}


def credential_files(context: Context, *wanted: str) -> Obj:
    """The volume with the credentials that a component uses, one file each, and no others."""
    items = [{"key": key, "path": key} for key in wanted]
    secret = {"secretName": names.credentials(context.name), "defaultMode": GROUP_READABLE, "items": items}
    return {"name": "credentials", "secret": secret}


def program_files(context: Context, *, tokens: bool) -> Obj:
    """The volume with the passwords of our own programs, new ones and old ones, and where they are asked for tokens."""
    own: Obj = {"name": names.program_credentials(context.name)}
    sources = [{"secret": own}]
    if tokens:
        sources.append({"secret": {"name": names.api_tokens(context.name)}})
    if theirs := external.stores(context.memory):
        managed = [key for key in _FILES if _FILES[key] not in theirs]
        managed += [KAFKA_LOGIN] if context.logs_in_at_kafka else []
        own["items"] = [{"key": name, "path": name} for key in managed for name in (key, f"{key}{PREVIOUS}")]
        sources = sources if managed else sources[1:]
        if external.origins(context.memory):
            sources.append({"secret": {"name": names.external_credentials(context.name)}})
    return {"name": "credentials", "projected": {"defaultMode": GROUP_READABLE, "sources": sources}}


_FILES = {
    keys.POSTGRES_PASSWORD: Component.POSTGRES,
    keys.REDIS_PASSWORD: Component.REDIS,
    keys.QDRANT_API_KEY: Component.QDRANT,
}


def credential_env(context: Context, key: str, variable: str) -> Obj:
    """An environment variable with a credential, for programs that read no file."""
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": names.credentials(context.name), "key": key}}}


def env(values: dict[str, str], *more: Obj) -> list[Obj]:
    """Environment variables in the order of their names; those in `more` win."""
    by_name = {name: {"name": name, "value": value} for name, value in values.items()}
    by_name |= {variable["name"]: variable for variable in more}
    return [by_name[name] for name in sorted(by_name)]


def user_env(variables: list[EnvVar]) -> list[Obj]:
    """The environment variables of the spec."""
    return [variable.model_dump(by_alias=True, exclude_none=True) for variable in variables]


def http_get(path: str, port: str, *, tls: bool = False) -> Obj:
    """A probe by HTTP, or by HTTPS; the kubelet takes any certificate."""
    return {"httpGet": {"path": path, "port": port} | ({"scheme": "HTTPS"} if tls else {})}


def tcp(port: str) -> Obj:
    """A probe that only connects."""
    return {"tcpSocket": {"port": port}}


def run(*command: str) -> Obj:
    """A probe or hook that runs a command in the container."""
    return {"exec": {"command": list(command)}}


def probes(*, startup: Obj, readiness: Obj, liveness: Obj, startup_seconds: int, readiness_seconds: int = 5) -> Obj:
    """The three probes. Starting is asked every second so that no time is lost; living is asked seldom.

    `startup_seconds` is how long the start may take: recovery of a large volume must not be mistaken for death.
    """
    return {
        "startupProbe": startup | {"periodSeconds": 1, "timeoutSeconds": 5, "failureThreshold": startup_seconds},
        "readinessProbe": readiness | {"periodSeconds": readiness_seconds, "timeoutSeconds": 5, "failureThreshold": 2},
        "livenessProbe": liveness | {"periodSeconds": 20, "timeoutSeconds": 10, "failureThreshold": 3},
    }


def _pod_security(workload: Workload, uid: int) -> Obj:
    chosen = workload.pod_security_context.model_dump(by_alias=True, exclude_none=True)
    return {
        "runAsNonRoot": True,
        "runAsUser": uid,
        "runAsGroup": uid,
        "fsGroup": uid,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    } | chosen


def _spread(context: Context, component: Component, constraint: TopologySpread) -> Obj:
    own = {"labelSelector": {"matchLabels": names.selector(context.name, component)}}
    return own | constraint.model_dump(by_alias=True, exclude_none=True)
