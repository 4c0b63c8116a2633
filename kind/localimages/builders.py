"""The programs that build images, and how each is asked."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from localcluster.commands import succeeds
from localcluster.errors import ProgramsMissingError
from localcluster.progress import Step
from localcluster.streaming import stream

BUILD_SECONDS = 1200.0
SAVE_SECONDS = 300.0
# The build's processes need few files and processes, and a host may forbid the builder's own wish for more.
_LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")


@dataclass(frozen=True)
class Job:
    """One build."""

    context: Path
    reference: str
    arguments: Mapping[str, str]
    fetches: bool
    """Whether it downloads; only then the host's settings are mounted, for a mount leaves empty files behind."""


class Builder(Protocol):
    """What is asked of each of them."""

    def has(self, reference: str) -> bool:
        """Whether the image is in the builder's own store."""

    def build(self, job: Job, *, log: Path, step: Step) -> None:
        """Build `context`/Containerfile."""

    def save(self, reference: str, archive: Path, *, log: Path, step: Step) -> None:
        """Write the image to a file that container engines load."""

    def forget(self, reference: str) -> None:
        """Remove the image from the builder's store, if it is there and nothing needs it."""


@dataclass(frozen=True)
class Docker:
    """Docker's engine."""

    name: str = "docker"

    def has(self, reference: str) -> bool:
        """Ask the engine."""
        return succeeds(["docker", "image", "inspect", reference])

    def build(self, job: Job, *, log: Path, step: Step) -> None:
        """Build by the engine, which brings its own network and settings."""
        stream(["docker", "build", *_target(job)], log=log, step=step, seconds=BUILD_SECONDS)

    def save(self, reference: str, archive: Path, *, log: Path, step: Step) -> None:
        """Write it as Docker does."""
        stream(["docker", "save", "--output", str(archive), reference], log=log, step=step, seconds=SAVE_SECONDS)

    def forget(self, reference: str) -> None:
        """Ask the engine."""
        succeeds(["docker", "image", "rm", reference], timeout=60)


@dataclass(frozen=True)
class Buildah:
    """buildah, or podman, which takes the same options: without a daemon, and without namespaces of their own."""

    name: str
    volumes: Mapping[str, str]
    """File of the host -> place in the build: certificates and the settings of pip and uv."""

    def has(self, reference: str) -> bool:
        """Ask its store."""
        return succeeds([*self._program, "inspect", "--type", "image", reference])

    def build(self, job: Job, *, log: Path, step: Step) -> None:
        """Build in a chroot on the host's network: it works in places that allow no nested containers."""
        command = [*self._program, "build", "--isolation", "chroot", "--network", "host", "--layers", *_LIMITS]
        mounted = self.volumes if job.fetches else {}
        volumes = [word for host, inside in mounted.items() for word in ("--volume", f"{host}:{inside}:ro")]
        stream([*command, *volumes, *_target(job)], log=log, step=step, seconds=BUILD_SECONDS)

    def save(self, reference: str, archive: Path, *, log: Path, step: Step) -> None:
        """Write it under its full name."""
        command = [*self._program, "push", "--quiet", reference, f"docker-archive:{archive}:{reference}"]
        stream(command, log=log, step=step, seconds=SAVE_SECONDS)

    def forget(self, reference: str) -> None:
        """Remove its name; layers that others share stay."""
        succeeds([*self._program, "rmi", reference], timeout=60)

    @property
    def _program(self) -> list[str]:
        """The program with mounts of its own: it leaves its store mounted, also after a build that was killed."""
        own_mounts = ["unshare", "--mount", "--propagation", "private"]
        return [*own_mounts, self.name] if os.geteuid() == 0 and shutil.which("unshare") else [self.name]


def find_builder(volumes: Mapping[str, str], *, engine: bool = True) -> Builder:
    """Return the builder of this machine: Docker where its `engine` may be used and answers, else podman or buildah.

    Raises:
        ProgramsMissingError: there is none.
    """
    if engine and shutil.which("docker") and succeeds(["docker", "info"]):
        return Docker()
    for name in ("podman", "buildah"):
        if shutil.which(name):
            return Buildah(name, volumes)
    remedy = "start Docker, or install a builder: apt-get install buildah"
    raise ProgramsMissingError("No program builds images here: no Docker engine answers, no podman, no buildah", remedy)


def can_make_bases() -> bool:
    """Whether this machine can make a Debian of its own: mmdebstrap, as root."""
    return os.geteuid() == 0 and shutil.which("mmdebstrap") is not None


def _target(job: Job) -> list[str]:
    arguments = [word for name, value in job.arguments.items() for word in ("--build-arg", f"{name}={value}")]
    return [*arguments, "--file", str(job.context / "Containerfile"), "--tag", job.reference, str(job.context)]
