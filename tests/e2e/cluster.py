"""What the end-to-end tests say to the cluster: apply, look, wait, and call the API."""

import base64
import json
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import yaml

from localcluster.errors import CommandFailedError
from localcluster.tools import Tools

OPERATOR_NAMESPACE = "somamemory-system"
OPERATOR_LABEL = "app.kubernetes.io/name=somamemory-operator"
READY_SECONDS = 240

Object = Mapping[str, Any]
Result = TypeVar("Result")


def eventually(what: str, look: Callable[[], Result | None], seconds: float = 60) -> Result:
    """Return what `look` returns as soon as it is neither None nor False; fail after `seconds` by naming `what`."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.2)


@dataclass(frozen=True)
class Cluster:
    """The cluster that `make up` started."""

    tools: Tools
    audit_log: Path

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """Run kubectl and return what it prints."""
        return self.tools.kubectl(*arguments, text=text)

    def apply(self, *objects: Object) -> None:
        """Apply objects as a person would."""
        self.kubectl("apply", "-f", "-", text=yaml.safe_dump_all(objects))

    def get(self, kind: str, name: str, namespace: str) -> dict[str, Any] | None:
        """Return the object, or None when there is none."""
        text = self.kubectl("get", kind, name, "-n", namespace, "-o", "json", "--ignore-not-found")
        return json.loads(text) if text.strip() else None

    def list(self, kind: str, namespace: str, selector: str = "") -> list[dict[str, Any]]:
        """Return the objects of a kind."""
        items: list[dict[str, Any]] = self.tools.kubectl_json("get", kind, "-n", namespace, "-l", selector)["items"]
        return items

    def wait_ready(self, memory: "Memory", seconds: int = READY_SECONDS) -> float:
        """Wait for condition Ready with kubectl, as a person would; return the seconds that it took."""
        start = time.monotonic()
        where = ("-n", memory.namespace, f"--timeout={seconds}s")
        self.kubectl("wait", "--for=condition=Ready", f"somamemory/{memory.name}", *where)
        return time.monotonic() - start

    def operator_pods(self) -> Sequence[str]:
        """Return the names of the operator's pods."""
        pods = self.list("pods", OPERATOR_NAMESPACE, OPERATOR_LABEL)
        return [pod["metadata"]["name"] for pod in pods]

    def node_address(self) -> str:
        """Return the address under which NodePorts answer."""
        (node, *_) = self.tools.kubectl_json("get", "nodes")["items"]
        return str(next(a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"))


@dataclass(frozen=True)
class Memory:
    """One SomaMemory resource, and the API behind it."""

    cluster: Cluster
    name: str
    namespace: str

    def manifest(self, spec: Object) -> dict[str, Any]:
        """Return the resource with this spec."""
        metadata = {"name": self.name, "namespace": self.namespace}
        return {
            "apiVersion": "somatechlat.github.io/v1alpha1",
            "kind": "SomaMemory",
            "metadata": metadata,
            "spec": dict(spec),
        }

    def apply(self, spec: Object) -> None:
        """Apply the resource with this spec."""
        self.cluster.apply(self.manifest(spec))

    def patch(self, spec: Object) -> None:
        """Change some fields of the spec."""
        body = json.dumps({"spec": spec})
        self.cluster.kubectl("patch", "somamemory", self.name, "-n", self.namespace, "--type=merge", "-p", body)

    def get(self) -> dict[str, Any] | None:
        """Return the live resource."""
        return self.cluster.get("somamemory", self.name, self.namespace)

    def condition(self, kind: str) -> dict[str, Any]:
        """Return one condition, or an empty one."""
        conditions = ((self.get() or {}).get("status") or {}).get("conditions", [])
        return next((c for c in conditions if c["type"] == kind), {})

    def children(self, kind: str) -> list[dict[str, Any]]:
        """Return the objects of a kind that the operator made for this resource: by its own label, or that of pods."""
        labels = ("somatechlat.github.io/somamemory", "app.kubernetes.io/instance")
        found = [obj for label in labels for obj in self.cluster.list(kind, self.namespace, f"{label}={self.name}")]
        return list({(obj["kind"], obj["metadata"]["name"]): obj for obj in found}.values())

    def sql(self, query: str) -> str:
        """Ask this resource's Postgres, inside of its pod."""
        pod = f"{self.name}-postgres-0"
        psql = ("psql", "-h", "/var/run/postgresql", "-U", "soma", "-d", "somamemory", "-tAc", query)
        return self.cluster.kubectl("exec", "-n", self.namespace, pod, "-c", "postgres", "--", *psql).strip()

    def token(self) -> str:
        """Return the API token."""
        secret = self.cluster.get("secret", f"{self.name}-credentials", self.namespace)
        assert secret is not None
        return base64.b64decode(secret["data"]["SOMA_API_TOKEN"]).decode()

    @contextmanager
    def api(self, trust: ssl.SSLContext | None = None) -> Iterator[httpx.Client]:
        """Open a client of the API by its NodePort (the spec must ask for a NodePort Service)."""
        service = self.cluster.get("service", f"{self.name}-api", self.namespace)
        assert service is not None
        port = next(p["nodePort"] for p in service["spec"]["ports"] if p["name"] == "http")
        trust = trust or self.trust()
        url = f"{'https' if trust else 'http'}://{self.cluster.node_address()}:{port}"
        headers = {"Authorization": f"Bearer {self.token()}"}
        with httpx.Client(base_url=url, headers=headers, timeout=15, trust_env=False, verify=trust or True) as client:
            yield client

    def trust(self) -> ssl.SSLContext | None:
        """Return whom a client trusts, None when the API speaks plain text (spec.tls.names must have the node)."""
        found = self.authorities()
        return ssl.create_default_context(cadata=found) if found else None

    def authorities(self) -> str:
        """Return the certificates of the authorities that the programs trust; empty when there are none."""
        found = self.cluster.get("configmap", f"{self.name}-ca", self.namespace)
        return str(found["data"]["ca.crt"]) if found else ""

    @contextmanager
    def forwarded_api(self) -> Iterator[httpx.Client]:
        """Open a client of the API through `kubectl port-forward`, for Services without a NodePort."""
        folder = self.cluster.tools.folder
        program = str(folder / "kubectl") if folder else "kubectl"
        command = [program, f"--kubeconfig={self.cluster.tools.kubeconfig}", "port-forward", "-n", self.namespace]
        with subprocess.Popen(
            [*command, f"service/{self.name}-api", ":9595"], stdout=subprocess.PIPE, text=True
        ) as forward:
            try:
                assert forward.stdout is not None
                port = forward.stdout.readline().split("127.0.0.1:")[1].split()[0]
                headers = {"Authorization": f"Bearer {self.token()}"}
                url = f"http://127.0.0.1:{port}"
                with httpx.Client(base_url=url, headers=headers, timeout=15, trust_env=False) as client:
                    yield client
            finally:
                forward.terminate()


def store(api: httpx.Client, coordinate: str, fact: str) -> None:
    """Store a memory; raises when it is not acknowledged."""
    answer = api.post("/store", json={"coord": coordinate, "payload": {"fact": fact}})
    answer.raise_for_status()
    assert answer.json()["ok"] is True


def recalled(api: httpx.Client, fact: str) -> bool:
    """Tell whether a recall by its words finds the memory."""
    answer = api.post("/recall", json={"query": fact, "top_k": 5})
    answer.raise_for_status()
    return any(match.get("fact") == fact for match in answer.json()["matches"])


def refusal(act: Callable[[], object]) -> str:
    """Return what kubectl says when it refuses `act`."""
    try:
        act()
    except CommandFailedError as error:
        return str(error)
    raise AssertionError("it was accepted")
