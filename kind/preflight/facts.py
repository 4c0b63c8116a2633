"""The facts about a machine on which its problems depend."""

from collections.abc import Sequence
from dataclasses import dataclass

from localcluster import choose

GIB = 1024**3
CAPABILITIES = {"SYS_ADMIN": 21, "NET_ADMIN": 12, "SYS_CHROOT": 18, "MKNOD": 27, "CHOWN": 0}
"""What root may lack inside of a container, by the number of its bit."""
CONTROLLERS = ("cpu", "cpuset", "memory", "pids")


@dataclass(frozen=True)
class Room:
    """One file system: what is to go there, how much that needs and how much is free."""

    folders: Sequence[str]
    needed: int
    free: int


@dataclass(frozen=True)
class Facts:
    """What one look at a machine found. The defaults describe a machine that lacks nothing."""

    choice: choose.Facts
    debian: bool = True
    missing_packages: Sequence[str] = ()
    missing_tools: Sequence[str] = ()
    """Programs that a person installs: kubectl, helm, a builder of images."""
    go: str = "go1.26.0"
    """The answer of `go env GOVERSION`, empty where there is no Go."""
    toolchain: str = "local"
    compiles: bool = True
    """Something is left to compile."""
    images: int = 0
    """How many images are left to build."""
    rooms: Sequence[Room] = ()
    memory: int = 16 * GIB
    capabilities: int = -1
    """The bits of the capabilities that this process has."""
    networks: Sequence[str] = ()
    """Networks of this host that hold the addresses of the node."""
    controllers: frozenset[str] = frozenset(CONTROLLERS)
    """Controllers of the control groups that can be used."""
    lacking: Sequence[str] = ()
    """Features of the kernel that it neither has nor can load."""
    state_filesystem: str = "ext4"
    """The kind of file system that containers would lie on."""
    port_taken: bool = False
    """Somebody else listens on the port of this host that kind maps."""
