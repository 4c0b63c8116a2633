"""What each target of the Makefile needs, as data."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from localcluster.choose import ProviderName
from localcluster.paths import KIND

NODE_PACKAGES = KIND / "node/debian-packages.txt"
IMAGE_PACKAGES = KIND / "images/debian-packages.txt"
BARE_PACKAGES = KIND / "barehost/debian-packages.txt"
TEST_PACKAGES = KIND.parent / "tests/debian-packages.txt"


@dataclass(frozen=True)
class Target:
    """One target: which parts of the machine it uses."""

    cluster: bool = False
    """It starts a cluster."""
    images: bool = False
    """It builds images."""
    compiles: bool = False
    """It builds the node's programs, whichever cluster there is."""
    stores: bool = False
    """It starts private stores from Debian's packages."""
    bare: bool = False
    """It starts a node in a root of its own."""


TARGETS = {
    "up": Target(cluster=True, images=True),
    "images": Target(images=True),
    "test": Target(cluster=True, images=True, compiles=True, stores=True),
    "prepare": Target(images=True, compiles=True, stores=True),
    "integration": Target(compiles=True, stores=True),
    "bench": Target(stores=True),
    "bare-up": Target(compiles=True, bare=True),
}


def package_lists(target: Target, provider: ProviderName) -> list[Path]:
    """Return the files that list the Debian packages of a target."""
    node = target.cluster and provider == "node"
    bases = target.images and provider != "docker"
    lists = {
        NODE_PACKAGES: node,
        IMAGE_PACKAGES: bases or target.stores,
        TEST_PACKAGES: target.stores,
        BARE_PACKAGES: target.bare,
    }
    return [path for path, wanted in lists.items() if wanted]


def names_in(lists: Iterable[str]) -> list[str]:
    """Return the packages in the texts of such files, each once, without comments."""
    lines = (line.partition("#")[0].strip() for text in lists for line in text.splitlines())
    return sorted({line for line in lines if line})
