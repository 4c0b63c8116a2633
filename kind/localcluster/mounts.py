"""The node's own view of the file system and its network, made from inside its namespaces."""

import os
import socket
from pathlib import Path

from localcluster.commands import run

HOST_NAME = "somamemory"
BOUND = {"kubelet": "/var/lib/kubelet", "cni": "/var/lib/cni", "logs": "/var/log"}
"""Folders that programs insist on, and the parts of the node's state that stand in for them."""


def prepare(state: Path) -> None:
    """Give the node its own /proc, /sys, /run and folders; the host sees none of it."""
    socket.sethostname(HOST_NAME)
    run(["mount", "-t", "proc", "proc", "/proc"])
    _fresh_sys(state / "run/cgroup")
    run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"])  # names of pod networks, sockets, lock files
    for folder in ("/run/netns", "/run/lock"):
        Path(folder).mkdir()
    _no_resolver(state / "config/resolv.conf")
    for name, target in BOUND.items():
        run(["mount", "--bind", state / name, target])
    run(["mount", "--make-rshared", "/"])


def _fresh_sys(kept: Path) -> None:
    """Mount a /sys that shows this network namespace, with the cgroup tree, which a new /sys does not bring."""
    run(["mount", "--rbind", "/sys/fs/cgroup", kept])
    run(["mount", "-t", "sysfs", "sysfs", "/sys"])
    run(["mount", "--rbind", kept, "/sys/fs/cgroup"])
    run(["umount", "--recursive", kept])


def _no_resolver(empty: Path) -> None:
    """Hide the host's resolvers: none is reachable, and each look-up would wait for its timeout."""
    target = Path(os.path.realpath("/etc/resolv.conf"))
    if not target.exists():  # a link into /run, which is empty now
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    run(["mount", "--bind", empty, target])


def configure_network(interface: str, address: str, services: str) -> None:
    """Bring up the interfaces; the only route besides the host's link is one for service addresses."""
    run(["ip", "link", "set", "lo", "up"])
    run(["ip", "address", "add", address, "dev", interface])
    run(["ip", "link", "set", interface, "up"])
    run(["ip", "route", "add", services, "dev", interface])  # rewritten before it leaves, yet it must be routable
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    bridge = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
    if bridge.exists():
        bridge.write_text("1")
