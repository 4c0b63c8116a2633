"""The options that all commands share, and the client that they ask for."""

import os
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from somafractalmemory.calling.dialling import DEFAULT_URL
from somafractalmemory.client import Client
from somafractalmemory.errors import ConfigurationError

MODE = "evented_enterprise"
_IN_PROCESS_NAMESPACE = "cli_ns"
_TIMEOUT_SECONDS = 30.0


class Format(StrEnum):
    """How answers are shown."""

    TABLE = "table"
    PLAIN = "plain"
    JSON = "json"


Url = Annotated[
    str | None, typer.Option("--url", help=f"Address of the API. [default: SOMA_API_URL, else {DEFAULT_URL}]")
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file", help="File with the bearer token; else SOMA_API_TOKEN_FILE, else SOMA_API_TOKEN is read."
    ),
]
Ca = Annotated[
    Path | None,
    typer.Option(
        "--ca",
        help="File with the authorities that may sign the API's certificate, in PEM. "
        "[default: SOMA_API_CA, else the system's]",
    ),
]
Namespace = Annotated[
    str | None,
    typer.Option(
        "--namespace",
        help="Namespace to work in. [default: SOMA_NAMESPACE or SOMA_MEMORY_NAMESPACE, else the token's own, "
        "else the API's; with --config: cli_ns]",
    ),
]
Timeout = Annotated[
    float | None, typer.Option("--timeout", min=0.1, help="Seconds to wait for the API's next word. [default: 30]")
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "--config-json",
        help="No API: run the service in this process, on what this JSON or YAML file says (see `docs/cli.md`).",
    ),
]
Output = Annotated[
    Format | None,
    typer.Option(
        "--output",
        "-o",
        help="table: for people; plain: one value, for scripts; json: the API's whole answer. "
        "[default: table on a terminal, else plain]",
    ),
]
Quiet = Annotated[
    bool | None,
    typer.Option("--quiet", "-q", help="No confirmations, notes, warnings and progress.", show_default=False),
]
SHARED: Mapping[str, Any] = {
    "url": Url,
    "ca": Ca,
    "token_file": TokenFile,
    "namespace": Namespace,
    "timeout": Timeout,
    "config": Config,
    "output": Output,
    "quiet": Quiet,
}
"""Taken before a command and, because that is where people write them, behind it; the latter wins."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the shared options say; `connect` is the way to a client, which tests bring themselves."""

    url: str | None = None
    ca: Path | None = None
    token_file: Path | None = None
    namespace: str | None = None
    timeout: float | None = None
    config: Path | None = None
    output: Format | None = None
    quiet: bool | None = None
    connect: "Callable[[Given], AbstractContextManager[Client]] | None" = None

    def over(self, given: "Given") -> "Given":
        """These options, and those of `given` where nothing was said."""
        unsaid = {name: getattr(given, name) for name in (*SHARED, "connect") if getattr(self, name) is None}
        # An address behind the command is meant instead of a configuration before it, and the other way round.
        if self.url is not None:
            unsaid["config"] = None
        return replace(self, **unsaid)


def connect(given: Given) -> Client:
    """A client as the options and the environment ask for. Raises ConfigurationError."""
    if given.config is not None and given.url is not None:
        raise ConfigurationError("--url asks for an API and --config for none: leave one of them out")
    names = ("SOMA_NAMESPACE", "SOMA_MEMORY_NAMESPACE")
    namespace = given.namespace or next((found for name in names if (found := os.environ.get(name))), None)
    if given.config is not None:
        return _in_process(given, given.config, namespace)
    return Client(
        given.url or os.environ.get("SOMA_API_URL") or DEFAULT_URL,
        token=read_token(given.token_file, os.environ),
        namespace=namespace,
        timeout_seconds=given.timeout or _TIMEOUT_SECONDS,
        ca=given.ca or (Path(named) if (named := os.environ.get("SOMA_API_CA")) else None),
    )


def read_token(file: Path | None, environment: Mapping[str, str]) -> str | None:
    """The first token of the file or the variable; None without either. Raises ConfigurationError."""
    named = "--token-file"
    if file is None and (path := environment.get("SOMA_API_TOKEN_FILE")):
        file, named = Path(path), "SOMA_API_TOKEN_FILE"
    if file is None:
        return _first(environment.get("SOMA_API_TOKEN", ""))
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{named}: {file} cannot be read ({type(error).__name__}); correct the path") from None
    token = _first(text)
    if token is None:
        raise ConfigurationError(f"{named}: {file} holds no token; write one into its first line")
    return token


def _first(text: str) -> str | None:
    """The API reads a list, and takes each of it."""
    return next((word for word in re.split(r"[\s,]+", text) if word), None)


def _in_process(given: Given, path: Path, namespace: str | None) -> Client:
    # The whole service: nothing that a command over HTTP should wait for.
    from somafractalmemory import telemetry  # noqa: PLC0415
    from somafractalmemory.calling.inprocess import InProcess  # noqa: PLC0415
    from somafractalmemory.configuring import settings_from_config  # noqa: PLC0415
    from somafractalmemory.factory import open_with_schema  # noqa: PLC0415
    from somafractalmemory.httpface.app import create_app  # noqa: PLC0415
    from somafractalmemory.settings.dictionary import read_config_file  # noqa: PLC0415
    from somafractalmemory.wiring import open_api  # noqa: PLC0415

    if not path.is_file():
        raise ConfigurationError(f"--config: there is no file {path}; correct the path")
    config = read_config_file(path)
    if namespace is None and "namespace" not in config:
        namespace = _IN_PROCESS_NAMESPACE
    telemetry.configure_logs("ERROR" if given.quiet else os.environ.get("LOG_LEVEL", "WARNING").upper())
    settings, opener = settings_from_config(config, namespace=namespace)
    if settings.api_token is None:
        raise AssertionError("settings_from_config makes a token")
    return Client(
        "http://in-process",
        token=settings.api_token.get_secret_value(),
        timeout_seconds=given.timeout or _TIMEOUT_SECONDS,
        transport=InProcess(create_app(settings, open_with_schema if opener is open_api else opener)).__enter__(),
    )
