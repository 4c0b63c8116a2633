"""What the kernel says in text, read; where it says nothing, nothing is held against the machine."""

import pytest

from preflight import reading

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
somanode0\t00007B0A\t00000000\t0001\t0\t0\t0\tFCFFFFFF\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""
HYBRID = """tmpfs /sys/fs/cgroup tmpfs rw,relatime,mode=755 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/cpuset cgroup rw,relatime,cpuset 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup /sys/fs/cgroup/pids cgroup rw,relatime,pids 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
"""
MOUNTS = """21 1 254:0 / / rw,relatime - ext4 /dev/vda rw
22 21 0:20 / /var rw,relatime shared:1 - overlay overlay rw,lowerdir=/a
23 22 0:21 / /var/lib/other rw - xfs /dev/vdb rw
"""


def test_a_node_that_runs_and_a_default_route_take_nothing_from_the_node() -> None:
    assert reading.networks(ROUTES, "somanode0") == []


def test_a_stranger_with_the_nodes_addresses_is_named() -> None:
    assert reading.networks(ROUTES, "another0") == ["10.123.0.0/30 on somanode0"]


def test_a_wider_network_that_holds_them_is_named() -> None:
    routes = ROUTES + "tun0\t00007B0A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"

    assert reading.networks(routes, "somanode0") == ["10.123.0.0/16 on tun0"]


def test_a_route_to_all_private_addresses_gives_way() -> None:
    """A VPN's 10.0.0.0/8 is less specific than the node's own link, so both work."""
    routes = ROUTES + "tun0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n"

    assert reading.networks(routes, "somanode0") == []


def test_controllers_of_either_version_count() -> None:
    every = frozenset({"cpu", "cpuset", "memory", "pids"})

    assert reading.controllers(HYBRID, "") == every
    assert reading.controllers("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n", "cpuset cpu io memory pids\n") == every


def test_control_groups_that_cannot_be_written_do_not_count() -> None:
    read_only = HYBRID.replace("cgroup rw", "cgroup ro")

    assert reading.controllers(read_only, "") == frozenset()


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("/var/lib", "overlay"), ("/var/lib/other", "xfs"), ("/var/lib/others", "overlay"), ("/home", "ext4")],
)
def test_a_folder_lies_on_the_nearest_mount(folder: str, kind: str) -> None:
    assert reading.filesystem(MOUNTS, folder) == kind


def test_a_feature_is_built_in_or_a_module() -> None:
    modules = "kernel/drivers/net/veth.ko\nkernel/net/netfilter/nf_tables.ko.xz:\n"
    wanted = ("overlay", "nf_tables", "veth", "bridge")

    assert reading.lacking(wanted, "nodev\toverlay\n\text4\n", modules) == ["bridge"]
    assert reading.lacking(wanted, "\text4\n", None) == ["overlay"]
    assert reading.lacking(wanted, "nodev\toverlay\n", None) == []


def test_memory_and_capabilities_are_numbers() -> None:
    assert reading.memory("MemTotal: 9 kB\nMemAvailable:    2048 kB\n") == 2 * 1024**2
    assert reading.capabilities("Name:\tx\nCapEff:\t0000000000200000\n") == 1 << 21


def test_where_nothing_is_said_nothing_is_missing() -> None:
    """As on a system that has no /proc."""
    assert reading.memory("") >= 8 * 1024**3
    assert reading.capabilities("") == -1
    assert reading.networks("", "somanode0") == []
    assert reading.controllers("", "") >= {"memory", "pids"}
    assert reading.filesystem("", "/var/lib") == "ext4"
    assert reading.lacking(("overlay",), "", None) == []


def test_only_installed_packages_are_there() -> None:
    listing = "buildah installed\nmaven config-files\n"

    assert reading.not_installed(["buildah", "maven", "redis-server"], listing) == ["maven", "redis-server"]
