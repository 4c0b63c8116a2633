"""From what images are made of to their names, which tell the content; reads files, changes nothing."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from localcluster.paths import content_key
from localimages.catalogue import OFFICIAL_PYTHON, PROGRAMS, STORE_IMAGES, Base, Image
from localimages.debian import command

_IGNORED = ("__pycache__",)
_REPOSITORY = "localhost/somamemory"


@dataclass(frozen=True)
class Planned:
    """An image, the reference that its content gives it, and the file it is kept in."""

    image: Image
    base: str
    """The reference to build on."""
    reference: str
    archive: Path


def plan_all(folder: Path, *, docker: bool, only: Collection[str] | None = None) -> list[Planned]:
    """Return the images with their names; builds nothing.

    Raises:
        ValueError: `only` names an image that there is not.
    """
    images: tuple[Image, ...] = PROGRAMS if docker else (*PROGRAMS, *STORE_IMAGES)
    names = [image.name for image in images]
    if unknown := set(only or ()) - set(names):
        raise ValueError(f"there is no image {', '.join(sorted(unknown))}; choose from {', '.join(names)}")
    return [
        planned(image, base=OFFICIAL_PYTHON if docker else base_reference(image.base), archives=folder)
        for image in images
        if only is None or image.name in only
    ]


def base_reference(base: Base) -> str:
    """Return the reference of a base of our own."""
    return f"{_REPOSITORY}/base-{base.name}:{content_key(*command(base, Path()))}"


def planned(image: Image, *, base: str, archives: Path) -> Planned:
    """Return the name of an image as it would be built now on `base`."""
    parts: list[str | Path] = [base, image.containerfile]
    for target, source in files(image):
        parts += [target, oct(source.stat().st_mode & 0o111), source]
    key = content_key(*parts)
    return Planned(image, base, f"{_REPOSITORY}/{image.name}:{key}", archives / f"{image.name}-{key}.tar")


def files(image: Image) -> Iterator[tuple[str, Path]]:
    """Yield (path in the context, file) of everything that the build may see, in a fixed order."""
    for target, source in sorted(image.context.items()):
        if source.is_file():
            yield target, source
            continue
        for file in sorted(source.rglob("*")):
            if file.is_file() and not set(file.parts) & set(_IGNORED):
                yield f"{target}/{file.relative_to(source)}", file
