"""The Debian packages that the node needs."""

import os
import shutil

from localcluster.commands import run
from localcluster.errors import ProgramsMissingError
from localcluster.paths import KIND
from localcluster.progress import Progress

LIST = KIND / "node" / "debian-packages.txt"
INSTALL_SECONDS = 900.0


def names() -> list[str]:
    """Return the packages' names."""
    lines = [line.partition("#")[0].strip() for line in LIST.read_text().splitlines()]
    return [line for line in lines if line]


def missing() -> list[str]:
    """Return those that are not installed.

    Raises:
        ProgramsMissingError: this is no Debian; with what is needed.
    """
    if not shutil.which("dpkg-query"):
        raise ProgramsMissingError(
            "The node without Docker is made for Debian, and dpkg is not here",
            f"start Docker instead, or run on Debian 12; the packages needed there: {' '.join(names())}",
        )
    query = ["dpkg-query", "--showformat=${Package} ${db:Status-Status}\n", "--show", "*"]
    installed = {line.split()[0] for line in run(query).splitlines() if line.endswith(" installed")}
    return [name for name in names() if name not in installed]


def ensure(progress: Progress) -> None:
    """Install what is missing, as root; the packages start no service.

    Raises:
        ProgramsMissingError: we are not root; with the command.
        CommandFailedError: the installation failed.
    """
    wanted = missing()
    if not wanted:
        return
    if os.geteuid() != 0:
        raise ProgramsMissingError(f"Packages are missing: {' '.join(wanted)}", f"apt-get install {' '.join(wanted)}")
    with progress.step(f"Install {' '.join(wanted)}"):
        run(
            ["bash", str(KIND / "packages.sh"), str(LIST)],
            timeout=INSTALL_SECONDS,
            remedy=f"apt-get install {' '.join(wanted)}",
        )
