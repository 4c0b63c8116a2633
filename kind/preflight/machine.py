"""Looks at this machine: the facts on which the problems depend. Changes nothing; needs the standard library only."""

import importlib.util
import platform
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path

from localcluster import facts as choices
from localcluster.choose import ProviderName
from localcluster.commands import run, succeeds
from localcluster.errors import CommandFailedError
from localcluster.layout import HOST_LINK, KIND_NODE, NODE_PORT
from localcluster.paths import NODE_STATE, cache
from localcluster.programs import KIND_PROGRAM, NODE
from localimages.plan import plan_all
from preflight import reading
from preflight.facts import GIB, Facts, Room
from preflight.rules import provider
from preflight.targets import Target, names_in, package_lists

FEATURES = ("overlay", "nf_tables", "veth", "bridge")
BUILDERS_STORE = Path("/var/lib/containers")
# What the parts take at their largest, measured, and a little more.
STATE_ROOM, COMPILER_ROOM, MODULES_ROOM, IMAGES_ROOM, STORE_ROOM, BARE_ROOM = (gib * GIB for gib in (4, 6, 3, 2, 4, 10))


def look(target: Target) -> Facts:
    """Return the facts about this machine that matter to a target."""
    choice = choices.gather()
    chosen = provider(Facts(choice)) or ("node" if choice.linux else "docker")
    compiles = _compiles(target, chosen)
    go, toolchain = _go() if compiles else ("", "")
    return Facts(
        choice=choice,
        debian=all(shutil.which(name) for name in ("dpkg-query", "apt-get")),
        missing_packages=missing_packages(target, chosen),
        missing_tools=_missing_tools(target, chosen),
        go=go,
        toolchain=toolchain,
        compiles=compiles,
        images=unbuilt_images(target, chosen),
        rooms=_rooms(_needs(target, chosen, compiles=compiles)),
        memory=reading.memory(_text("/proc/meminfo")),
        capabilities=reading.capabilities(_text("/proc/self/status")),
        networks=reading.networks(_text("/proc/net/route"), HOST_LINK),
        controllers=reading.controllers(_text("/proc/mounts"), _text("/sys/fs/cgroup/cgroup.controllers")),
        lacking=reading.lacking(FEATURES, _text("/proc/filesystems"), _modules()),
        state_filesystem=reading.filesystem(_text("/proc/self/mountinfo"), str(_existing(NODE_STATE))),
        port_taken=chosen == "docker" and _port_is_taken(),
    )


def missing_packages(target: Target, chosen: ProviderName) -> list[str]:
    """Return the packages that the target needs and that are not installed; all of them where there is no dpkg."""
    wanted = names_in(path.read_text() for path in package_lists(target, chosen))
    if not importlib.util.find_spec("ensurepip"):
        wanted.append("python3-venv")
    try:
        listing = run(["dpkg-query", "--showformat=${Package} ${db:Status-Status}\n", "--show", "*"])
    except CommandFailedError:
        listing = ""
    return reading.not_installed(wanted, listing)


def unbuilt_images(target: Target, chosen: ProviderName) -> int:
    """Return how many images the target has to build."""
    plans = plan_all(cache() / "images", docker=chosen == "docker") if target.images else []
    return sum(not plan.archive.exists() for plan in plans)


def _compiles(target: Target, chosen: ProviderName) -> bool:
    node = target.compiles or (target.cluster and chosen == "node")
    kind = target.cluster and chosen == "docker" and not shutil.which("kind")
    return (node and not NODE.built) or (kind and not KIND_PROGRAM.built)


def _go() -> tuple[str, str]:
    try:
        version, toolchain = run(["go", "env", "GOVERSION", "GOTOOLCHAIN"]).splitlines()
    except CommandFailedError:
        return "", ""
    return version, toolchain


def _missing_tools(target: Target, chosen: ProviderName) -> list[str]:
    needed = ("kubectl", "helm") if target.cluster and chosen != "node" else ()
    return [name for name in needed if not shutil.which(name)]


def _needs(target: Target, chosen: ProviderName, *, compiles: bool) -> dict[Path, int]:
    """Return the folders that will grow, and by how much."""
    needs: dict[Path, int] = {}
    if target.cluster and chosen == "node":
        needs[NODE_STATE] = STATE_ROOM
    if target.bare:
        needs[cache()] = BARE_ROOM
    if compiles:
        needs |= _compiler_needs()
    if unbuilt_images(target, chosen):
        needs[cache()] = IMAGES_ROOM
        needs[BUILDERS_STORE] = STORE_ROOM if chosen != "docker" else 0
    return needs


def _compiler_needs() -> dict[Path, int]:
    try:
        build, modules = run(["go", "env", "GOCACHE", "GOMODCACHE"]).splitlines()
    except CommandFailedError:  # told as a missing Go
        return {}
    return {Path(build): COMPILER_ROOM, Path(modules): MODULES_ROOM}


def _rooms(needs: Mapping[Path, int]) -> list[Room]:
    """Add up what goes to the same file system."""
    by_device: dict[int, list[Path]] = {}
    for folder in needs:
        by_device.setdefault(_existing(folder).stat().st_dev, []).append(folder)
    return [
        Room(
            [str(folder) for folder in folders],
            sum(needs[folder] for folder in folders),
            shutil.disk_usage(_existing(folders[0])).free,
        )
        for folders in by_device.values()
    ]


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())


def _text(path: str | Path) -> str:
    try:
        return Path(path).read_text()
    except OSError:  # not Linux, or not there
        return ""


def _modules() -> str | None:
    folder = Path("/lib/modules") / platform.release()
    texts = [_text(folder / name) for name in ("modules.builtin", "modules.dep")]
    return "\n".join(texts) if any(texts) else None


def _port_is_taken() -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        listens = probe.connect_ex(("127.0.0.1", NODE_PORT)) == 0
    return listens and not succeeds(["docker", "container", "inspect", KIND_NODE])
