"""The schema of `.status` and the columns of `kubectl get`: written by hand, because `status` makes plain objects."""

from typing import Any

from somamemory_operator.model.names import STORES, Component

Schema = dict[str, Any]


def _text(description: str, length: int = 1024, **more: Any) -> Schema:
    return {"type": "string", "description": description, "maxLength": length, **more}


def _number(description: str, **more: Any) -> Schema:
    return {"type": "integer", "description": description, **more}


def _list(description: str, item: Schema, *keys: str, most: int = 16) -> Schema:
    by_key: Schema = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)} if keys else {}
    return {"type": "array", "description": description, "maxItems": most, "items": item, **by_key}


def _object(description: str, properties: Schema, *required: str) -> Schema:
    made: Schema = {"type": "object", "description": description, "properties": properties}
    return made | {"required": list(required)} if required else made


_CONDITION = _object(
    "One aspect of how it stands.",
    {
        "type": _text("Aspect, such as Ready.", 316),
        "status": _text("True, False or Unknown.", 7, enum=["True", "False", "Unknown"]),
        "reason": _text("Why, as one word; docs/conditions.md explains each.", 1024, minLength=1),
        "message": _text("Why, and what to do, as a sentence.", 32768),
        "lastTransitionTime": _text("When status changed last.", 64, format="date-time"),
        "observedGeneration": _number("Generation of the spec that this is about.", format="int64", minimum=0),
    },
    "type",
    "status",
    "reason",
    "message",
    "lastTransitionTime",
)

_COMPONENT = _object(
    "How one component stands.",
    {
        "name": _text("Name of the component.", 63),
        "mode": _text("managed, external or disabled.", 16),
        "ready": _text("Ready pods of wanted pods, such as 1/1.", 16),
        "image": _text("Image that its pods are to run.", 512),
        "reason": _text("Reason of its condition.", 1024),
        "volumes": _list("Names of its volume claims.", _text("Name of a claim.", 253)),
        "capacity": _text("Size of its volume, as the storage tells.", 32),
    },
    "name",
)

_CHANGE = _object(
    "Another image of a store that is not taken yet.",
    {
        "component": _text("Name of the store.", 63),
        "from": _text("Image that it runs.", 512),
        "to": _text("Image that it is to run.", 512),
        "release": _text("What spec.upgrade.agreedTo has to say to take it; absent when nobody needs to agree.", 128),
        "supported": {"type": "boolean", "description": "Whether its data survives this step; it is not taken if not."},
        "message": _text("What it waits for, and what to do.", 2048),
    },
    "component",
    "from",
    "to",
    "supported",
    "message",
)

_ENDPOINTS = _object(
    "Where it answers.",
    {
        "api": _text("Address of the HTTP API."),
        "apiGrpc": _text("Address of the API over gRPC, if it answers there."),
        "apiNodePort": _number("Port of the HTTP API on every node, if it has one.", format="int32"),
        "apiIngress": _text("Address of the HTTP API from outside of the cluster, if it has an Ingress."),
        "consumerMetrics": _text("Address of the consumer's metrics."),
        "credentialsSecret": _text("Secret whose key SOMA_API_TOKEN opens the API.", 253),
    },
)

_BACKUP = _object(
    "How it stands with the dumps of Postgres.",
    {
        "newest": _text("When the newest dump was made.", 64, format="date-time"),
        "overdueAt": _text(
            "When BackupReady becomes False, unless another dump has been made.", 64, format="date-time"
        ),
    },
)

_SECRETS = _object(
    "How it stands with passwords and tokens.",
    {
        "source": _text("Where they come from.", 32),
        "rotating": _list("Keys of NAME-credentials that are being replaced.", _text("Name of a key.", 64)),
        "external": _list("Your Secrets of stores that you run.", _text("Name of a Secret.", 253)),
        "previousTokenUntil": _text("Until when the API takes the token before.", 64, format="date-time"),
    },
)

_TLS = _object(
    "How it stands with certificates; absent in plain text.",
    {
        "source": _text("Where they come from.", 32),
        "renewsAt": _text("When the next one is to be renewed.", 64, format="date-time"),
        "endsAt": _text("When the first of them ends.", 64, format="date-time"),
        "authorityEndsAt": _text("When the operator's own authority ends.", 64, format="date-time"),
        "authorities": _text("ConfigMap whose key ca.crt says whom clients trust.", 253),
    },
)

STATUS: Schema = _object(
    "How it stands, as the operator sees it.",
    {
        "observedGeneration": _number(
            "Generation of the spec that this status is about.", format="int64", minimum=-1, default=-1
        ),
        "phase": _text(
            "Summary for people: Progressing, Ready, Degraded, Failed, Paused or Hibernated. Programs read conditions.",
            32,
        ),
        "conditions": _list("How it stands, aspect by aspect.", _CONDITION, "type", most=32),
        "components": _list("How each component stands.", _COMPONENT, "name"),
        "componentsReady": _text("Ready components of enabled ones, such as 5/6.", 16),
        "pendingChanges": _list("Changes of the stores that wait.", _CHANGE),
        "endpoints": _ENDPOINTS,
        "backup": _BACKUP,
        "secrets": _SECRETS,
        "tls": _TLS,
        "version": _text("Release of API and consumer that runs.", 128),
        "replicas": _number("Pods of the API, for the scale subresource.", format="int32"),
        "selector": _text("Labels of the API's pods, for the scale subresource."),
    },
) | {"default": {"observedGeneration": -1}}  # so that a new object never looks as if it had been dealt with


def _column(name: str, path: str, description: str, kind: str = "string", priority: int = 0) -> Schema:
    made: Schema = {"name": name, "type": kind, "jsonPath": path, "description": description}
    return made | {"priority": priority} if priority else made


def _condition(name: str) -> str:
    return f'.status.conditions[?(@.type=="{name}")]'


COLUMNS = [
    _column("Ready", f"{_condition('Ready')}.status", "Whether everything runs as wanted."),
    _column("Status", ".status.phase", "Summary for people."),
    _column("Components", ".status.componentsReady", "Ready components of enabled ones."),
    _column("Version", ".status.version", "Release of API and consumer."),
    _column("Age", ".metadata.creationTimestamp", "Time since it was made.", "date"),
    *(
        _column(
            part.value.capitalize().replace("Api", "API"),
            f"{_condition(part.value.capitalize() + 'Ready')}.reason",
            "How it stands.",
            priority=1,
        )
        for part in (Component.API, *STORES)
    ),
    _column(
        "UpToDate", f"{_condition('UpToDate')}.status", "Whether the stores run what the operator brings.", priority=1
    ),
    _column("Durable", f"{_condition('Durable')}.status", "Whether memories are on a volume.", priority=1),
    _column("Message", f"{_condition('Ready')}.message", "Why, and what to do.", priority=1),
]
