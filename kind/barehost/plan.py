"""What is put into a bare root, what is mounted there, and what runs in it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

PACKAGES = ("git", "make", "python3")
"""All that a machine is asked to have, beside Go."""
CHECKOUT = "/srv/somamemory"
BUNDLE = "/srv/checkout.bundle"
GO = "/usr/local/go"
CACHES = {
    "SOMAMEMORY_CACHE": "/caches/somamemory",
    "GOCACHE": "/caches/go-build",
    "GOMODCACHE": "/caches/go-modules",
    "PIP_CACHE_DIR": "/caches/pip",
    "UV_CACHE_DIR": "/caches/uv",
}
"""Variable that names a cache -> where the bare root has the host's."""
PATH = f"{GO}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PASSED = (
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    *("MAVEN_OPTS", "JAVA_TOOL_OPTIONS", "TERM"),
)
"""Variables of the host without which nothing could be fetched, or shown."""


@dataclass(frozen=True)
class Host:
    """What a run in the root takes from this host."""

    go: Path
    caches: Mapping[str, Path]
    """By the variable that names each."""
    go_settings: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    sources: Sequence[str] = ()
    """Lines of apt's sources.list; none are mmdebstrap's own."""
    folders: Sequence[Path] = ()
    """Folders that settings of the host name, such as one of wheels, and the kernel's modules."""


@dataclass(frozen=True)
class Mount:
    """Something of the host in the root. Its kind is bind, rbind, proc or tmpfs; the last two have no source."""

    kind: str
    target: str
    source: str = ""
    read_only: bool = False


def debootstrap(root: Path, host: Host, apt_settings: Path) -> list[str]:
    """Return the command that makes the root's file system."""
    return [
        "mmdebstrap",
        "--variant=minbase",
        "--mode=root",
        '--aptopt=APT::Install-Recommends "false"',
        f"--aptopt={apt_settings}",
        f"--include={','.join(PACKAGES)}",
        "bookworm",
        str(root),
        *host.sources,
    ]


def mounts(host: Host) -> list[Mount]:
    """Return what is mounted in the root, in order: the kernel's file systems, Go, the caches."""
    return [
        Mount("rbind", "/dev", "/dev"),
        Mount("rbind", "/sys", "/sys"),
        Mount("proc", "/proc"),
        Mount("tmpfs", "/run"),
        Mount("bind", GO, str(host.go), read_only=True),
        *(Mount("bind", CACHES[name], str(folder)) for name, folder in host.caches.items()),
        *(Mount("bind", str(folder), str(folder), read_only=True) for folder in host.folders),
    ]


def environment(host: Host) -> dict[str, str]:
    """Return every variable that there is in the root."""
    passed = {name: value for name, value in host.variables.items() if name in PASSED}
    own = {"HOME": "/root", "PATH": PATH, "LANG": "C.UTF-8"}
    return {**passed, **host.go_settings, **{name: CACHES[name] for name in host.caches}, **own}


def script() -> str:
    """Return what a stranger would type; the cluster's end is part of it."""
    return f"""set -euo pipefail
git clone --quiet --config advice.detachedHead=false {BUNDLE} {CHECKOUT}
cd {CHECKOUT}
make up
make status
make down
"""


def mounted_in(folder: Path, mountinfo: str) -> list[str]:
    """Return what is mounted below a folder, from /proc/self/mountinfo."""
    points = [line.split()[4] for line in mountinfo.splitlines()]
    return [point for point in points if point.startswith(f"{folder}/")]


def entry(root: Path, host: Host) -> dict[str, Any]:
    """Return what the first process in the root's namespaces is told."""
    return {
        "root": str(root),
        "mounts": [asdict(mount) for mount in mounts(host)],
        "environment": environment(host),
        "script": script(),
    }
