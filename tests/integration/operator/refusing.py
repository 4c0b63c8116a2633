"""What makes a real API server refuse: rights that are missing, webhooks that are away, policies that say no."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from localcluster.apiserver import ApiServer
from somamemory_operator.model import names
from somamemory_operator.model.kinds import PLACES
from somamemory_operator.model.observed import OBSERVED_KINDS, Obj
from tests.integration.operator.world import Api, eventually

_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_POD: Obj = {"restartPolicy": "Never", "containers": [{"name": "try", "image": "try"}]}
_SMALLEST: dict[str, Obj] = {
    "NetworkPolicy": {"spec": {"podSelector": {}}},
    "Ingress": {"spec": {"defaultBackend": {"service": {"name": "try", "port": {"number": 80}}}}},
    "CronJob": {"spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": {"spec": _POD}}}}},
    "Service": {"spec": {"ports": [{"port": 80}]}},
}
_ALL = ("get", "list", "watch", "create", "patch", "delete")


class Account:
    """The operator's account in a cluster, with all of its rights but those that a test takes away."""

    def __init__(self, api: Api, server: ApiServer, folder: Path, name: str) -> None:
        self._api, self._name = api, name
        api.call("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": name}})
        api.call("POST", f"{_RBAC}/clusterroles", self._role({}))
        api.call("POST", f"{_RBAC}/clusterrolebindings", self._binding())
        token = api.call("POST", f"/api/v1/namespaces/default/serviceaccounts/{name}/token", {"spec": {}})
        self.kubeconfig = folder / f"{name}.kubeconfig"
        self.kubeconfig.write_text(json.dumps(_kubeconfig(server, token["status"]["token"])))

    def lacks(self, without: Mapping[str, tuple[str, ...]]) -> None:
        """Take verbs on kinds away, and give back all others; `SomaMemory/status` is a kind of its own."""
        self._api.call("PUT", f"{_RBAC}/clusterroles/{self._name}", self._role(without))

    def _role(self, without: Mapping[str, tuple[str, ...]]) -> Obj:
        kinds = [*OBSERVED_KINDS, names.KIND, f"{names.KIND}/status", "Event", "StorageClass", "Lease"]
        rules = [
            _rule(kind, [verb for verb in (*_ALL, "update") if verb not in without.get(kind, ())]) for kind in kinds
        ]
        return {"metadata": {"name": self._name}, "rules": [*rules, _rule(f"{names.KIND}/finalizers", ["update"])]}

    def _binding(self) -> Obj:
        subject = {"kind": "ServiceAccount", "name": self._name, "namespace": "default"}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": self._name}
        return {"metadata": {"name": self._name}, "roleRef": role, "subjects": [subject]}


@contextmanager
def unreachable_webhook(api: Api, namespace: str, kind: str) -> Iterator[None]:
    """Have every write of a kind ask a webhook that nobody answers for: the API server says 500."""
    name = f"{namespace}-{PLACES[kind].plural}"
    webhook = {
        "name": f"{name}.example.org",
        "clientConfig": {"url": "https://127.0.0.1:1/validate"},
        "rules": [_matching(kind)],
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 2,
        "namespaceSelector": _only(namespace),
    }
    path = f"{_ADMISSION}/validatingwebhookconfigurations"
    api.call("POST", path, {"metadata": {"name": name}, "webhooks": [webhook]})
    try:
        eventually("the webhook is asked", lambda: _is_refused(api, namespace, kind))
        yield
    finally:
        api.call("DELETE", f"{path}/{name}")


@contextmanager
def forbidding_policy(api: Api, namespace: str, kind: str, said: str, unless: str = "false") -> Iterator[None]:
    """Have every write of a kind denied with these words."""
    name = f"{namespace}-{PLACES[kind].plural}"
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [_matching(kind)], "namespaceSelector": _only(namespace)},
        "validations": [{"expression": unless, "message": said}],
    }
    policies, bindings = f"{_ADMISSION}/validatingadmissionpolicies", f"{_ADMISSION}/validatingadmissionpolicybindings"
    api.call("POST", policies, {"metadata": {"name": name}, "spec": spec})
    binding = {"policyName": name, "validationActions": ["Deny"]}
    api.call("POST", bindings, {"metadata": {"name": name}, "spec": binding})
    try:
        eventually("the policy denies", lambda: _is_refused(api, namespace, kind))
        yield
    finally:
        api.call("DELETE", f"{bindings}/{name}")
        api.call("DELETE", f"{policies}/{name}")


def _is_refused(api: Api, namespace: str, kind: str) -> bool:
    """Whether even an object that fits the schema is refused, without making one."""
    body = _SMALLEST.get(kind, {}) | {"apiVersion": PLACES[kind].api_version, "kind": kind, "metadata": {"name": "try"}}
    try:
        api.call("POST", f"{PLACES[kind].path(namespace)}?dryRun=All", body)
    except httpx.HTTPStatusError:
        return True
    return False


def _rule(kind: str, verbs: list[str]) -> Obj:
    kind, _, subresource = kind.partition("/")
    group, slash, _ = PLACES[kind].api_version.rpartition("/")
    resource = "/".join(part for part in (PLACES[kind].plural, subresource) if part)
    return {"apiGroups": [group if slash else ""], "resources": [resource], "verbs": verbs or ["none"]}


def _matching(kind: str) -> Obj:
    group, slash, version = PLACES[kind].api_version.rpartition("/")
    groups, resources = [group if slash else ""], [PLACES[kind].plural]
    return {"apiGroups": groups, "apiVersions": [version], "operations": ["CREATE", "UPDATE"], "resources": resources}


def _only(namespace: str) -> Obj:
    return {"matchLabels": {"kubernetes.io/metadata.name": namespace}}


def _kubeconfig(server: ApiServer, token: str) -> Obj:
    authority = base64.b64encode((server.folder / "ca.crt").read_bytes()).decode()
    cluster = {"server": server.url, "certificate-authority-data": authority}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "operator", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "operator"}}],
    }
