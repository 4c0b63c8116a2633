"""How Prometheus changes the labels of what it scrapes, refused where Prometheus and its operator would refuse it.

They leave a whole ServiceMonitor out for one bad rule, and tell it only in a log: all metrics and alerts would be gone.
"""

import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, StringConstraints

from somamemory_operator.resource import re2
from somamemory_operator.resource.base import Line, Model, Rule, rules

SeriesLabel = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=128)]

Action = Literal[
    "replace",
    "keep",
    "drop",
    "hashmod",
    "labelmap",
    "labeldrop",
    "labelkeep",
    "lowercase",
    "uppercase",
    "keepequal",
    "dropequal",
]
_TARGETED = ("replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal")
_MADE_LABEL = r"^(?:[a-zA-Z_]|\$(?:\{\w+\}|\w))(?:\w|\$(?:\{\w+\}|\w))*$"


def _is(*actions: str) -> str:
    return f"((has(self.action) ? self.action : 'replace') in {list(actions)})"


_UNSET = {"sourceLabels": "size(self.sourceLabels) == 0", "separator": "self.separator == ';'"}
_UNSET |= {"replacement": "self.replacement == '$1'"}


def _no(*fields: str) -> str:
    """That these fields are absent, or say what Prometheus does without them."""
    unset = (f"!has(self.{field})" + (f" || {_UNSET[field]}" if field in _UNSET else "") for field in fields)
    return f"({' && '.join(f'({each})' for each in unset)})"


_RULES = (
    Rule(
        f"!{_is(*_TARGETED)} || has(self.targetLabel)",
        f"targetLabel is missing: {', '.join(_TARGETED)} need it, and replace is what is done without action",
        lambda self: self.done not in _TARGETED or self.target_label is not None,
    ),
    Rule(
        f"!{_is('hashmod')} || has(self.modulus)",
        "modulus is missing: hashmod needs it",
        lambda self: self.done != "hashmod" or self.modulus is not None,
    ),
    Rule(
        f"!{_is('lowercase', 'uppercase')} || {_no('replacement')}",
        "lowercase and uppercase take no replacement",
        lambda self: (
            self.done not in ("lowercase", "uppercase")
            or self.has_only("source_labels", "separator", "target_label", "regex", "modulus")
        ),
    ),
    Rule(
        f"!{_is('keepequal', 'dropequal')} || {_no('separator', 'regex', 'modulus', 'replacement')}",
        "keepequal and dropequal take sourceLabels and targetLabel, and no other field",
        lambda self: self.done not in ("keepequal", "dropequal") or self.has_only("source_labels", "target_label"),
    ),
    Rule(
        f"!{_is('labeldrop', 'labelkeep')} || "
        f"{_no('sourceLabels', 'separator', 'targetLabel', 'modulus', 'replacement')}",
        "labeldrop and labelkeep take regex, and no other field",
        lambda self: self.done not in ("labeldrop", "labelkeep") or self.has_only("regex"),
    ),
    Rule(
        f"!{_is('labelmap')} || !has(self.replacement) || self.replacement.matches(r'{_MADE_LABEL}')",
        "the replacement of labelmap must make the name of a label, such as node_$1",
        lambda self: (
            self.done != "labelmap"
            or self.replacement is None
            or re.fullmatch(_MADE_LABEL, self.replacement, re.ASCII) is not None
        ),
    ),
)

_REGEX_SENTENCE = "regex must be a regular expression of RE2, without lookaround and backreferences"


def _readable(expression: str) -> str:
    if (found := re2.fault(expression)) is not None:
        raise ValueError(f"{_REGEX_SENTENCE}: {found}")
    return expression


Regex = Annotated[
    Line,
    AfterValidator(_readable),
    # An expression that cannot be compiled is an error of the rule itself, which the API server tells with its cause.
    Field(json_schema_extra=rules(("''.matches('^(?:' + self + ')$') ? true : true", _REGEX_SENTENCE))),
]


class Relabeling(Model):
    """A rule that changes the labels of what is scraped, in Prometheus' own words."""

    obeys: ClassVar[tuple[Rule, ...]] = _RULES
    source_labels: Annotated[list[SeriesLabel], Field(max_length=16)] | None = None
    """Labels whose values are joined."""
    separator: Annotated[str, StringConstraints(max_length=16)] | None = None
    """What joins them."""
    target_label: SeriesLabel | None = None
    """Label that gets the result."""
    regex: Regex | None = None
    """What the joined value must match."""
    modulus: Annotated[int, Field(ge=1, le=2_147_483_647)] | None = None
    """Modulus of the action hashmod."""
    replacement: Line | None = None
    """What the label gets, with $1 for what matched."""
    action: Action | None = None
    """What is done; replace when absent."""

    @property
    def done(self) -> Action:
        return self.action or "replace"

    def has_only(self, *fields: str) -> bool:
        """Whether no other field than these says more than Prometheus does without it."""
        unset = {"source_labels": [], "separator": ";", "replacement": "$1"}
        others = type(self).model_fields.keys() - {*fields, "action"}
        return all(getattr(self, name) in (None, unset.get(name)) for name in others)


Relabelings = Annotated[list[Relabeling], Field(max_length=32)]
