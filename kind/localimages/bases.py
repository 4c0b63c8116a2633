"""Makes a base: a small Debian by mmdebstrap, imported into the builder's store."""

import tempfile
from pathlib import Path

from localcluster.errors import ProgramsMissingError
from localcluster.progress import Progress
from localcluster.streaming import stream
from localimages.builders import Builder, Job, can_make_bases
from localimages.catalogue import Base
from localimages.debian import command
from localimages.plan import base_reference

MAKE_SECONDS = 900.0
_IMPORT = 'FROM scratch\nADD root.tar /\nCMD ["/bin/sh"]\n'


def ensure_base(base: Base, builder: Builder, folder: Path, progress: Progress) -> str:
    """Return the reference of `base`, made now if the builder does not have it.

    Raises:
        ProgramsMissingError: mmdebstrap is missing, or this is not root.
        CommandFailedError: it failed, or the import did.
    """
    reference = base_reference(base)
    if builder.has(reference):
        return reference
    if not can_make_bases():
        raise ProgramsMissingError(
            "Base images are made by mmdebstrap, as root", "apt-get install mmdebstrap and run as root, or start Docker"
        )
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"base-{base.name}.log"
    with progress.step(f"Make the base {base.name}") as step, tempfile.TemporaryDirectory(dir=folder) as temporary:
        work = Path(temporary)
        stream(command(base, work / "root.tar"), log=log, step=step, seconds=MAKE_SECONDS)
        (work / "Containerfile").write_text(_IMPORT)
        builder.build(Job(work, reference, {}, fetches=False), log=log, step=step)
    return reference
