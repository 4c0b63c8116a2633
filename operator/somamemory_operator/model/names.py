"""Every name that is derived from a SomaMemory: children, labels, ports. Examples are for one called `demo`."""

import re
from enum import StrEnum
from typing import NamedTuple

GROUP = "somatechlat.github.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "SomaMemory"
PLURAL = "somamemories"
SINGULAR = "somamemory"

FIELD_MANAGER = "somamemory-operator"
"""Our name in managedFields: what we apply is ours, what others wrote stays theirs."""

NAME_LABEL = "app.kubernetes.io/name"
INSTANCE_LABEL = "app.kubernetes.io/instance"
COMPONENT_LABEL = "app.kubernetes.io/component"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
PART_OF_LABEL = "app.kubernetes.io/part-of"
VERSION_LABEL = "app.kubernetes.io/version"
OWN_INSTANCE_LABEL = f"{GROUP}/{SINGULAR}"
"""Which SomaMemory an object belongs to. The common label of that meaning is also by which Argo CD marks what belongs
to an application, so it must not be on anything that outlives its owner."""
OWN_COMPONENT_LABEL = f"{GROUP}/component"
SYNC_OPTIONS_ANNOTATION = "argocd.argoproj.io/sync-options"
SPARED = "Prune=false,Delete=false"
"""What that annotation says on everything that must outlive its SomaMemory, whoever marks it as whose."""
SIZE_ANNOTATION = f"{GROUP}/size"
"""On a volume claim: the size that the spec asked for last. What is larger than that, somebody else has enlarged."""
CONFIG_HASH_ANNOTATION = f"{GROUP}/config-hash"
DATABASE_ANNOTATION = f"{GROUP}/database"
"""On a Job: the identity of the database that it is for, and the dump in it. For another one it has to run again.
Beside RESTORED_ANNOTATION: the identity of the database that the dump was brought back into."""
RESTORED_ANNOTATION = f"{GROUP}/restored"
"""On Postgres' StatefulSet and the Deployments of API and consumer: the dump that was brought back, to the end."""
RESTORING_ANNOTATION = f"{GROUP}/restoring"
"""On the same objects: the database and the dump that it may hold half-way, until the index is equal to it."""

STORE_ANNOTATION = f"{GROUP}/store"
"""On a preflight Job and its pods: the store that it tries."""
EXTERNAL_ANNOTATION = f"{GROUP}/external"
"""On the Secret with what opens them: the stores that somebody else runs, separated by commas."""
REVISION_ANNOTATION = f"{GROUP}/revision"
"""On that Secret: how many times its content has changed; on pods, which of these they have begun with."""

MIGRATED_ANNOTATION = f"{GROUP}/database-release"
"""On the credentials: the release that the database was migrated to, and the identity of that database."""
TEMPLATE_ANNOTATION = f"{GROUP}/pod-template"
"""On the StatefulSet of Postgres: a hash of the pod template that was asked for, and the release that asked for it."""

DATA_VOLUME = "data"
"""The volume of a store's pod that holds its data."""

WATCH_SELECTOR = f"{MANAGED_BY_LABEL}={FIELD_MANAGER}"
"""The label selector under which everything we own is watched."""


class Component(StrEnum):
    """The parts of a SomaMemory; the value is the component label and part of the names."""

    POSTGRES = "postgres"
    REDIS = "redis"
    QDRANT = "qdrant"
    KAFKA = "kafka"
    API = "api"
    CONSUMER = "consumer"
    MIGRATION = "migration"
    CREDENTIALS = "credentials"
    MONITORING = "monitoring"
    BACKUP = "backup"
    RESTORE = "restore"
    REINDEX = "reindex"
    FEATURES = "features"
    ROTATION = "rotation"
    PREFLIGHT = "preflight"


STORES = (Component.POSTGRES, Component.REDIS, Component.QDRANT, Component.KAFKA)
WORKLOADS = (*STORES, Component.API, Component.CONSUMER)

RUNS_ANNOTATION = {store: f"{store.value}.{GROUP}/runs" for store in STORES}
"""On both credentials, which live as long as the data: the image that was chosen for a store."""
OPENED_ANNOTATION = {store: f"{store.value}.{GROUP}/opened-by" for store in STORES}
"""Beside it: the image whose programs have opened the store's data last. Behind, when the chosen one never started."""
ROTATION_ANNOTATION = f"{GROUP}/rotation"
"""On the credentials: how many times passwords of stores were replaced; on a Job, for which of these times it is."""
REQUEST_ANNOTATION = f"{GROUP}/rotated-on-request"
"""On the credentials: the spec.secrets.rotate that was answered last."""
TOKEN_UNTIL_ANNOTATION = f"{GROUP}/previous-token-until"
"""On the credentials: until when the API takes the token before."""
POSTGRES_BIRTH_ANNOTATION = f"{Component.POSTGRES.value}.{GROUP}/config-hash"
"""On the credentials, once Postgres' password was replaced: what the hash on its pods stays, so that they stay, too."""

TLS_ANNOTATION = f"{GROUP}/tls"
"""Beside it: where the certificates in force come from. Absent on what speaks plain text."""
TRUST_ANNOTATION = f"{GROUP}/trust"
"""On the ConfigMap with the authorities: how many times one has come; on pods, which of these they have begun with."""
COMING_ANNOTATION = f"{GROUP}/coming"
"""On that ConfigMap: the authorities that not every program trusts yet."""
RETIRING_ANNOTATION = f"{GROUP}/retiring-since"
"""On that ConfigMap: since when authorities are in it that nobody needs any more."""

FINALIZED_ANNOTATION = f"{Component.KAFKA.value}.{GROUP}/finalized"
"""Beside them: the image of Kafka whose features are finalised; on a Job, the one whose features it finalises."""

PORTS: dict[Component, dict[str, int]] = {
    Component.POSTGRES: {"postgres": 5432},
    Component.REDIS: {"redis": 6379},
    Component.QDRANT: {"http": 6333, "grpc": 6334},
    Component.KAFKA: {"kafka": 9092},
    Component.API: {"http": 9595, "grpc": 50053},
    Component.CONSUMER: {"http-metrics": 8001},
}
KAFKA_CONTROLLER_PORT = 9093

HASH_LENGTH = 10
LONGEST_NAME = 63 - len("-postgres-") - HASH_LENGTH
"""How long the name of a SomaMemory may be. The longest value made of it is a label: the StatefulSet controller marks
pods with `controller-revision-hash: demo-postgres-5c9f8d7b6d`, and a label value ends at 63 characters.
A CronJob's name ends at 52, so that `demo-backup` fits."""


def child(name: str, component: Component) -> str:
    """`demo-postgres`: workload, client Service, ServiceAccount and whatever else a component has once."""
    return f"{name}-{component.value}"


def headless(name: str, component: Component) -> str:
    """`demo-postgres-headless`: the Service that gives the pods of a store their own names."""
    return f"{child(name, component)}-headless"


def pod(name: str, component: Component, ordinal: int = 0) -> str:
    """`demo-postgres-0`: a pod of a store."""
    return f"{child(name, component)}-{ordinal}"


def claim(name: str, component: Component, ordinal: int = 0) -> str:
    """`data-demo-postgres-0`: the volume claim of a store's pod."""
    return f"data-{pod(name, component, ordinal)}"


def config(name: str, component: Component) -> str:
    """`demo-redis-config`: the rendered configuration of a store."""
    return f"{child(name, component)}-config"


def credentials(name: str) -> str:
    """`demo-credentials`: the Secret that people read the API token from."""
    return f"{name}-credentials"


def credentials_copy(name: str) -> str:
    """`demo-credentials-copy`: what the first is repaired from."""
    return f"{name}-credentials-copy"


def program_credentials(name: str) -> str:
    """`demo-program-credentials`: the passwords that API, consumer and Jobs hold, old ones beside new ones."""
    return f"{name}-program-credentials"


def api_tokens(name: str) -> str:
    """`demo-api-tokens`: the tokens that the API takes."""
    return f"{name}-api-tokens"


def external_credentials(name: str) -> str:
    """`demo-external`: what opens the stores that somebody else runs, and whom to trust there."""
    return f"{name}-external"


def external_secrets(name: str) -> str:
    """`demo-external-secrets`: the ExternalSecret, and the Secret that is made of it unless the spec names another."""
    return f"{name}-external-secrets"


def ingress_tls(name: str) -> str:
    """`demo-api-tls`: the Secret with the certificate of the Ingress, unless the spec names another."""
    return f"{child(name, Component.API)}-tls"


def certificate(name: str, component: Component) -> str:
    """`demo-postgres-certificate`: the Secret with a part's certificate in force, and its key."""
    return f"{child(name, component)}-certificate"


def issued(name: str, component: Component) -> str:
    """`demo-postgres-issued`: the Certificate of cert-manager, and the Secret that it makes of it."""
    return f"{child(name, component)}-issued"


def authority(name: str) -> str:
    """`demo-authority`: the Secret with the key by which the operator signs. No pod mounts it."""
    return f"{name}-authority"


def trust(name: str) -> str:
    """`demo-ca`: the ConfigMap with the authorities that clients trust."""
    return f"{name}-ca"


def migration(name: str, digest: str) -> str:
    """`demo-migrate-0123456789`: the Job that brings the database to one version."""
    return f"{name}-migrate-{digest}"


def preflight(name: str, digest: str) -> str:
    """`demo-preflight-01234567`: the Job that tries one store; a Job's name is a label of its pods, and ends at 63."""
    return f"{child(name, Component.PREFLIGHT)}-{digest[:8]}"


def egress(name: str) -> str:
    """`demo-egress`: the policy about what our programs may reach."""
    return f"{name}-egress"


def check(name: str) -> str:
    """`demo-check`: the CronJob that tries external stores again; such a name ends at 52."""
    return f"{name}-check"


def host(name: str, component: Component, namespace: str) -> str:
    """`demo-api.default.svc`: where a client Service answers inside the cluster."""
    return f"{child(name, component)}.{namespace}.svc"


class ClaimName(NamedTuple):
    """What the name of a volume claim says about it."""

    memory: str
    component: Component


def claim_name(text: str) -> ClaimName | None:
    """`data-demo-postgres-0` and `demo-backup` are of Postgres and of the backup of `demo`; None for other names."""
    of_store = re.fullmatch(rf"data-(.+)-({'|'.join(STORES)})-\d+", text)
    if of_store:
        return ClaimName(of_store[1], Component(of_store[2]))
    of_backup = re.fullmatch(rf"(.+)-{Component.BACKUP}", text)
    return ClaimName(of_backup[1], Component.BACKUP) if of_backup else None


def selector(name: str, component: Component) -> dict[str, str]:
    """The labels that select a component's pods. They never change: selectors of workloads are immutable."""
    return {NAME_LABEL: "somamemory", INSTANCE_LABEL: name, COMPONENT_LABEL: component.value}


def pod_labels(name: str, component: Component) -> dict[str, str]:
    """The labels on every pod. They never change either, or every pod would be replaced."""
    return selector(name, component) | {MANAGED_BY_LABEL: FIELD_MANAGER, PART_OF_LABEL: "somamemory"}


def labels(name: str, component: Component) -> dict[str, str]:
    """The labels on every child that goes with its SomaMemory."""
    return pod_labels(name, component) | _own(name, component)


def lasting_labels(name: str, component: Component) -> dict[str, str]:
    """The labels on what may outlive its SomaMemory: none of them makes it another tool's."""
    common = {key: value for key, value in pod_labels(name, component).items() if key != INSTANCE_LABEL}
    return common | _own(name, component)


def selector_string(name: str, component: Component) -> str:
    """The selector as kubectl and the scale subresource write it."""
    return ",".join(f"{key}={value}" for key, value in sorted(selector(name, component).items()))


def _own(name: str, component: Component) -> dict[str, str]:
    return {OWN_INSTANCE_LABEL: name, OWN_COMPONENT_LABEL: component.value}
