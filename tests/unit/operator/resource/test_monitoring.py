"""What Prometheus and its operator would refuse is refused before, with a sentence, also without an API server."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from somamemory_operator.model.errors import InvalidSpec
from somamemory_operator.resource import crd, re2
from tests.unit.operator.fakes import memory
from tests.unit.operator.resource.refused_by_prometheus import REFUSED, TAKEN


@pytest.mark.parametrize("case", REFUSED)
def test_what_prometheus_refuses_is_refused(case: str) -> None:
    """`render` and a resource older than the rules: one such value would cost all alerts."""
    spec, words = REFUSED[case]

    with pytest.raises(InvalidSpec) as caught:
        memory(spec)

    assert words in f"{caught.value.message} {_camel(caught.value.message)}"
    assert "Value error" not in caught.value.message


@pytest.mark.parametrize("case", TAKEN)
def test_what_prometheus_takes_is_taken(case: str) -> None:
    assert memory(TAKEN[case])


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("(", "opening parenthesis"),
        ("a))", "closing parenthesis"),
        ("[a", "opening bracket"),
        ("[]", "opening bracket"),
        ("[[:alpha:]", "opening bracket"),
        ("(?<=a)b", "no lookaround"),
        ("(?>a)", "no lookaround"),
        ("(?P=a)", "no lookaround"),
        (r"\8", "no backreferences"),
        (r"a\Z", r"does not know \Z"),
        ("a|*", "nothing to repeat"),
        ("a**", "nothing to repeat"),
        ("(?:+)", "nothing to repeat"),
        ("a{2}{3}", "nothing to repeat"),
        ("a{1001}", "1000 at most"),
        ("a{3,2}", "1000 at most"),
    ],
)
def test_a_fault_of_an_expression_is_named(expression: str, words: str) -> None:
    assert words in (re2.fault(expression) or "")


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "a)(b",
        "a*?",
        "a??",
        "^*",
        "(?i)a|b",
        "a+(?i)+",
        "{,3}",
        "a{",
        r"\12",
        r"[a\]b]",
        "[*-[:a]",
        "]",
        r"\Qa(\E",
        "(|a)",
    ],
)
def test_what_only_looks_wrong_is_taken(expression: str) -> None:
    """Go's engine takes each of these, between `^(?:` and `)$`."""
    assert re2.fault(expression) is None


@given(some.text(some.characters(codec="utf-8"), max_size=60))
def test_text_without_meaning_to_an_engine_is_never_refused(text: str) -> None:
    assert re2.fault(re.sub(r"[^\w -]", "", text)) is None


def test_helm_leaves_the_braces_of_a_rule_alone() -> None:
    """The chart's templates hold the definition, and Helm would read `{{` as its own."""
    text = crd.as_helm_template()

    assert "would begin a template" in text
    assert set(re.findall(r"\{\{.*?\}\}", text)) == {'{{ "{{" }}', "{{- if .Values.crd.install }}", "{{- end }}"}


def _camel(message: str) -> str:
    """Its places as they stand in YAML: pydantic tells some by their names in Python."""
    return re.sub(r"_(\w)", lambda found: found[1].upper(), message)
