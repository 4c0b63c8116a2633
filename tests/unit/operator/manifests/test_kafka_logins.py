"""The shell functions by which Kafka's pod has its broker learn users, with Kafka's own tool played by a file."""

import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]
FOLDER = files("somamemory_operator.manifests.stores")
PLAYED = """
configs() {
    case "$*" in
    *--describe*)
        [ ! -f "$PLACE/broken" ] || return 1
        for user in "$PLACE"/users/*; do
            [ -f "$user" ] || continue
            echo "SCRAM credential configs for user-principal '${user##*/}' are SCRAM-SHA-512=iterations=4096"
        done ;;
    *--delete-config*) rm "$PLACE/users/$4" ;;
    *) cat >"$PLACE/users/$4" ;;
    esac
}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "users").mkdir()
    (tmp_path / "KAFKA_LOGIN").write_text("soma-1:one")
    return tmp_path


def run(shell: str, place: Path, act: str) -> int:
    script = FOLDER.joinpath("kafka-tls.sh").read_text().partition("rm -f /tmp/admitted")[0]
    script = script.replace("/run/credentials", str(place)) + PLAYED + act
    environment = {"PLACE": str(place), "PATH": "/usr/bin:/bin"}
    return subprocess.run([shell, "-c", script], env=environment, capture_output=True, check=False).returncode


def users(place: Path) -> dict[str, str]:
    return {file.name: file.read_text().strip() for file in (place / "users").iterdir()}


def login(password: str) -> str:
    return f"SCRAM-SHA-512=iterations=4096,password={password}"


@pytest.mark.parametrize("shell", SHELLS)
def test_it_knows_those_of_the_files_and_nobody_else(shell: str, place: Path) -> None:
    (place / "users/soma-0").write_text(login("zero"))
    (place / "KAFKA_LOGIN_NEXT").write_text("soma-2:two")

    assert run(shell, place, "use_logins") == 0

    assert users(place) == {"soma-1": login("one"), "soma-2": login("two")}


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_not_done_is_no_success(shell: str, place: Path) -> None:
    """Or it would not be tried again, and an old login would stay valid."""
    (place / "users/soma-0").write_text(login("zero"))
    (place / "broken").touch()

    assert run(shell, place, "use_logins") != 0
    assert users(place).keys() == {"soma-0", "soma-1"}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("lost", ["removed", "empty"])
def test_nobody_is_dismissed_when_the_files_say_nobody(shell: str, place: Path, lost: str) -> None:
    (place / "users/soma-1").write_text(login("one"))
    if lost == "removed":
        (place / "KAFKA_LOGIN").unlink()
    else:
        (place / "KAFKA_LOGIN").write_text("")

    assert run(shell, place, "use_logins") != 0
    assert users(place) == {"soma-1": login("one")}
