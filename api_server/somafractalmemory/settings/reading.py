"""Explicit values before the environment, the environment before a file, a file before the defaults."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from somafractalmemory.errors import ConfigurationError
from somafractalmemory.settings import sources
from somafractalmemory.settings.required import problems_of
from somafractalmemory.settings.tree import Settings


@dataclass(frozen=True, slots=True)
class Resolved:
    """The settings, where each that is not a default came from, and what may be a mistake."""

    settings: Settings
    origins: Mapping[str, str]
    warnings: tuple[str, ...]


def load_settings(
    environment: Mapping[str, str] | None = None,
    *,
    for_command: str | None = None,
    explicit: Mapping[str, Any] | None = None,
) -> Settings:
    """The settings of `resolve`."""
    return resolve(environment, for_command=for_command, explicit=explicit).settings


def resolve(
    environment: Mapping[str, str] | None = None,
    *,
    for_command: str | None = None,
    explicit: Mapping[str, Any] | None = None,
) -> Resolved:
    """Read every source.

    Args:
        environment: the variables; None for those of this process. `SOMA_CONFIG_FILE` among them names the file.
        for_command: what will run, so that what it cannot do without is missed now.
        explicit: values of the caller, in sections as in a file; they win.

    Raises:
        ConfigurationError: lists every wrong field of every source with its remedy.
    """
    variables = os.environ if environment is None else environment
    file = variables.get("SOMA_CONFIG_FILE")
    read = [sources.document(Path(file))] if file else []
    read += [sources.environment(variables), sources.tree(explicit or {}, " (explicit)")]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for source in read:
        values |= source.values
        origins |= source.origins
    files = {name: file for source in read for name, file in source.files.items()}
    files = {name: file for name, file in files.items() if origins.get(name) == f"{name}_FILE"}
    problems = [problem for source in read for problem in source.problems]
    settings, wrong = _checked(values, origins, problems)
    problems += [each for each in problems_of(settings, for_command) if each.partition(":")[0] not in wrong]
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise ConfigurationError(
            f"The configuration is not usable:\n{lines}\nEvery variable is explained in docs/configuration.md."
        )
    return Resolved(
        settings.from_files(files), origins, tuple(warning for source in read for warning in source.warnings)
    )


def _checked(values: dict[str, Any], origins: Mapping[str, str], problems: list[str]) -> tuple[Settings, set[str]]:
    """The settings without the wrong values, whose problems are added, and the names of those."""
    try:
        return Settings.model_validate(values), set()
    except ValidationError as error:
        problems += [_problem(item, origins) for item in error.errors()]
        wrong = {str(item["loc"][0]) for item in error.errors()}
        return Settings.model_validate({name: value for name, value in values.items() if name not in wrong}), wrong


def _problem(item: Mapping[str, Any], origins: Mapping[str, str]) -> str:
    name = str(item["loc"][0])
    secret = any(word in name for word in ("PASSWORD", "TOKEN", "KEY", "URL"))
    found = "" if secret else f" (found: {str(item['input'])[:80]!r})"
    return f"{origins.get(name, name)}: {item['msg']}{found}; correct or unset the variable"
