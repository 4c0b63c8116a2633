"""The wheel as a stranger installs it: into an empty environment, with one extra, at the locked versions."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.integration.api.programs import ROOT, eventually
from tests.services.server import free_port

BIN = Path(sys.executable).parent
pytestmark = pytest.mark.timeout(900)  # the first installation fetches every library
SERVICE_EXTRAS = ("api", "events", "grpc", "api,otel")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the checkout."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([BIN / "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module", params=SERVICE_EXTRAS)
def service(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that holds the service."""
    return _installed(wheel, request.param, tmp_path_factory.mktemp("environment"))


@pytest.fixture(scope="module")
def operator(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that holds the operator only."""
    return _installed(wheel, "operator", tmp_path_factory.mktemp("environment"))


@pytest.mark.parametrize(
    "program",
    [
        ["soma", "--help"],
        ["soma", "consume", "--help"],
        ["soma", "openapi"],
        ["python", "-m", "somafractalmemory.async_grpc_server", "--help"],
    ],
    ids=" ".join,
)
def test_a_program_of_the_service_starts_without_an_import_error(service: Path, program: list[str]) -> None:
    """(S-18) (S-19) (S-83) (cli defect 0) (core defect 24)"""
    _starts(service, program)


@pytest.mark.parametrize("program", [["somamemory-operator", "--help"], ["somamemory-operator", "crd"]], ids=" ".join)
def test_the_operator_starts_without_an_import_error(operator: Path, program: list[str]) -> None:
    _starts(operator, program)


def test_the_service_names_its_extra_where_only_the_operator_is_installed(operator: Path) -> None:
    done = _run(operator, "soma", "--help")

    assert done.returncode == 2
    assert "pip install 'somafractalmemory[api]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_consumer_starts_and_names_what_it_lacks(service: Path) -> None:
    """(S-18) (events defect 14)"""
    done = _run(service, "soma", "consume")

    assert done.returncode == 2
    assert "POSTGRES_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_embedded_service_remembers(service: Path, tmp_path: Path) -> None:
    """Whatever the working directory. (S-19)"""
    port = free_port()
    given = {"SOMA_API_TOKEN": "a-token", "UVICORN_PORT": str(port), "UVICORN_HOST": "127.0.0.1"}
    given |= {"SOMA_GRPC_HOST": "127.0.0.1", "SOMA_GRPC_PORT": str(free_port())}
    with (tmp_path / "log").open("wb") as log:
        program = subprocess.Popen(
            [service / "soma", "serve", "--embedded"], env=_clean(given), cwd=tmp_path, stdout=log, stderr=log
        )
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": "Bearer a-token"}, trust_env=False
        ) as client:
            eventually(lambda: client.get("/healthz").status_code == 200)
            client.post("/store", json={"coord": "1,2", "payload": {"fact": "cats purr"}}).raise_for_status()
            found = client.post("/recall", json={"query": "purr"}).json()["matches"]
    finally:
        program.send_signal(signal.SIGTERM)
        program.wait(30)

    assert [match["fact"] for match in found] == ["cats purr"]


def _installed(wheel: Path, extra: str, folder: Path) -> Path:
    _uv("venv", "--python", sys.executable, str(folder))
    locked = str(ROOT / "requirements.lock")
    _uv("pip", "install", "--python", str(folder / "bin" / "python"), "-c", locked, f"{wheel}[{extra}]")
    return folder / "bin"


def _starts(environment: Path, program: list[str]) -> None:
    done = _run(environment, *program)

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout


def _uv(*arguments: str) -> None:
    done = subprocess.run([BIN / "uv", "-q", *arguments], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr


def _run(environment: Path, *program: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [environment / program[0], *program[1:]],
        env=_clean({}),
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _clean(given: dict[str, str]) -> dict[str, str]:
    """Nothing of ours in the environment: no PYTHONPATH, no settings."""
    return {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}} | given
