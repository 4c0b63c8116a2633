"""Reads what the kernel tells in text. Pure; where a text says nothing, nothing is held against the machine."""

import ipaddress
import re
from collections.abc import Iterable

from localcluster.layout import HOST_ADDRESS
from preflight.facts import CONTROLLERS, GIB

UNKNOWN_MEMORY = 16 * GIB
WIDEST_CONFLICT = 9
"""A shorter prefix, such as a VPN's 10.0.0.0/8, gives way to the node's own; a default route does, too."""


def memory(meminfo: str) -> int:
    """Return the bytes that programs can have, from /proc/meminfo."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(found[1]) * 1024 if found else UNKNOWN_MEMORY


def capabilities(status: str) -> int:
    """Return the bits of the effective capabilities, from /proc/self/status."""
    found = re.search(r"^CapEff:\s+([0-9a-f]+)$", status, re.MULTILINE)
    return int(found[1], 16) if found else -1


def networks(routes: str, own_link: str) -> list[str]:
    """Return the networks of other links that hold the node's addresses, from /proc/net/route."""
    node = ipaddress.ip_network(f"{HOST_ADDRESS}/30", strict=False)
    found = []
    for line in routes.splitlines()[1:]:
        link, destination, _, _, _, _, _, mask, *_ = line.split()
        # The kernel prints addresses as numbers of a little-endian machine.
        start, size = (int.from_bytes(bytes.fromhex(word)[::-1], "big") for word in (destination, mask))
        network = ipaddress.ip_network((start, size.bit_count()))
        if link != own_link and network.prefixlen >= WIDEST_CONFLICT and network.overlaps(node):
            found.append(f"{network} on {link}")
    return found


def controllers(mounts: str, unified: str) -> frozenset[str]:
    """Return the controllers that can be used, from /proc/mounts (version 1) and cgroup.controllers (version 2)."""
    if not mounts:
        return frozenset(CONTROLLERS)
    fields = [line.split() for line in mounts.splitlines()]
    writable = [(kind, options.split(",")) for _, _, kind, options, *_ in fields if "rw" in options.split(",")]
    first = {option for kind, options in writable if kind == "cgroup" for option in options}
    second = set(unified.split()) if any(kind == "cgroup2" for kind, _ in writable) else set()
    return frozenset((first | second) & set(CONTROLLERS))


def filesystem(mountinfo: str, folder: str) -> str:
    """Return the kind of file system that a folder lies on, from /proc/self/mountinfo."""
    best, kind = "", "ext4"
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        point = before.split()[4]
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):  # later mounts hide earlier ones
            best, kind = point, after.split()[0]
    return kind


def lacking(wanted: Iterable[str], filesystems: str, modules: str | None) -> list[str]:
    """Return the features of the kernel that are neither there nor in a module; `modules` is None where no list is."""
    there = set(filesystems.split())
    if modules is None:
        return ["overlay"] if filesystems and "overlay" not in there else []
    there |= {name.replace("-", "_") for name in re.findall(r"([\w-]+)\.ko", modules)}
    return [name for name in wanted if name not in there]


def not_installed(wanted: Iterable[str], listing: str) -> list[str]:
    """Return the packages that dpkg-query does not list as installed."""
    there = {line.split()[0] for line in listing.splitlines() if line.endswith(" installed")}
    return [name for name in wanted if name not in there]
