"""What a build needs to know about the host to download anything: certificates, and how pip and uv find packages.

Handed in as files that are mounted for the time of the build, so no image and no file of the repository carries them.
"""

import json
import os
import ssl
from collections.abc import Mapping
from pathlib import Path

from localcluster.commands import run
from localcluster.errors import CommandFailedError

_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def volumes(folder: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Write the settings below `folder` and return file of the host -> place in the build."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted: dict[str, str] = {}
    bundle = environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    if bundle and Path(bundle).is_file():
        mounted[bundle] = _CERTIFICATES
    mounted[_written(folder / "pip.conf", pip_settings(_pip_config()))] = "/etc/pip.conf"
    mounted[_written(folder / "uv.toml", uv_settings(environ))] = "/etc/uv/uv.toml"
    links = environ.get("PIP_FIND_LINKS") or environ.get("UV_FIND_LINKS") or ""
    mounted |= {place: place for place in links.split() if Path(place).is_dir()}
    return mounted


def _written(path: Path, text: str) -> str:
    path.touch(mode=0o600)  # the address of an index may hold a password
    path.write_text(text)
    return str(path)


def _pip_config() -> str:
    try:
        return run(["python3", "-m", "pip", "config", "list"], timeout=60)
    except CommandFailedError:  # no pip on this host: then it has no settings either
        return ""


def pip_settings(listing: str) -> str:
    """The output of `pip config list` (files and PIP_… variables alike) as one pip.conf; certificates as mounted."""
    wanted = {"index-url", "extra-index-url", "find-links", "trusted-host", "timeout", "retries", "proxy"}
    lines = ["[global]", f"cert = {_CERTIFICATES}"]
    for line in listing.splitlines():
        name, separator, value = line.partition("=")
        option = name.rpartition(".")[2]
        if separator and option in wanted:
            lines.append(f"{option} = {value.strip(chr(39))}")
    return "\n".join(lines) + "\n"


def uv_settings(environ: Mapping[str, str]) -> str:
    """uv.toml: the system's certificates, and the index of the host's variables if they name one."""
    lines = ["native-tls = true"]
    index = environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL") or environ.get("PIP_INDEX_URL")
    if index:
        lines.append(f'index-url = "{index}"')
    links = environ.get("UV_FIND_LINKS") or environ.get("PIP_FIND_LINKS")
    if links:
        lines.append(f"find-links = {json.dumps(links.split())}")
    return "\n".join(lines) + "\n"
