"""The configuration files of the node's programs, as pure functions of the layout."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcluster.layout import (
    AUDIT_POLICY,
    NAME,
    NODE_ADDRESS,
    POD_RANGE,
    PROVISIONER_NAMESPACE,
    SOCKET,
    Layout,
)

CNI_PLUGINS = "/usr/lib/cni"
CLIENTS = {
    "admin": ("kubernetes-admin", ("system:masters",)),
    "controllers": ("system:kube-controller-manager", ()),
    "scheduler": ("system:kube-scheduler", ()),
    "kubelet": ("system:node:somamemory", ("system:nodes",)),
    "proxy": ("system:kube-proxy", ()),
    "dns": ("system:coredns", ()),
    "volumes": ("local-path-provisioner", ()),
}
"""Who talks to the API server: name of the kubeconfig, user, groups."""


def files(layout: Layout, image: str) -> dict[Path, str]:
    """Return every configuration file and its text; `image` is the busybox that pauses and helps."""
    return {
        layout.config / "resolv.conf": "",
        layout.config / "audit-policy.yaml": json.dumps(AUDIT_POLICY, indent=1),
        layout.config / "containerd.toml": containerd(layout, image),
        layout.config / "cni/10-bridge.conflist": json.dumps(cni(layout), indent=1),
        layout.config / "kubelet.yaml": json.dumps(kubelet(layout), indent=1),
        layout.config / "proxy.yaml": json.dumps(proxy(layout), indent=1),
        layout.config / "Corefile": corefile(layout),
        layout.config / "local-path.json": json.dumps(local_path(layout), indent=1),
    }


def containerd(layout: Layout, image: str) -> str:
    """Return containerd's configuration: all data below the state, sockets in the node's private /run."""
    return f"""version = 2
root = "{layout.state}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "{SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{layout.config}/cni"
"""


def cni(layout: Layout) -> dict[str, Any]:
    """Return the pod network: one bridge, addresses from a file, host ports."""
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": POD_RANGE}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": f"{layout.state}/cni/networks",
    }
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True, "hairpinMode": True}
    plugins = [{**bridge, "ipam": addresses}, {"type": "portmap", "capabilities": {"portMappings": True}}]
    return {"cniVersion": "1.0.0", "name": "somamemory", "plugins": plugins}


def kubelet(layout: Layout) -> dict[str, Any]:
    """Return the kubelet's configuration: it leaves the host's cgroups alone and evicts nothing early."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_ADDRESS,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{layout.certificates}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{layout.certificates}/kubelet-server.crt",
        "tlsPrivateKeyFile": f"{layout.certificates}/kubelet-server.key",
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "clusterDomain": "cluster.local",
        "clusterDNS": [NODE_ADDRESS],
        "resolvConf": "",
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": False,
        "failCgroupV1": False,
        "enforceNodeAllocatable": [],
        "localStorageCapacityIsolation": False,
        "featureGates": {"KubeletInUserNamespace": True},  # tolerate what a container-like host forbids
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "serializeImagePulls": False,
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "volumePluginDir": f"{layout.state}/plugins",
        "logging": {"flushFrequency": "1s"},
    }


def proxy(layout: Layout) -> dict[str, Any]:
    """Return kube-proxy's configuration: services follow their pods at once, and limits stay the host's."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": f"{layout.config}/proxy.kubeconfig"},
        "hostnameOverride": NAME,
        "mode": "nftables",
        "clusterCIDR": POD_RANGE,
        "nftables": {"minSyncPeriod": "100ms"},  # a second by default, for clusters with thousands of services
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "oomScoreAdj": 0,
    }


def corefile(layout: Layout) -> str:
    """Return CoreDNS' configuration: the cluster's names, and a quick no to all others: nothing else is reachable."""
    return f"""cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {{
  bind {NODE_ADDRESS}
  errors
  kubernetes cluster.local in-addr.arpa ip6.arpa {{
    kubeconfig {layout.config}/dns.kubeconfig
    pods insecure
    ttl 2
  }}
  loadbalance
}}
.:53 {{
  bind {NODE_ADDRESS}
  template ANY ANY {{
    rcode NXDOMAIN
  }}
}}
"""


def local_path(layout: Layout) -> dict[str, Any]:
    """Return the volume provisioner's node map: every volume is a folder below the state."""
    paths = [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [str(layout.volumes)]}]
    return {"nodePathMap": paths}


def manifests(layout: Layout, image: str) -> list[Mapping[str, Any]]:
    """Return what a fresh cluster needs inside: storage class, the provisioner's settings, access for programs."""
    namespace = PROVISIONER_NAMESPACE
    account = {"name": "local-path-provisioner", "namespace": namespace}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "local-path-config", "namespace": namespace},
            "data": _provisioner_data(layout, image),
        },
        _storage_class(),
        _role("local-path-provisioner", PROVISIONER_RULES),
        _binding("local-path-provisioner", "local-path-provisioner"),
        _role("system:coredns", DNS_RULES),
        _binding("system:coredns", "system:coredns"),
        _binding("kube-apiserver", "system:kubelet-api-admin"),  # logs and exec
    ]


PROVISIONER_RULES = [
    {
        "apiGroups": [""],
        "resources": ["nodes", "persistentvolumeclaims", "configmaps"],
        "verbs": ["get", "list", "watch"],
    },
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get", "list", "watch"]},
    {
        "apiGroups": [""],
        "resources": ["pods", "persistentvolumes", "endpoints"],
        "verbs": ["get", "list", "watch", "create", "patch", "update", "delete"],
    },
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
    {"apiGroups": ["storage.k8s.io"], "resources": ["storageclasses"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]},
]
DNS_RULES = [
    {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": ["list", "watch"]},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
]


def _provisioner_data(layout: Layout, image: str) -> dict[str, str]:
    container = {"name": "helper-pod", "image": image, "imagePullPolicy": "IfNotPresent"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "helper-pod"},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    }
    return {
        "config.json": json.dumps(local_path(layout)),
        "setup": '#!/bin/sh\nset -eu\nmkdir -m 0777 -p "$VOL_DIR"\n',  # a pod that is not root must write, too
        "teardown": '#!/bin/sh\nset -eu\nrm -rf "$VOL_DIR"\n',
        "helperPod.yaml": json.dumps(pod),
    }


def _storage_class() -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "rancher.io/local-path",
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Delete",
    }


def _role(name: str, rules: list[dict[str, list[str]]]) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": rules,
    }


def _binding(user: str, role: str) -> dict[str, Any]:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"somamemory:{user}"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    }
