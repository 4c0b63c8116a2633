"""Builds what is missing and says where it is."""

import shutil
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from localcluster.paths import cache
from localcluster.progress import Progress
from localimages import kafka_jars
from localimages.bases import ensure_base
from localimages.builders import Builder, Docker, Job, find_builder
from localimages.catalogue import Image
from localimages.hostsettings import volumes
from localimages.plan import Planned, files, plan_all

KEEP_ARCHIVES = 2
"""How many builds of one image stay in the cache: a change that is taken back costs nothing."""


@dataclass(frozen=True)
class Built:
    """An image, and the file to load it from."""

    name: str
    reference: str
    archive: Path


def build_all(
    progress: Progress, only: Collection[str] | None = None, *, docker: bool | None = None
) -> dict[str, Built]:
    """Build the images `only` (default: all that this machine needs), and return them by name.

    With Docker the stores are the official images, so they are not among them. `docker` says whether it is to be used;
    None leaves that to the machine. Unchanged images cost nothing.

    Raises:
        ProgramsMissingError: no builder, or no mmdebstrap; with what to install.
        CommandFailedError: a build failed; with its last lines and the log.
    """
    folder = cache() / "images"
    with tempfile.TemporaryDirectory() as settings:  # of this run only: the cache may serve several machines
        builder = Docker() if docker else find_builder(volumes(Path(settings)), engine=docker is not False)
        wanted = plan_all(folder, docker=isinstance(builder, Docker), only=only)
        for plan in wanted:
            if plan.archive.exists():
                plan.archive.touch()
            else:
                _build(plan, builder, folder, progress)
    return {plan.image.name: Built(plan.image.name, plan.reference, plan.archive) for plan in wanted}


def _build(plan: Planned, builder: Builder, folder: Path, progress: Progress) -> None:
    if not builder.has(plan.reference):
        base = plan.base if isinstance(builder, Docker) else ensure_base(plan.image.base, builder, folder, progress)
        jars = kafka_jars.ensure(progress) if plan.image.needs_jars else None
        with progress.step(f"Build the image {plan.image.name}") as step, tempfile.TemporaryDirectory() as temporary:
            context = Path(temporary)
            stage(plan.image, context, jars)
            log = folder / f"{plan.image.name}.log"
            job = Job(context, plan.reference, {"BASE": base}, plan.image.fetches)
            builder.build(job, log=log, step=step)
    with progress.step(f"Save the image {plan.image.name}") as step:
        partial = plan.archive.with_suffix(f".{token_hex(4)}.partial")  # another checkout may build the same
        try:
            builder.save(plan.reference, partial, log=folder / f"{plan.image.name}-save.log", step=step)
            partial.rename(plan.archive)  # complete or not there at all
        finally:
            partial.unlink(missing_ok=True)
    _forget_old(plan, builder)


def stage(image: Image, context: Path, jars: Path | None) -> None:
    """Put exactly the files that the image's name was computed from into `context`."""
    for target, source in files(image):
        destination = context / target
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, destination)
    shutil.copy(image.containerfile, context / "Containerfile")
    if jars is not None:
        shutil.copytree(jars, context / "jars")


def _forget_old(plan: Planned, builder: Builder) -> None:
    """Delete all but the newest builds of this image."""
    name, repository = plan.image.name, plan.reference.rpartition(":")[0]
    archives = sorted(plan.archive.parent.glob(f"{name}-??????????.tar"), key=lambda path: path.stat().st_mtime)
    for old in archives[:-KEEP_ARCHIVES]:
        old.unlink()
        builder.forget(f"{repository}:{old.stem.rpartition('-')[2]}")
