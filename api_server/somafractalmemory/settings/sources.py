"""Where values come from: explicit ones, the environment, a file. Each by the canonical name of its variable."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from somafractalmemory.settings import retired
from somafractalmemory.settings.tree import SECRETS, canonical, paths

_ALSO_OURS = {"SOMA_API_CA", "SOMA_API_URL", "SOMA_CONFIG_FILE"}
_SERVICE_LINK = re.compile(r"^(?:tcp|udp|sctp)://")
_INJECTED = re.compile(r"_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)$")


@dataclass(frozen=True, slots=True)
class Source:
    """Values, where each came from, the files of secrets, and what is wrong or strange about them."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def put(self, name: str, value: Any, origin: str) -> None:
        """Note a value unless it is empty or there is one by a better name."""
        if value is None or value == "" or self.origins.get(name) == name:
            return
        self.values[name], self.origins[name] = value, origin


def environment(variables: Mapping[str, str]) -> Source:
    """The variables that we know; a warning for each that only looks as if we did."""
    source = Source()
    for name, value in variables.items():
        if name in canonical():
            if not _SERVICE_LINK.match(value) or not name.endswith("_PORT"):  # Kubernetes' REDIS_PORT=tcp://...
                source.put(canonical()[name], value, name)
        elif reason := retired.reason_of(name):
            source.warnings.append(f"{name} does nothing: {reason}")
        elif name.startswith("SOMA_") and name not in _ALSO_OURS and not _INJECTED.search(name):
            source.warnings.append(f"{name} is no variable of ours{_nearest(name, canonical())}")
    _read_secrets(source)
    return source


def document(path: Path) -> Source:
    """A file in YAML or JSON: sections as in docs/configuration.md, or variables' own names at the top."""
    source = Source()
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        source.problems.append(
            f"SOMA_CONFIG_FILE: {path} cannot be read ({type(error).__name__}); mount the file or correct the path"
        )
        return source
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        source.problems.append(f"SOMA_CONFIG_FILE: {path} is neither YAML nor JSON{where}; correct it")
        return source
    if content is not None and not isinstance(content, dict):
        source.problems.append(f"SOMA_CONFIG_FILE: {path} holds no sections; see docs/configuration.md")
        return source
    return tree(content or {}, f" in {path.name}", source)


def tree(content: Mapping[str, Any], where: str = "", source: Source | None = None) -> Source:
    """Nested sections, such as a file's or a caller's."""
    source = source or Source()
    for place, value in _leaves(content):
        if name := paths().get(place):
            source.put(name, value, name if place == name else f"{place}{where}")
        elif reason := retired.reason_of_key(place) or retired.reason_of(place):
            source.warnings.append(f"{place}{where} does nothing: {reason}")
        else:
            source.problems.append(f"{place}{where}: no such setting{_nearest(place, paths())}; correct or remove it")
    _read_secrets(source)
    return source


def _leaves(content: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        place = f"{above}{key}"
        if isinstance(value, Mapping) and place not in paths():
            yield from _leaves(value, f"{place}.")
        else:
            yield place, value


def _nearest(name: str, known: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f", did you mean {close[0]}?" if close else ""


def _read_secrets(source: Source) -> None:
    for name in SECRETS:
        path = source.values.pop(f"{name}_FILE", None)
        if path is None:
            continue
        try:
            secret = Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError, TypeError) as error:
            problem = f"{path} cannot be read ({type(error).__name__}); mount the file or correct the path"
            source.problems.append(f"{name}_FILE: {problem}")
        else:
            source.values[name], source.origins[name] = secret, f"{name}_FILE"
            source.files[name] = Path(path)
