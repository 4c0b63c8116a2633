"""The processes of the node and their arguments, as data."""

from pathlib import Path

from localcluster.layout import (
    API,
    NAME,
    NODE_ADDRESS,
    PROVISIONER_NAMESPACE,
    SERVICE_RANGE,
    SOCKET,
    Layout,
)
from localcluster.supervisor import Unit

ETCD = "http://127.0.0.1:2379"
ETCD_PEER = "http://127.0.0.1:2380"
ISSUER = "https://kubernetes.default.svc.cluster.local"


def units(layout: Layout, programs: Path, image: str) -> list[Unit]:
    """Return every process in the order of their needs; `programs` is the folder of all that were compiled."""
    return [
        _etcd(layout, programs),
        _containerd(layout),
        _apiserver(layout, programs),
        _controllers(layout, programs),
        _scheduler(layout, programs),
        _kubelet(layout, programs),
        _proxy(layout, programs),
        _names(layout, programs),
        _provisioner(layout, programs, image),
    ]


def _tcp(port: int) -> str:
    return f"tcp:{NODE_ADDRESS}:{port}"


def _etcd(layout: Layout, programs: Path) -> Unit:
    argv = [
        f"{programs}/etcd",
        f"--data-dir={layout.state}/etcd",
        "--unsafe-no-fsync",  # a throw-away cluster: speed over surviving a power cut
        f"--listen-client-urls={ETCD}",
        f"--advertise-client-urls={ETCD}",
        f"--listen-peer-urls={ETCD_PEER}",
        f"--initial-advertise-peer-urls={ETCD_PEER}",
        f"--initial-cluster=default={ETCD_PEER}",
        "--auto-compaction-retention=1h",
    ]
    return Unit("etcd", argv, ready="tcp:127.0.0.1:2379")


def _containerd(layout: Layout) -> Unit:
    argv = ["/usr/bin/containerd", "--config", f"{layout.config}/containerd.toml"]
    return Unit("containerd", argv, ready=f"unix:{SOCKET}", env={"TMPDIR": str(layout.scratch)})


def _apiserver(layout: Layout, programs: Path) -> Unit:
    keys = layout.certificates
    argv = [
        f"{programs}/kube-apiserver",
        f"--etcd-servers={ETCD}",
        f"--advertise-address={NODE_ADDRESS}",
        "--secure-port=6443",
        f"--tls-cert-file={keys}/apiserver.crt",
        f"--tls-private-key-file={keys}/apiserver.key",
        f"--client-ca-file={keys}/ca.crt",
        f"--kubelet-certificate-authority={keys}/ca.crt",
        f"--kubelet-client-certificate={keys}/apiserver.crt",
        f"--kubelet-client-key={keys}/apiserver.key",
        "--kubelet-preferred-address-types=InternalIP",  # the node's name resolves nowhere
        f"--requestheader-client-ca-file={keys}/front-proxy-ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={keys}/front-proxy-client.crt",
        f"--proxy-client-key-file={keys}/front-proxy-client.key",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={keys}/service-accounts.pub",
        f"--service-account-signing-key-file={keys}/service-accounts.key",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged",
        f"--audit-policy-file={layout.config}/audit-policy.yaml",
        f"--audit-log-path={layout.audit_log}",
        "--audit-log-maxsize=200",
        "--audit-log-maxbackup=2",
    ]
    return Unit("kube-apiserver", argv, ["etcd"], f"{API}/readyz")


def _controllers(layout: Layout, programs: Path) -> Unit:
    keys, kubeconfig = layout.certificates, f"{layout.config}/controllers.kubeconfig"
    argv = [
        f"{programs}/kube-controller-manager",
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--use-service-account-credentials",
        f"--root-ca-file={keys}/ca.crt",
        f"--service-account-private-key-file={keys}/service-accounts.key",
        f"--cluster-signing-cert-file={keys}/ca.crt",
        f"--cluster-signing-key-file={keys}/ca.key",
        f"--flex-volume-plugin-dir={layout.state}/plugins",
    ]
    return Unit("kube-controller-manager", argv, ["kube-apiserver"], "tcp:127.0.0.1:10257")


def _scheduler(layout: Layout, programs: Path) -> Unit:
    kubeconfig = f"{layout.config}/scheduler.kubeconfig"
    argv = [
        f"{programs}/kube-scheduler",
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
    ]
    return Unit("kube-scheduler", argv, ["kube-apiserver"], "tcp:127.0.0.1:10259")


def _kubelet(layout: Layout, programs: Path) -> Unit:
    argv = [
        f"{programs}/kubelet",
        f"--config={layout.config}/kubelet.yaml",
        f"--kubeconfig={layout.config}/kubelet.kubeconfig",
        f"--hostname-override={NAME}",
        f"--node-ip={NODE_ADDRESS}",
    ]
    return Unit("kubelet", argv, ["kube-apiserver", "containerd"], _tcp(10250))


def _proxy(layout: Layout, programs: Path) -> Unit:
    argv = [f"{programs}/kube-proxy", f"--config={layout.config}/proxy.yaml"]
    return Unit("kube-proxy", argv, ["kube-apiserver"], "tcp:127.0.0.1:10249")


def _names(layout: Layout, programs: Path) -> Unit:
    argv = [f"{programs}/coredns", "-conf", f"{layout.config}/Corefile"]
    return Unit("coredns", argv, [f"file:{layout.applied}"], _tcp(53))


def _provisioner(layout: Layout, programs: Path, image: str) -> Unit:
    argv = [
        f"{programs}/local-path-provisioner",
        "start",
        f"--kubeconfig={layout.config}/volumes.kubeconfig",
        f"--config={layout.config}/local-path.json",
        f"--namespace={PROVISIONER_NAMESPACE}",
        "--configmap-name=local-path-config",
        "--service-account-name=local-path-provisioner",
        f"--helper-image={image}",
    ]
    return Unit("local-path-provisioner", argv, [f"file:{layout.applied}"])
