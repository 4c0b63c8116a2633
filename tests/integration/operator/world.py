"""What the tests do to a cluster: read and write objects, play the kubelet, run the operator as its image does."""

import base64
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from localcluster.apiserver import ApiServer, free_ports
from somamemory_operator.model import names
from somamemory_operator.model.kinds import PLACES
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import OPTIONAL_KINDS, Obj
from tests.integration.optionalkinds import definition

ROOT = Path(__file__).parents[3]
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_ENDING = (
    Component.MIGRATION,
    Component.RESTORE,
    Component.REINDEX,
    Component.FEATURES,
    Component.ROTATION,
    Component.PREFLIGHT,
)
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
        time.sleep(0.05)


class RestartableApiServer(ApiServer):
    """An API server that can be away for a while; etcd keeps the data, the controllers come back by themselves."""

    def _start_apiserver(self, etcd: str, port: int) -> None:
        self._arguments = (etcd, port)
        super()._start_apiserver(etcd, port)

    def crash(self) -> None:
        """Kill the API server."""
        process = self._processes.pop("kube-apiserver")
        process.kill()
        process.wait(10)

    def recover(self) -> None:
        """Start it again, on the same port, and return when it is ready."""
        super()._start_apiserver(*self._arguments)
        self._wait()

    @contextmanager
    def frozen_controllers(self) -> Iterator[None]:
        """Nobody makes pods or looks at a changed spec meanwhile: a moment that lasts."""
        controllers = self._processes["kube-controller-manager"]
        controllers.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            controllers.send_signal(signal.SIGCONT)


class Api:
    """The API server as an administrator sees it: plain objects in and out, blocking."""

    def __init__(self, server: ApiServer) -> None:
        context = ssl.create_default_context(cafile=str(server.folder / "ca.crt"))
        context.load_cert_chain(*_client_files(server))
        self._http = httpx.Client(base_url=server.url, verify=context, timeout=20, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, kind: str, name: str, namespace: str) -> Obj | None:
        """Return the object, None when there is none."""
        response = self._http.get(PLACES[kind].path(namespace, name))
        return None if response.status_code == 404 else _checked(response)

    def list(self, kind: str, namespace: str | None = None, selector: str = "") -> list[Obj]:
        """Return every object of a kind."""
        response = self._http.get(PLACES[kind].path(namespace), params={"labelSelector": selector})
        items: list[Obj] = _checked(response)["items"]
        return [item | {"kind": kind} for item in items]

    def create(self, obj: Obj) -> Obj:
        """Create an object."""
        path = PLACES[obj["kind"]].path(obj["metadata"].get("namespace"))
        return _checked(self._http.post(path, json={"apiVersion": PLACES[obj["kind"]].api_version, **obj}))

    def refusal(self, obj: Obj) -> str:
        """Try to create an object that must be refused; returns why it is."""
        try:
            self.create(obj)
        except httpx.HTTPStatusError as error:
            return str(error)
        raise AssertionError(f"accepted: {obj}")

    def merge(self, kind: str, name: str, namespace: str, patch: Obj, subresource: str | None = None) -> Obj:
        """Change some fields."""
        path = PLACES[kind].path(namespace, name, subresource)
        content = {"Content-Type": "application/merge-patch+json"}
        return _checked(self._http.patch(path, content=json.dumps(patch), headers=content))

    def merge_if_there(self, kind: str, name: str, namespace: str, patch: Obj) -> None:
        """Change some fields of an object that may be gone."""
        with suppress(httpx.HTTPStatusError):
            self.merge(kind, name, namespace, patch)

    def apply(self, obj: Obj, manager: str = names.FIELD_MANAGER) -> Obj:
        """Apply an object on the server's side, forced, as this field manager."""
        place, metadata = PLACES[obj["kind"]], obj["metadata"]
        return _checked(
            self._http.patch(
                place.path(metadata["namespace"], metadata["name"]),
                params={"fieldManager": manager, "force": "true"},
                content=json.dumps({"apiVersion": place.api_version, **obj}),
                headers={"Content-Type": "application/apply-patch+yaml"},
            )
        )

    def edit(self, obj: Obj, operations: Sequence[Obj], manager: str) -> None:
        """Change an object by a JSON patch, as somebody of that name in managedFields."""
        path = PLACES[obj["kind"]].path(obj["metadata"]["namespace"], obj["metadata"]["name"])
        content = {"Content-Type": "application/json-patch+json"}
        text = json.dumps(operations)
        _checked(self._http.patch(path, content=text, headers=content, params={"fieldManager": manager}))

    def delete(self, kind: str, name: str, namespace: str | None = None) -> None:
        """Delete an object; its dependents follow."""
        path = PLACES[kind].path(namespace, name)
        _checked(self._http.request("DELETE", path, json={"propagationPolicy": "Background"}))

    def call(self, verb: str, path: str, body: Obj | None = None) -> Obj:
        """Ask for anything else."""
        return _checked(self._http.request(verb, path, json=body))

    def make_namespace(self, name: str) -> None:
        """Make a namespace that enforces Pod Security."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        _checked(self._http.post("/api/v1/namespaces", json=body))

    def remove_namespace(self, name: str) -> None:
        """Delete a namespace with all that is in it, and return when it is gone."""
        _checked(self._http.delete(f"/api/v1/namespaces/{name}"))

        def gone() -> bool:
            with suppress(httpx.HTTPStatusError):  # nobody plays the controller that protects claims in use
                for claim in self.list("PersistentVolumeClaim", name):
                    self.merge_if_there(
                        claim["kind"], claim["metadata"]["name"], name, {"metadata": {"finalizers": None}}
                    )
            return self._http.get(f"/api/v1/namespaces/{name}").status_code == 404

        eventually(f"namespace {name} is gone", gone, 120)

    def crd_is_served(self) -> bool:
        """Whether SomaMemories can be listed."""
        return self._http.get(PLACES[names.KIND].path()).status_code == 200

    def bring_kind(self, kind: str) -> None:
        """Have the API server serve an optional kind, whatever its objects hold."""
        _checked(self._http.post(_DEFINITIONS, json=definition(kind)))
        eventually(f"{kind} is served", lambda: self._http.get(PLACES[kind].path()).status_code == 200)

    def take_kind_away(self, kind: str) -> None:
        """Have the API server forget an optional kind, and every object of it."""
        path = f"{_DEFINITIONS}/{definition(kind)['metadata']['name']}"
        _checked(self._http.delete(path))
        eventually(f"{kind} is gone", lambda: self._http.get(path).status_code == 404)

    def make_memory(self, namespace: str, name: str = "demo", spec: Obj | None = None) -> Obj:
        """Create a SomaMemory."""
        return self.create({"kind": names.KIND, "metadata": {"name": name, "namespace": namespace}, "spec": spec or {}})

    def condition(self, namespace: str, name: str = "demo", kind: str = "Ready") -> Obj:
        """Return a condition of a SomaMemory, empty as long as it has none or an old one."""
        memory = self.get(names.KIND, name, namespace) or {"metadata": {}}
        generation = memory["metadata"].get("generation")
        found = [c for c in (memory.get("status") or {}).get("conditions") or () if c["type"] == kind]
        return next((c for c in found if c["observedGeneration"] == generation), {})

    def wait_ready(self, namespace: str, name: str = "demo", seconds: float = 120) -> None:
        """Wait until the SomaMemory is Ready in its newest generation."""
        last: list[Obj] = [{}]

        def ready() -> bool:
            last[0] = self.condition(namespace, name)
            return last[0].get("status") == "True"

        try:
            eventually(f"{namespace}/{name} is Ready", ready, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it says {last[0]}") from error


class Kubelet(threading.Thread):
    """Plays the kubelet: pods run and are ready at once, those of Jobs succeed. `hold` keeps components from it."""

    def __init__(self, api: Api) -> None:
        super().__init__(name="kubelet", daemon=True)
        self._api, self._stop_asked, self.hold = api, threading.Event(), set[str]()

    def run(self) -> None:
        while not self._stop_asked.wait(0.1):
            with suppress(httpx.HTTPError):  # the API server may be away, or the pod gone
                for pod in self._api.list("Pod"):
                    self._serve(pod)

    def stop(self) -> None:
        """End the thread."""
        self._stop_asked.set()
        self.join(10)

    def _serve(self, pod: Obj) -> None:
        metadata = pod["metadata"]
        component = metadata["labels"].get(names.COMPONENT_LABEL)
        if pod["status"].get("phase") != "Pending" or component in self.hold or "deletionTimestamp" in metadata:
            return
        status = _succeeded(pod) if component in _ENDING else _running(pod)
        with suppress(httpx.HTTPStatusError):
            self._api.merge("Pod", metadata["name"], metadata["namespace"], {"status": status}, "status")


class Operator:
    """The operator as a process of its own, with the settings of `environment`."""

    def __init__(self, server: ApiServer, folder: Path, **environment: str) -> None:
        (self.port,) = free_ports(1)
        self.identity = environment.get("SOMAMEMORY_IDENTITY", f"operator-{self.port}")
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("SOMAMEMORY_")},
            "KUBECONFIG": str(server.kubeconfig),
            "PYTHONPATH": str(ROOT / "operator"),
            "SOMAMEMORY_METRICS_PORT": str(self.port),
            "SOMAMEMORY_LEASE_NAMESPACE": "default",
            "SOMAMEMORY_IDENTITY": self.identity,
            **environment,
        }
        self.log = folder / f"{self.identity}-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Operator":
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it and return when it says that it is ready."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "somamemory_operator", "run"]
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=subprocess.STDOUT)
        eventually(
            f"the operator is ready, see {self.log}", lambda: self.answers("/readyz") == 200 or self._ended(), 30
        )
        assert not self._ended(), f"the operator has ended:\n{self.log.read_text()[-2000:]}"

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def stop(self) -> tuple[int, float]:
        """Stop it as the kubelet does; returns its exit code and the seconds that it took."""
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        return self.wait(20), time.monotonic() - began

    def kill(self) -> None:
        """End it with SIGKILL, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def signal(self, number: int) -> None:
        """Send a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, seconds: float) -> int:
        """Wait until it ends and return its exit code."""
        assert self._process is not None
        return self._process.wait(seconds)

    def answers(self, path: str) -> int:
        """Return the HTTP status of one of its pages, 0 when nobody answers."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=5, trust_env=False).status_code
        except httpx.HTTPError:
            return 0

    def count(self, metric: str, **labels: str) -> float:
        """Return the sum of a metric over all samples with these labels."""
        return sum(value for found, value in self.samples(metric) if labels.items() <= found.items())

    def samples(self, metric: str) -> list[tuple[Mapping[str, str], float]]:
        """Return the samples of a metric."""
        text = httpx.get(f"http://127.0.0.1:{self.port}/metrics", timeout=5, trust_env=False).text
        families = text_string_to_metric_families(text)
        return [(s.labels, s.value) for family in families for s in family.samples if s.name == metric]

    def writes(self) -> float:
        """Return how many writes it has asked of the API server, those of its Lease aside."""
        calls = self.samples("somamemory_operator_api_calls_total")
        return sum(n for labels, n in calls if labels["verb"] not in ("GET", "WATCH") and labels["kind"] != "Lease")


def restful(obj: Obj) -> Obj:
    """The object without what its controllers write: for comparisons before and after."""
    return {key: value for key, value in obj.items() if key not in ("status", "metadata")}


def versions(api: Api, namespace: str) -> dict[tuple[str, str], str]:
    """Return the resourceVersion of everything of ours in a namespace."""
    kinds = [kind for kind in PLACES if kind not in ("StorageClass", "Lease", "Event", *OPTIONAL_KINDS)]
    found = [(kind, obj["metadata"]) for kind in kinds for obj in api.list(kind, namespace)]
    return {(kind, metadata["name"]): metadata["resourceVersion"] for kind, metadata in found}


def owned(api: Api, namespace: str) -> list[Obj]:
    """Return every object that has a SomaMemory as its owner."""
    kinds = [kind for kind in PLACES if kind not in ("StorageClass", "Lease", "Event", names.KIND, *OPTIONAL_KINDS)]
    objects = [obj for kind in kinds for obj in api.list(kind, namespace)]
    return [
        obj for obj in objects if any(o["kind"] == names.KIND for o in obj["metadata"].get("ownerReferences") or ())
    ]


def _running(pod: Obj) -> Obj:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    types = ("PodScheduled", "Initialized", "ContainersReady", "Ready")
    containers = pod["spec"]["containers"]
    return {
        "phase": "Running",
        "startTime": now,
        "conditions": [{"type": kind, "status": "True", "lastTransitionTime": now} for kind in types],
        "containerStatuses": [_container(c, {"running": {"startedAt": now}}, ready=True) for c in containers],
    }


def _succeeded(pod: Obj) -> Obj:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    state = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}}
    statuses = [_container(c, state, ready=False) for c in pod["spec"]["containers"]]
    return {"phase": "Succeeded", "startTime": now, "containerStatuses": statuses}


def _container(container: Obj, state: Obj, *, ready: bool) -> Obj:
    image = container["image"]
    return {
        "name": container["name"],
        "image": image,
        "imageID": image,
        "ready": ready,
        "started": ready,
        "restartCount": 0,
        "state": state,
    }


def _client_files(server: ApiServer) -> tuple[str, str]:
    """Write the administrator's certificate and key, which stand inside of the kubeconfig, to files."""

    user = yaml.safe_load(server.kubeconfig.read_text())["users"][0]["user"]
    files = server.folder / "client.crt", server.folder / "client.key"
    for file, key in zip(files, ("client-certificate-data", "client-key-data"), strict=True):
        file.write_bytes(base64.b64decode(user[key]))
    return str(files[0]), str(files[1])


def _checked(response: httpx.Response) -> Obj:
    if response.is_error:
        raise httpx.HTTPStatusError(response.text, request=response.request, response=response)
    found: dict[str, Any] = response.json()
    return found
