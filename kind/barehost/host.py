"""What this host says of packages, certificates and caches, gathered for the root and written into it."""

import json
import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path

from barehost.plan import Host
from localcluster.commands import run
from localcluster.errors import CommandFailedError
from localcluster.paths import cache
from localimages import hostsettings

GO_SETTINGS = ("GOPROXY", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOINSECURE", "GOTOOLCHAIN")
AUTHORITIES = "usr/local/share/ca-certificates"
COPIED = ("etc/resolv.conf", "etc/hosts", "root/.m2/settings.xml")
APT_SETTINGS = tuple(f"Acquire::{part}" for part in ("http", "https", "Check-", "Force", "Retries"))
APT_QUESTION = ("--format", "deb $(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages", "Origin: Debian")


def gather(environ: Mapping[str, str] = os.environ) -> Host:
    """Look at the host's Go, apt and caches; a cache that is not there yet is made, so that it can be mounted."""
    go = json.loads(run(["go", "env", "-json"]))
    home_cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    caches = {
        "SOMAMEMORY_CACHE": cache(),
        "GOCACHE": Path(go["GOCACHE"]),
        "GOMODCACHE": Path(go["GOMODCACHE"]),
        "PIP_CACHE_DIR": Path(environ.get("PIP_CACHE_DIR") or home_cache / "pip"),
        "UV_CACHE_DIR": Path(environ.get("UV_CACHE_DIR") or home_cache / "uv"),
    }
    for folder in caches.values():
        folder.mkdir(parents=True, exist_ok=True)
    folders = [Path("/lib/modules") / platform.release(), *map(Path, environ.get("PIP_FIND_LINKS", "").split())]
    return Host(
        go=Path(go["GOROOT"]),
        caches=caches,
        go_settings={name: go[name] for name in GO_SETTINGS if go.get(name)},
        variables=environ,
        sources=_debian_sources(),
        folders=[folder for folder in folders if folder.is_dir()],
    )


def _debian_sources() -> list[str]:
    """Return where apt finds Debian itself; nothing of other packagers, for the root is to be bare."""
    try:
        return [line for line in run(["apt-get", "indextargets", *APT_QUESTION]).splitlines() if " bookworm" in line]
    except CommandFailedError:
        return []


def apt_settings() -> str:
    """Return how this host's apt fetches: proxies, certificates, checks."""
    lines = run(["apt-config", "dump"]).splitlines()
    return "".join(f"{line}\n" for line in lines if line.startswith(APT_SETTINGS) and not line.endswith(' "";'))


def write_settings(root: Path, scratch: Path, host: Host) -> None:
    """Write into the root what makes downloads work: names, certificates, the settings of pip and uv."""
    for name in COPIED:
        _copy(Path("/", name), root / name)
    authorities = Path("/", AUTHORITIES)
    if authorities.is_dir():  # Debian adds them to its own as soon as ca-certificates is installed
        shutil.copytree(authorities, root / AUTHORITIES, dirs_exist_ok=True)
    for source, place in hostsettings.volumes(scratch, host.variables).items():
        _copy(Path(source), root / place.lstrip("/"))


def _copy(source: Path, target: Path) -> None:
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # it may be a link to where nothing is
        shutil.copy(source, target)
