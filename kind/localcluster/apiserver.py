"""An API server with its etcd, and nothing else, for tests: real storage, schemas, admission and garbage collection."""

import json
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from localcluster import certificates, programs
from localcluster.errors import ProgramsMissingError, StartFailedError
from localcluster.layout import AUDIT_POLICY
from localcluster.probes import says_ok

START_SECONDS = 60.0
STOP_SECONDS = 10.0
ATTEMPTS = 3
CONTROLLERS = ("garbage-collector-controller", "namespace-controller")


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback address that nobody listens on right now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


class ApiServer:
    """Starts and stops etcd and kube-apiserver on free loopback ports, with all data in a folder of its own.

    Namespaces and objects whose owner is gone are removed only while `start_controllers()` runs. There are no
    controllers for workloads: a test plays them by writing statuses. Install custom resource definitions before
    `start_controllers()`: the garbage collector learns later ones only within 30 seconds.
    """

    def __init__(self, bin_folder: Path | None = None) -> None:
        self._bin = bin_folder or programs.bin_folder()
        self._folder: Path | None = None
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.url = ""

    @property
    def folder(self) -> Path:
        """Return the folder of data, logs and certificates; it goes away with `stop`."""
        if self._folder is None:
            raise StartFailedError("The API server was not started", "call start() first")
        return self._folder

    @property
    def kubeconfig(self) -> Path:
        """Return the kubeconfig of an administrator."""
        return self.folder / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        """Return the audit log: one JSON object a line, level Metadata."""
        return self.folder / "audit.log"

    def start(self) -> Self:
        """Start both programs and return when the API server is ready.

        Raises:
            ProgramsMissingError: the programs were not built yet.
            StartFailedError: it was not ready in time, several times; with the end of its log.
        """
        if not (self._bin / "kube-apiserver").exists():
            raise ProgramsMissingError(
                "kube-apiserver was not built yet", "PYTHONPATH=kind python -m localcluster programs"
            )
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._start()
            except StartFailedError:
                self.stop()
                if attempt == ATTEMPTS:  # another program may have taken a port that was free; not three times
                    raise
            except BaseException:
                self.stop()
                raise
            else:
                break
        return self

    def start_controllers(self, controllers: Sequence[str] = CONTROLLERS) -> None:
        """Start kube-controller-manager with these controllers only."""
        self._run(
            "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig}",
            f"--controllers={','.join(controllers)}",
            "--leader-elect=false",
            "--secure-port=0",
            "--concurrent-gc-syncs=5",
        )

    def stop(self) -> None:
        """End every program and remove the folder; may be called at any time."""
        for process in self._processes.values():
            process.kill()  # nothing here outlives the folder: no reason to wait for a clean end
        for process in self._processes.values():
            process.wait(STOP_SECONDS)
        self._processes.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="somamemory-apiserver-"))
        client, peer, secure = free_ports(3)
        self.url = f"https://127.0.0.1:{secure}"
        self._write_files()
        self._start_etcd(f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}")
        self._start_apiserver(f"http://127.0.0.1:{client}", secure)
        self._wait()

    def _write_files(self) -> None:
        authority = certificates.Authority("somamemory-test")
        authority.identity.write(self.folder, "ca")
        names = ("127.0.0.1", "localhost", "10.0.0.1", "kubernetes.default.svc")
        authority.issue("kube-apiserver", names=names).write(self.folder, "apiserver")
        certificates.write_signing_key(self.folder, "service-accounts")
        (self.folder / "audit-policy.yaml").write_text(json.dumps(AUDIT_POLICY))
        administrator = authority.issue("admin", ["system:masters"])
        text = certificates.kubeconfig(
            server=self.url, authority=authority.identity.certificate, client=administrator, name="test"
        )
        certificates.write_private(self.kubeconfig, text.encode())

    def _start_etcd(self, client: str, peer: str) -> None:
        self._run(
            "etcd",
            f"--data-dir={self.folder / 'etcd'}",
            "--unsafe-no-fsync",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
        )

    def _start_apiserver(self, etcd: str, port: int) -> None:
        folder = self.folder
        self._run(
            "kube-apiserver",
            f"--etcd-servers={etcd}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={port}",
            f"--cert-dir={folder}",
            f"--tls-cert-file={folder / 'apiserver.crt'}",
            f"--tls-private-key-file={folder / 'apiserver.key'}",
            f"--client-ca-file={folder / 'ca.crt'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={folder / 'service-accounts.pub'}",
            f"--service-account-signing-key-file={folder / 'service-accounts.key'}",
            "--service-cluster-ip-range=10.0.0.0/16",
            "--authorization-mode=RBAC",
            "--allow-privileged",
            f"--audit-policy-file={folder / 'audit-policy.yaml'}",
            f"--audit-log-path={self.audit_log}",
        )

    def _run(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [self._bin / name, *arguments], stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            ended = [name for name, process in self._processes.items() if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                name = ended[0] if ended else "kube-apiserver"
                tail = "\n".join((self.folder / f"{name}.log").read_text().splitlines()[-8:])
                raise StartFailedError(f"{name} did not become ready:\n{tail}", "read the lines above")
            time.sleep(0.1)

    def _ready(self) -> bool:
        context = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        return says_ok(f"{self.url}/readyz", context)
