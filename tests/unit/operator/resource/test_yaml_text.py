"""Text stays text, whoever reads the YAML."""

import pytest
import yaml

from somamemory_operator.resource import yaml_text


@pytest.mark.parametrize(
    "text", ["80124e10", "80124E55", "0x1f", "0o17", "1_000", "12:30", "-1", ".5", "7", "y", "N", "1e5"]
)
def test_text_that_other_readers_take_for_something_else_is_quoted(text: str) -> None:
    assert yaml_text.dump({"a": text}) == f"a: '{text}'\n"


@pytest.mark.parametrize("text", ["api", "1Gi", "yes", "", "null", "a: b", "x\ny", "#"])
def test_any_text_is_read_as_it_was(text: str) -> None:
    assert yaml.safe_load(yaml_text.dump({"a": text})) == {"a": text}


def test_numbers_stay_numbers_and_equal_parts_are_written_twice() -> None:
    part = {"k": 1}

    assert yaml_text.dump([part, part]) == "- k: 1\n- k: 1\n"
