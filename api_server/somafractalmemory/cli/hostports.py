"""Free host ports for the stores of the compose stack: what is wanted where it is free, else the next free one."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from somafractalmemory.errors import ConfigurationError

DEFAULTS = {
    "POSTGRES_HOST_PORT": 5434,
    "REDIS_HOST_PORT": 6380,
    "QDRANT_HOST_PORT": 6333,
    "KAFKA_HOST_PORT": 9092,
    "KAFKA_OUTSIDE_PORT": 19092,
}
FIXED = {"UVICORN_PORT": "9595", "COMPOSE_PROJECT_NAME": "somafractalmemory"}
_LAST = 65535
_TRIES = 1000


@dataclass(frozen=True, slots=True)
class Assigned:
    """The port of one variable, and which one it replaces."""

    variable: str
    port: int
    wanted: int

    @property
    def moved(self) -> bool:
        """Whether somebody else listens on the wanted port."""
        return self.port != self.wanted


def assign(wanted: Mapping[str, str], is_free: Callable[[int], bool]) -> list[Assigned]:
    """A different free port for each variable. Raises ConfigurationError for a text that is no port."""
    assigned: list[Assigned] = []
    taken: set[int] = {int(FIXED["UVICORN_PORT"])}
    for variable, default in DEFAULTS.items():
        start = _port(variable, wanted.get(variable, ""), default)
        port = next((p for p in range(start, min(start + _TRIES, _LAST + 1)) if p not in taken and is_free(p)), None)
        if port is None:
            raise ConfigurationError(f"{variable}: no free port from {start} on; set it to a lower one")
        taken.add(port)
        assigned.append(Assigned(variable, port, start))
    return assigned


def is_free(port: int) -> bool:
    """Whether nobody listens on it, on any address of this host."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 - only to see whether it is free
        except OSError:
            return False
    return True


def read(file: Path) -> dict[str, str]:
    """The assignments of an environment file; none when there is no file."""
    if not file.exists():
        return {}
    lines = (line.strip() for line in file.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def write(file: Path, assigned: list[Assigned]) -> None:
    """Put the ports into the file; other lines of it stay."""
    values = read(file) | FIXED | {each.variable: str(each.port) for each in assigned}
    file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))


def _port(variable: str, text: str, default: int) -> int:
    if not text.strip():
        return default
    if not (text.strip().isdigit() and 1 <= int(text) <= _LAST):
        raise ConfigurationError(f"{variable}: {text!r} is no port; set it to a number from 1 to {_LAST}")
    return int(text)
