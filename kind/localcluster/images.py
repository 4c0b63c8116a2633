"""Image archives: the names inside one, and a tiny image made without any builder."""

import hashlib
import io
import json
import platform
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from localcluster.errors import CannotRunError
from localcluster.paths import content_key

BUSYBOX = Path("/bin/busybox")
FOREVER = ("/bin/busybox", "sleep", "2147483647")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def names_in(archive: Path) -> list[str]:
    """Return the image references that an archive of `docker save`, `podman save` or `buildah push` carries.

    Raises:
        CannotRunError: it is not such an archive, or carries no name.
    """
    remedy = "write it with `podman save` or `docker save`, by name rather than by id"
    try:
        with tarfile.open(archive) as content:
            members = content.getnames()
            if "manifest.json" in members:
                names = [name for image in _json(content, "manifest.json") for name in image.get("RepoTags") or ()]
            else:
                manifests = _json(content, "index.json")["manifests"]
                notes = [manifest.get("annotations", {}) for manifest in manifests]
                keys = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
                names = [next((note[key] for key in keys if key in note), "") for note in notes]
    except (tarfile.TarError, KeyError, OSError, ValueError) as error:
        raise CannotRunError(f"{archive} is not an image archive: {error}", remedy) from error
    if not all(names) or not names:
        raise CannotRunError(f"{archive} carries no image name", remedy)
    return names


def _json(content: tarfile.TarFile, name: str) -> Any:
    member = content.extractfile(name)
    if member is None:
        raise KeyError(name)
    return json.load(member)


def busybox_image() -> str:
    """Return the reference of the image that holds this machine's static busybox."""
    return f"localhost/somamemory/busybox:{content_key(BUSYBOX)}"


def write_busybox(archive: Path) -> None:
    """Write an image with busybox and a link for each of its commands; by itself it sleeps, as a pod's pause does.

    It serves as sandbox image and as the volume provisioner's helper: so the node needs no registry and no builder.
    """
    commands = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True, timeout=10).stdout
    write_image(archive, busybox_image(), _layer(BUSYBOX.read_bytes(), commands.split()), FOREVER)


def _layer(binary: bytes, links: Sequence[str]) -> bytes:
    """Return a reproducible tar: no times, no owners but root."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        for folder, mode in (("bin", 0o755), ("tmp", 0o1777), ("etc", 0o755)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            layer.addfile(entry)
        entry = tarfile.TarInfo("bin/busybox")
        entry.mode, entry.size = 0o755, len(binary)
        layer.addfile(entry, io.BytesIO(binary))
        for name in sorted(set(links) - {"busybox"}):
            entry = tarfile.TarInfo(f"bin/{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            layer.addfile(entry)
    return buffer.getvalue()


def write_image(archive: Path, name: str, layer: bytes, command: Sequence[str]) -> None:
    """Write a one-layer image in the format of `docker save`."""
    config = {
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Cmd": list(command), "Env": ["PATH=/bin"], "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    files = {
        "config.json": json.dumps(config).encode(),
        "manifest.json": json.dumps(manifest).encode(),
        "layer.tar": layer,
    }
    with tarfile.open(archive, "w") as content:
        for file_name, raw in files.items():
            entry = tarfile.TarInfo(file_name)
            entry.size = len(raw)
            content.addfile(entry, io.BytesIO(raw))
