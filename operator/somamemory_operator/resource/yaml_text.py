"""YAML that every reader understands alike.

PyYAML writes YAML 1.1 and leaves text such as `80124e10` bare, because its own reader wants a point in a float. Go's
reader, and with it kubectl, takes that for a number. So anything that might be one is quoted, and `y` and `n` too.
Text of several lines keeps its lines, so that people can read it.
"""

import re
from collections.abc import Iterable
from typing import Any

import yaml

_DOUBTFUL = re.compile(r"[-+.]?[0-9][-+0-9a-fA-FxXoObB_.:eE]*|[yYnN]")


class _Dumper(yaml.SafeDumper):
    """Quotes doubtful text, and writes equal parts twice instead of as anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "'" if _DOUBTFUL.fullmatch(value) else "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def dump(*documents: Any) -> str:
    """The documents as text, keys in the order that they have."""
    return dump_all(documents)


def dump_all(documents: Iterable[Any]) -> str:
    """The same for any number of documents."""
    text: str = yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)
    return text
