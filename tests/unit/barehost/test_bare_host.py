"""What a bare Debian is given: what a stranger's machine has, how this host downloads, and nothing else."""

from pathlib import Path

import pytest

from barehost import entry, plan
from barehost.__main__ import Echo
from barehost.plan import Host, Mount
from localcluster.errors import CannotRunError

ROOT = Path("/folder/root")
HOST = Host(
    go=Path("/opt/go"),
    caches={"SOMAMEMORY_CACHE": Path("/home/me/.cache/somamemory"), "GOCACHE": Path("/home/me/.cache/go-build")},
    go_settings={"GOTOOLCHAIN": "local"},
    variables={"https_proxy": "http://proxy.example", "AWS_SECRET_ACCESS_KEY": "secret", "HOME": "/home/me"},
)


def test_a_bare_machine_has_git_make_python_and_go_and_nothing_else() -> None:
    words = plan.debootstrap(ROOT, HOST, Path("/folder/apt.conf"))

    assert [word for word in words if word.startswith("--include")] == ["--include=git,make,python3"]
    assert "--variant=minbase" in words
    assert Mount("bind", "/usr/local/go", "/opt/go", read_only=True) in plan.mounts(HOST)


def test_debian_comes_from_where_the_host_has_it_from() -> None:
    """No address is written down: without a line of the host's, mmdebstrap knows Debian's own."""
    source = "deb http://mirror.example/debian/ bookworm main"
    asked = plan.debootstrap(ROOT, Host(Path("/go"), {}, sources=[source]), Path("/apt.conf"))

    assert asked[-3:] == ["bookworm", str(ROOT), source]
    assert "://" not in " ".join(plan.debootstrap(ROOT, HOST, Path("/apt.conf")))


def test_what_is_built_in_it_stays_in_the_hosts_caches() -> None:
    """The cold build happens once; what follows on the host is warm."""
    (mount,) = [mount for mount in plan.mounts(HOST) if mount.source.endswith("somamemory")]

    assert mount == Mount("bind", plan.environment(HOST)["SOMAMEMORY_CACHE"], "/home/me/.cache/somamemory")


def test_a_cache_that_the_host_does_not_have_is_not_promised() -> None:
    assert "GOMODCACHE" not in plan.environment(HOST)


def test_the_variables_are_the_roots_own_and_those_that_downloads_need() -> None:
    """Neither a credential nor a path of the host gets in."""
    environment = plan.environment(HOST)

    assert environment["HOME"] == "/root"
    assert environment["https_proxy"] == "http://proxy.example"
    assert environment["GOTOOLCHAIN"] == "local"
    assert "AWS_SECRET_ACCESS_KEY" not in environment
    assert "/home/me" not in " ".join(environment.values())


def test_the_processes_are_its_own_and_the_devices_the_hosts() -> None:
    kinds = {mount.target: mount.kind for mount in plan.mounts(HOST)}

    assert kinds["/proc"] == "proc"
    assert kinds["/run"] == "tmpfs"
    assert kinds["/dev"] == kinds["/sys"] == "rbind"


def test_the_run_is_what_a_stranger_types_and_ends_at_the_first_failure() -> None:
    lines = plan.script().splitlines()

    assert lines[0] == "set -euo pipefail"
    assert lines[1].startswith("git clone")
    assert lines[-3:] == ["make up", "make status", "make down"]


def test_only_a_recalled_memory_counts() -> None:
    echo = Echo()
    echo.say("Applying soma-memory/soma")
    assert not echo.recalled

    echo.say("Stored and recalled: “a line”")
    assert echo.recalled


def test_nobodys_root_is_changed_outside_of_a_namespace(tmp_path: Path) -> None:
    """The first process of a namespace has the number 1; this one does not."""
    with pytest.raises(CannotRunError, match="namespace of its own"):
        entry.main(tmp_path / "plan.json")


def test_what_is_mounted_in_a_root_is_seen_before_it_is_removed() -> None:
    """Removing a folder removes what is mounted there, too."""
    mountinfo = (
        "21 1 254:0 / / rw - ext4 /dev/vda rw\n"
        "22 21 254:0 /caches /folder/root/caches rw - ext4 /dev/vda rw\n"
        "23 21 254:0 / /folder-of-another rw - ext4 /dev/vda rw\n"
    )

    assert plan.mounted_in(Path("/folder"), mountinfo) == ["/folder/root/caches"]


def test_wheels_of_the_host_are_there_and_known_by_the_same_name() -> None:
    """What builds images in the root mounts such folders by the variable that names them."""
    host = Host(Path("/go"), {}, variables={"PIP_FIND_LINKS": "/wheels"}, folders=[Path("/wheels")])

    assert plan.environment(host)["PIP_FIND_LINKS"] == "/wheels"
    assert Mount("bind", "/wheels", "/wheels", read_only=True) in plan.mounts(host)
