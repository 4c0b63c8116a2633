"""Host ports of the compose stack: honoured where they are free, replaced where not."""

import socket
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from somafractalmemory.cli import hostports
from somafractalmemory.cli.app import app
from somafractalmemory.errors import ConfigurationError
from tests.services.server import free_port

COMPOSE = Path(__file__).parents[4] / "api_server" / "compose.yaml"
PUBLISHED = {
    "POSTGRES_HOST_PORT": ("postgres", 5432),
    "REDIS_HOST_PORT": ("redis", 6379),
    "QDRANT_HOST_PORT": ("qdrant", 6333),
    "KAFKA_HOST_PORT": ("kafka", 9092),
    "KAFKA_OUTSIDE_PORT": ("kafka", 19092),
}


@pytest.mark.parametrize("variable", PUBLISHED)
def test_a_wanted_port_that_is_free_is_taken(variable: str) -> None:
    """(S-55) (S-56) (S-57) (S-58) (S-59)"""
    assigned = hostports.assign({variable: "20123"}, lambda _: True)

    assert {each.variable: each.port for each in assigned} == {**hostports.DEFAULTS, variable: 20123}


@pytest.mark.parametrize("variable", PUBLISHED)
def test_a_port_in_use_is_replaced_by_the_next_free_one(variable: str, tmp_path: Path) -> None:
    """With a real listener, through the command, into the file. (S-55) (S-56) (S-57) (S-58) (S-59)"""
    file = tmp_path / ".env"
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        file.write_text(f"# chosen by hand\n{variable}={taken}\nKEPT=yes\n")
        done = CliRunner().invoke(app, ["ports", "--file", str(file)], env={variable: ""})

    assert done.exit_code == 0, done.output
    written = hostports.read(file)
    assert int(written[variable]) > taken
    assert f"# {taken} is taken" in done.output
    assert written["KEPT"] == "yes"
    assert written["UVICORN_PORT"] == "9595"


def test_the_environment_beats_the_file_and_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    file, port = tmp_path / ".env", free_port()
    done = CliRunner().invoke(
        app, ["ports", "--file", str(file), "--dry-run", "-o", "json"], env={"REDIS_HOST_PORT": str(port)}
    )

    assert f'"REDIS_HOST_PORT": {port}' in done.output
    assert not file.exists()


def test_no_two_stores_get_the_same_port() -> None:
    assigned = hostports.assign(dict.fromkeys(hostports.DEFAULTS, "9595"), lambda _: True)

    assert [each.port for each in assigned] == [9596, 9597, 9598, 9599, 9600]


def test_what_is_no_port_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="QDRANT_HOST_PORT"):
        hostports.assign({"QDRANT_HOST_PORT": "many"}, lambda _: True)


@pytest.mark.parametrize("variable", PUBLISHED)
def test_the_compose_stack_publishes_at_the_assigned_port(variable: str) -> None:
    """(S-55) (S-56) (S-57) (S-58) (S-59)"""
    service, inside = PUBLISHED[variable]
    ports = yaml.safe_load(COMPOSE.read_text())["services"][service]["ports"]

    assert f"127.0.0.1:${{{variable}:-{hostports.DEFAULTS[variable]}}}:{inside}" in ports


def test_kafka_tells_clients_of_the_host_the_port_that_they_can_reach() -> None:
    """(S-59)"""
    environment = yaml.safe_load(COMPOSE.read_text())["services"]["kafka"]["environment"]

    assert "OUTSIDE://localhost:${KAFKA_OUTSIDE_PORT:-19092}" in environment["KAFKA_ADVERTISED_LISTENERS"]


def test_the_api_of_the_compose_stack_is_always_at_9595() -> None:
    """(S-11) (S-72)"""
    api = yaml.safe_load(COMPOSE.read_text())["services"]["api"]

    assert "127.0.0.1:9595:9595" in api["ports"]
    assert api["environment"]["UVICORN_PORT"] == "9595"
