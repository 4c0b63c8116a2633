"""From an empty cluster to a remembered memory: images, operator, the example resource, one store and one recall.

Every step may be repeated: image tags are content hashes, so a second run finds everything in place and restarts
nothing.
"""

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import httpx

from localcluster.errors import CommandFailedError, StartFailedError
from localcluster.layout import NODE_PORT
from localcluster.tools import Tools
from localimages.build import Built

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "soma-memory"
NAME = "soma"
OPERATOR_NAMESPACE = "somamemory-system"
PARTS = {"qdrant-edge": "qdrant"}
"""Images whose name differs from the part that they play."""
READY_TIMEOUT_SECONDS = 300
RECALLED = "Stored and recalled:"
"""How the line begins that says that it works."""
API_LOGS = f"kubectl logs -n {NAMESPACE} -l app.kubernetes.io/component=api"

Say = Callable[[str], None]


class Target(Protocol):
    """The part of a cluster that a deployment needs."""

    def load(self, archives: Mapping[str, Path], say: Say) -> None:
        """Bring images (reference -> archive) onto the nodes; those that are there already cost nothing."""

    def node_port_url(self, port: int) -> str:
        """The URL under which a NodePort answers from this host."""


@dataclass(frozen=True)
class Images:
    """Full image references, and the archives of those that the cluster cannot pull."""

    operator: str
    parts: Mapping[str, str]
    archives: Mapping[str, Path]

    @classmethod
    def of(cls, built: Mapping[str, Built]) -> Self:
        """To be made from what was built; a store that was not built keeps the chart's official image."""
        parts = {PARTS.get(name, name): image.reference for name, image in built.items() if name != "operator"}
        archives = {image.reference: image.archive for image in built.values()}
        return cls(built["operator"].reference, parts, archives)


def deploy(cluster: Target, tools: Tools, images: Images, say: Say) -> None:
    """Bring the example SomaMemory to Ready, and show that it remembers.

    Raises `LocalClusterError` with what to look at when a step does not finish within its deadline.
    """
    say("Loading the images")
    cluster.load(images.archives, say)
    say("Installing the operator with Helm")
    install_operator(tools, images)
    say(f"Applying {NAMESPACE}/{NAME}")
    tools.kubectl("apply", "-f", str(ROOT / "kind/examples/namespace.yaml"))
    tools.kubectl("apply", "-f", str(ROOT / "kind/examples/somamemory.yaml"))
    wait_until_ready(tools, say)
    remember(cluster.node_port_url(NODE_PORT), token(tools), say)
    report(cluster, tools)


def install_operator(tools: Tools, images: Images) -> None:
    """Install or upgrade the operator's chart with exactly these images."""
    # A Helm that was killed leaves a record that blocks every later one; the objects themselves are adopted.
    unfinished = "owner=helm,name=somamemory-operator,status in (pending-install,pending-upgrade,pending-rollback)"
    tools.kubectl("delete", "secret", "-n", OPERATOR_NAMESPACE, "-l", unfinished, "--ignore-not-found")
    references = [f"images.{part}={reference}" for part, reference in images.parts.items()]
    settings = [f"image={images.operator}", *references]
    tools.helm(
        *("upgrade", "--install", "somamemory-operator", str(ROOT / "charts/somamemory-operator")),
        *("--namespace", OPERATOR_NAMESPACE, "--create-namespace", "--wait", "--timeout", "180s"),
        *(argument for setting in settings for argument in ("--set-string", setting)),
    )


def wait_until_ready(tools: Tools, say: Say) -> None:
    """Wait for condition Ready at the current generation, telling each change of what is still missing."""
    deadline = time.monotonic() + READY_TIMEOUT_SECONDS
    last = ""
    while time.monotonic() < deadline:
        memory = tools.kubectl_json("get", "somamemory", NAME, "-n", NAMESPACE)
        ready = condition(memory, "Ready")
        if ready.get("status") == "True" and ready.get("observedGeneration") == memory["metadata"]["generation"]:
            return
        phase = memory.get("status", {}).get("phase", "Pending")
        text = f"{phase}: {ready.get('message', 'not seen by the operator yet')}"
        if text != last:
            say(f"  {text}")
            last = text
        time.sleep(1)
    pods = tools.kubectl("get", "pods", "-n", NAMESPACE, "-o", "wide")
    raise StartFailedError(
        f"{NAMESPACE}/{NAME} was not Ready within {READY_TIMEOUT_SECONDS} s: {last}\n{pods}",
        f"kubectl describe somamemory -n {NAMESPACE} {NAME}; "
        f"kubectl logs -n {OPERATOR_NAMESPACE} -l app.kubernetes.io/name=somamemory-operator",
    )


def condition(memory: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The condition of this type, or an empty mapping."""
    conditions = memory.get("status", {}).get("conditions", [])
    return next((found for found in conditions if found["type"] == kind), {})


def token(tools: Tools) -> str:
    """The API token of the example, from its credentials Secret."""
    secret = tools.kubectl_json("get", "secret", f"{NAME}-credentials", "-n", NAMESPACE)
    return base64.b64decode(secret["data"]["SOMA_API_TOKEN"]).decode()


def remember(url: str, api_token: str, say: Say) -> None:
    """Store one memory and recall it by its words."""
    fact = "SomaMemory came up and remembered this line"
    with httpx.Client(
        base_url=url, headers={"Authorization": f"Bearer {api_token}"}, timeout=10, trust_env=False
    ) as api:
        stored = api.post("/store", json={"coord": "1,2,3", "payload": {"fact": fact}})
        if stored.status_code != httpx.codes.OK:
            raise CommandFailedError(f"POST {url}/store answered {stored.status_code}: {stored.text}", API_LOGS)
        recalled = api.post("/recall", json={"query": "which line was remembered?", "top_k": 1})
    if recalled.status_code != httpx.codes.OK or fact not in recalled.text:
        raise CommandFailedError(
            f"POST {url}/recall answered {recalled.status_code}, no memory: {recalled.text}", API_LOGS
        )
    say(f"{RECALLED} “{fact}”")


def memories(tools: Tools) -> str:
    """How every SomaMemory of the cluster stands, as kubectl shows it; or why there is none."""
    try:
        return tools.kubectl("get", "somamemory", "-A").strip() or "No SomaMemory yet: apply one, or run `make up`."
    except CommandFailedError:
        return "No operator is installed yet: run `make up`."


def report(cluster: Target, tools: Tools) -> None:
    """Print what a person needs next."""
    print(tools.kubectl("get", "somamemory", "-n", NAMESPACE).rstrip())
    secret = f"kubectl get secret -n {NAMESPACE} {NAME}-credentials -o jsonpath='{{.data.SOMA_API_TOKEN}}'"
    print(
        f"\nAPI      {cluster.node_port_url(NODE_PORT)}  (documentation at /docs)\n"
        f"Token    {secret} | base64 -d\n"
        f"kubectl  export KUBECONFIG={tools.kubeconfig} PATH={tools.folder}:$PATH"
    )
