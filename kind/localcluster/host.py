"""The few traces of the node on the host: its folders, one end of a link, and its control groups."""

import re
import shutil
import time
from contextlib import suppress
from pathlib import Path

from localcluster.commands import run, succeeds
from localcluster.errors import CannotRunError
from localcluster.layout import CGROUP, HOST_ADDRESS, HOST_LINK, NODE_LINK, Layout
from localcluster.mounts import BOUND

KERNEL_MODULES = ("overlay", "br_netfilter", "nf_conntrack", "nf_tables", "veth", "bridge")
CGROUPS = Path("/sys/fs/cgroup")
CONTAINER = re.compile(r"[0-9a-f]{64}")
SWEEP_SECONDS = 10.0


def prepare(layout: Layout) -> None:
    """Make the folders, and load the kernel modules that are not built in."""
    for folder in layout.folders():
        folder.mkdir(parents=True, exist_ok=True)
    layout.state.chmod(0o755)
    layout.certificates.chmod(0o700)
    made = [target for target in BOUND.values() if not Path(target).exists()]
    (layout.state / "run/made").write_text("\n".join(made))
    for target in made:
        Path(target).mkdir(parents=True)
    for module in KERNEL_MODULES:
        succeeds(["modprobe", "--quiet", module])  # absent when built in; what is really missing shows later


def link(pid: int) -> None:
    """Join the host and the network namespace of `pid` by a pair of interfaces; it goes away with the namespace.

    Raises:
        CannotRunError: the addresses belong to another network of this host.
    """
    if _address_is_taken():
        raise CannotRunError(f"{HOST_ADDRESS} lies in another network of this host", "remove it: see `ip address`")
    run(["ip", "link", "add", HOST_LINK, "type", "veth", "peer", "name", NODE_LINK, "netns", str(pid)])
    run(["ip", "address", "add", f"{HOST_ADDRESS}/30", "dev", HOST_LINK])
    run(["ip", "link", "set", HOST_LINK, "up"])


def _address_is_taken() -> bool:
    return any(
        f" {HOST_ADDRESS.rpartition('.')[0]}." in line and HOST_LINK not in line
        for line in run(["ip", "-oneline", "-4", "address"]).splitlines()
    )


def sweep() -> None:
    """Remove what the kernel keeps of a node that has ended: its link and its control groups."""
    if (Path("/sys/class/net") / HOST_LINK).exists():
        succeeds(["ip", "link", "delete", HOST_LINK])  # it may be going away by itself right now
    sweep_groups()


def clean(layout: Layout) -> None:
    """Remove all traces of a node that has ended; does nothing when there are none."""
    sweep()
    made = layout.state / "run/made"
    for target in made.read_text().split() if made.exists() else ():
        with suppress(OSError):  # somebody else uses it by now
            Path(target).rmdir()
    shutil.rmtree(layout.state, ignore_errors=True)
    if layout.state.exists():
        raise CannotRunError(
            f"{layout.state} could not be removed", f"look for mounts below it, then rm -r {layout.state}"
        )


def sweep_groups(hierarchies: Path = CGROUPS) -> None:
    """Remove the control groups of ended containers, in every hierarchy (version 1 has many, version 2 one).

    The kernel refuses to remove a group that still holds a process, so another containerd's live groups are safe.
    """
    deadline = time.monotonic() + SWEEP_SECONDS
    parents = [folder / CGROUP for folder in (hierarchies, *hierarchies.glob("*")) if (folder / CGROUP).is_dir()]
    while any([_empty(parent) for parent in parents]) and time.monotonic() < deadline:  # noqa: C419 - empty them all
        time.sleep(0.1)  # the kernel lets go of the last processes a moment after they ended


def _empty(parent: Path) -> bool:
    """Remove what can be removed, and say whether groups of containers are left."""
    groups = [folder for folder in parent.glob("*") if CONTAINER.fullmatch(folder.name)] if parent.exists() else []
    for folder in (*groups, parent):
        with suppress(OSError):
            folder.rmdir()
    return any(folder.exists() for folder in groups)
