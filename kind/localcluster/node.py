"""One real Kubernetes node without Docker, in namespaces of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from localcluster import certificates, compiling, config, host, images, processes, programs
from localcluster.commands import run, wait_until
from localcluster.errors import CannotRunError, CommandFailedError
from localcluster.layout import (
    API,
    FIRST_SERVICE,
    HOST_ADDRESS,
    NAME,
    NODE_ADDRESS,
    NODE_LINK,
    SERVICE_RANGE,
    SOCKET,
    Layout,
)
from localcluster.lock import only_one
from localcluster.paths import KIND
from localcluster.probes import passes
from localcluster.progress import Progress
from localcluster.provider import Say, Status
from localcluster.units import units

START_SECONDS = 120.0
GRACE_SECONDS = 8.0
IMPORT_SECONDS = 300.0
LOCK = Path("/run/lock/somamemory-node.lock")
REMEDY = "read the logs in /var/lib/somamemory-node/logs; `make down`, then `make up` starts afresh"


class Node:
    """Makes, looks at and removes the node."""

    name = "node"

    def __init__(self, layout: Layout | None = None) -> None:
        self._layout = layout or Layout()

    def up(self, progress: Progress) -> None:
        """Make the node run and be Ready; a node that is half there, or from before a reboot, is made afresh."""
        with only_one(LOCK):
            if sys.platform != "linux" or os.geteuid() != 0:
                raise CannotRunError("A node without Docker needs Linux and root", "run as root, or start Docker")
            compiling.ensure(progress)
            if self._is_complete():
                progress.note("  The node runs already")
            else:
                self._remove()
                self._create(progress)

    def down(self, progress: Progress) -> None:
        """End the node and remove its data; the cache of built programs stays."""
        with only_one(LOCK), progress.step("Remove the node"):
            self._remove()

    def status(self) -> Status:
        """Look at the processes and ask the API."""
        first, _ = processes.find(self._layout.plan)
        if not first:
            return Status(self.name, "down")
        details = {name: _fares(state) for name, state in self._report().items()}
        state = "up" if self._is_complete() else "broken"
        return Status(self.name, state, str(self._layout.kubeconfig), {"process": str(first[0]), **details})

    def load(self, archives: Mapping[str, Path], say: Say) -> None:
        """Import images into the node's containerd; those that are there by name are skipped."""
        present = set(self._ctr(["images", "ls", "-q"]).split())
        for name, archive in archives.items():
            if name not in present:
                say(f"  Load {name}")
                self._import(archive)

    def kubeconfig(self) -> Path:
        """Return the administrator's kubeconfig."""
        return self._layout.kubeconfig

    def audit_log(self) -> Path:
        """Return the audit log."""
        return self._layout.audit_log

    def programs(self) -> Path:
        """Return the folder of kubectl and helm."""
        return programs.bin_folder()

    def node_port_url(self, port: int) -> str:
        """Return the URL of a NodePort, at the node's address on its link to this host."""
        return f"http://{NODE_ADDRESS}:{port}"

    def runs(self) -> bool:
        """Say whether the node's first process lives."""
        return bool(processes.find(self._layout.plan)[0])

    def _is_complete(self) -> bool:
        return self._layout.complete.exists() and self.runs() and self._is_ready()

    def _is_ready(self) -> bool:
        query = ["get", "node", NAME, "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}"]
        try:
            return self._kubectl(query).strip() == "True"
        except CommandFailedError:
            return False

    def _report(self) -> dict[str, dict[str, object]]:
        try:
            report: dict[str, dict[str, object]] = json.loads(self._layout.report.read_text())
        except (OSError, ValueError):
            return {}
        return report

    def _create(self, progress: Progress) -> None:
        layout, image = self._layout, images.busybox_image()
        with progress.step("Start the node"):
            host.prepare(layout)
            _write_certificates(layout)
            for path, text in config.files(layout, image).items():
                path.write_text(text)
            self._write_plan(image)
            self._launch()
            wait_until(self._api_answers, what="The API server", seconds=START_SECONDS, remedy=REMEDY)
            self._apply(image)
            layout.applied.touch()
        with progress.step("Wait for the node to be Ready"):
            archive = layout.scratch / "busybox.tar"
            images.write_busybox(archive)
            self._import(archive)
            wait_until(self._programs_are_ready, what="A program of the node", seconds=START_SECONDS, remedy=REMEDY)
            wait_until(self._is_ready, what="The node", seconds=START_SECONDS, remedy=REMEDY, interval=0.3)
            layout.complete.touch()

    def _write_plan(self, image: str) -> None:
        layout = self._layout
        listed = units(layout, programs.bin_folder(), image)
        plan = {
            "state": str(layout.state),
            "interface": NODE_LINK,
            "address": f"{NODE_ADDRESS}/30",
            "services": SERVICE_RANGE,
            "units": [vars(unit) for unit in listed],
        }
        layout.plan.write_text(json.dumps(plan, indent=1))

    def _launch(self) -> None:
        """Start the supervisor as first process of new namespaces, and give it one end of a link to this host."""
        layout = self._layout
        flags = ["--net", "--mount", "--pid", "--fork", "--uts", "--ipc"]
        argv = ["unshare", *flags, *processes.supervisor_argv(sys.executable, layout.plan)]
        # Nothing of the caller's environment: neither proxies nor credentials belong into the node.
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(KIND)}
        with (layout.logs / "supervisor.log").open("ab") as log:
            subprocess.Popen(
                argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True
            )
        wait_until(self.runs, what="The node's first process", seconds=10, remedy=REMEDY, interval=0.05)
        host.link(processes.find(layout.plan)[0][0])

    def _api_answers(self) -> bool:
        if not self.runs():
            log = (self._layout.logs / "supervisor.log").read_text().strip()
            raise CommandFailedError(f"The node ended while it started:\n{log}", REMEDY)
        return passes(f"{API}/readyz")

    def _programs_are_ready(self) -> bool:
        report = self._report()
        return bool(report) and all(state["ready"] for state in report.values())

    def _apply(self, image: str) -> None:
        objects = {"apiVersion": "v1", "kind": "List", "items": config.manifests(self._layout, image)}
        self._kubectl(["apply", "-f", "-"], json.dumps(objects))

    def _kubectl(self, arguments: list[str], stdin: str | None = None) -> str:
        kubectl: list[str | Path] = [
            programs.bin_folder() / "kubectl",
            "--kubeconfig",
            self._layout.kubeconfig,
            "--request-timeout=10s",
        ]
        return run([*kubectl, *arguments], stdin=stdin, timeout=30, env={"NO_PROXY": NODE_ADDRESS})

    def _ctr(self, arguments: list[str], archive: Path | None = None) -> str:
        first, _ = processes.find(self._layout.plan)
        if not first:
            raise CannotRunError("The node does not run", "make up")
        argv = ["nsenter", "--mount", f"--target={first[0]}", "ctr", f"--address={SOCKET}", "--namespace=k8s.io"]
        if archive is None:
            return run([*argv, *arguments], timeout=IMPORT_SECONDS)
        with archive.open("rb") as data:  # by standard input: the node may not see the archive's folder
            return run([*argv, *arguments], timeout=IMPORT_SECONDS, source=data)

    def _import(self, archive: Path) -> None:
        self._ctr(["images", "import", "-"], archive)

    def _remove(self) -> None:
        first, launchers = processes.find(self._layout.plan)
        if first and not processes.end(first, how=signal.SIGTERM, seconds=GRACE_SECONDS):
            processes.end(first, how=signal.SIGKILL, seconds=GRACE_SECONDS)
        processes.end(launchers, how=signal.SIGKILL, seconds=GRACE_SECONDS)
        processes.wait_for_reaping([*first, *launchers])
        host.clean(self._layout)


def _fares(state: Mapping[str, object]) -> str:
    restarts = f", restarted {state['restarts']} times" if state["restarts"] else ""
    return ("ready" if state["ready"] else "not ready") + restarts


def _write_certificates(layout: Layout) -> None:
    """Write every key and certificate, and a kubeconfig for each client."""
    authority = certificates.Authority("somamemory")
    authority.identity.write(layout.certificates, "ca")
    service = "kubernetes.default.svc"
    names = (NODE_ADDRESS, HOST_ADDRESS, FIRST_SERVICE, "127.0.0.1", "localhost", NAME, "kubernetes")
    every_name = (*names, "kubernetes.default", service, f"{service}.cluster.local")
    authority.issue("kube-apiserver", names=every_name).write(layout.certificates, "apiserver")
    kubelet_server = authority.issue(f"system:node:{NAME}", ["system:nodes"], (NODE_ADDRESS, NAME))
    kubelet_server.write(layout.certificates, "kubelet-server")
    front_proxy = certificates.Authority("somamemory-front-proxy")
    front_proxy.identity.write(layout.certificates, "front-proxy-ca")
    front_proxy.issue("front-proxy-client").write(layout.certificates, "front-proxy-client")
    certificates.write_signing_key(layout.certificates, "service-accounts")
    for client, (user, groups) in config.CLIENTS.items():
        identity = authority.issue(user, groups)
        certificate = authority.identity.certificate
        text = certificates.kubeconfig(server=API, authority=certificate, client=identity, name=NAME)
        target = layout.kubeconfig if client == "admin" else layout.config / f"{client}.kubeconfig"
        certificates.write_private(target, text.encode())
