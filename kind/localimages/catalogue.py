"""What each image is made of. Plain data: nothing here looks at the machine, apart from where the checkout is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localcluster.paths import KIND

ROOT = KIND.parent
IMAGES = KIND / "images"
OFFICIAL_PYTHON = "docker.io/library/python:3.13-slim"

_PROSE = ("/usr/share/doc/*", "/usr/share/i18n/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*")
# Postgres works without its just-in-time compiler, which weighs 150 MB.
_LLVM = (
    "/usr/lib/*/libLLVM*",
    "/usr/lib/*/libz3*",
    "/usr/lib/postgresql/*/lib/bitcode/*",
    "/usr/lib/postgresql/*/lib/llvmjit*",
)
_JAVA = ("/usr/lib/jvm/*/lib/ct.sym", "/usr/lib/jvm/*/lib/server/classes_nocoops.jsa")  # compiler's; for huge heaps


@dataclass(frozen=True)
class Base:
    """A Debian with some packages, made by mmdebstrap where no registry serves an image."""

    name: str
    packages: tuple[str, ...]
    suite: str = "bookworm"
    leave_out: tuple[str, ...] = _PROSE


@dataclass(frozen=True)
class Image:
    """One image of ours: a Containerfile, its context, and what it starts from."""

    name: str
    containerfile: Path
    base: Base
    context: Mapping[str, Path]
    """Path in the build context -> file or folder that goes there."""
    needs_jars: bool = False
    """Kafka's jars go to `jars` in the context; the pom, which is part of it, tells their content."""
    fetches: bool = False
    """Whether its build downloads, so that the host's proxy and certificate settings must reach it."""


# Two bases, so that the images of one kind share their layer: it is loaded into a node once. One base for all would
# put Postgres and Java into the API's image; a base for each would load Debian five times.
PYTHON = Base("python", ("ca-certificates", "python3", "python3-venv"), leave_out=_PROSE)
STORES = Base(
    "stores",
    ("openjdk-17-jre-headless", "postgresql-15", "redis-server"),
    leave_out=(*_PROSE, *_LLVM, *_JAVA),
)

_LOCK = {"requirements.lock": ROOT / "requirements.lock"}
_PROJECT = {**_LOCK, "pyproject.toml": ROOT / "pyproject.toml", "LICENSE": ROOT / "LICENSE"}


def _program(name: str, folder: str, package: str) -> Image:
    context = {**_PROJECT, f"{folder}/{package}": ROOT / folder / package}
    return Image(name, ROOT / folder / "Dockerfile", PYTHON, context, fetches=True)


def _store(name: str, base: Base, *files: str, needs_jars: bool = False) -> Image:
    folder = IMAGES / name
    return Image(name, folder / "Containerfile", base, {file: folder / file for file in files}, needs_jars)


_EDGE = IMAGES / "qdrant-edge"
PROGRAMS = (
    _program("operator", "operator", "somamemory_operator"),
    _program("api", "api_server", "somafractalmemory"),
)
STORE_IMAGES = (
    _store("postgres", STORES, "docker-entrypoint.sh"),
    _store("redis", STORES),
    _store("kafka", STORES, "bin", "pom.xml", needs_jars=True),
    Image(
        "qdrant-edge",
        _EDGE / "Containerfile",
        PYTHON,
        {**_LOCK, **{name: _EDGE / name for name in ("pyproject.toml", "qdrant_edge_server")}},
        fetches=True,
    ),
)
